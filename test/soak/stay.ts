// Those that are there for others: a tracker and a seed that stay, a tracker that dies and comes back, a seed that comes and goes.

import { createServer } from 'node:net';
import { Actor } from './actor.ts';
import { type Content, SHOAL } from './content.ts';
import type { Run } from './run.ts';

/** How long the tracker is away. */
const AWAY_MS = { least: 2000, most: 6000 };
/** How long the tracker and the seed are there before they go. */
const HERE_MS = { least: 8000, most: 25_000 };

/** A port of 127.0.0.1 that is free now, for a tracker that comes back to where it was. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

export async function startTracker(run: Run, name: string, port: number, watched: boolean): Promise<Actor> {
  const state = `${run.folder}/${name}-state`;
  // Leeches are killed all the time: in half an hour almost everybody that it names would be gone.
  const pace = ['--interval', '30', '--min-interval', '5'];
  const argv = [
    process.execPath,
    SHOAL,
    'tracker',
    '--listen',
    `127.0.0.1:${port}`,
    '--state',
    state,
    ...pace,
    '--json',
  ];
  const actor = new Actor({ name, argv, cwd: run.folder, watched });
  if ((await actor.event('ready')) === null) run.fail(`${name} does not start: ${actor.lastWords}`);
  return actor;
}

/** Seeds everything; resolves with where it listens once it is ready. */
export async function startSeed(
  run: Run,
  {
    name,
    ip,
    contents,
    watched = false,
  }: { name: string; ip: string; contents: readonly Content[]; watched?: boolean },
): Promise<{ readonly actor: Actor; readonly address: string }> {
  const pairs = contents.flatMap(({ file, path }) => [file, path]);
  const argv = [
    process.execPath,
    SHOAL,
    'seed',
    ...pairs,
    '--listen',
    `${ip}:0`,
    '--state',
    `${run.folder}/${name}-state`,
  ];
  // Slow enough that leeches live long enough to be killed.
  const actor = new Actor({ name, argv: [...argv, '--max-upload', '12MB/s', '--json'], cwd: run.folder, watched });
  const ready = await actor.event('ready');
  if (ready === null && !run.isOver) run.fail(`${name} does not start: ${actor.lastWords}`);
  return { actor, address: (ready?.listen as readonly string[] | undefined)?.[0] ?? '' };
}

/** Runs until the run is over: a tracker that is killed, stays away and comes back. */
export async function dyingTracker(run: Run, port: number): Promise<void> {
  const chance = run.chance('dying tracker');
  while (!run.isOver) {
    const tracker = await startTracker(run, 'dying tracker', port, false);
    await run.wait(between(HERE_MS, chance.below));
    if (tracker.hasEnded && !run.isOver) run.fail(`the dying tracker ended by itself: ${tracker.lastWords}`);
    await tracker.kill();
    run.count('trackers killed');
    await run.wait(between(AWAY_MS, chance.below));
  }
}

/** Runs until the run is over: a second seed that leaves, politely or not, and returns. */
export async function passingSeed(run: Run, contents: readonly Content[]): Promise<void> {
  const chance = run.chance('passing seed');
  while (!run.isOver) {
    const { actor } = await startSeed(run, { name: 'passing seed', ip: '127.0.2.1', contents });
    await run.wait(between(HERE_MS, chance.below));
    if (actor.hasEnded && !run.isOver) run.fail(`the passing seed ended by itself: ${actor.lastWords}`);
    if (chance.below(2) === 0) await actor.kill();
    else if ((await actor.stop()).late) run.fail('the passing seed did not end within 8 s of SIGTERM');
    run.count('seeds gone');
    await run.wait(between(AWAY_MS, chance.below));
  }
}

export function between({ least, most }: { least: number; most: number }, below: (end: number) => number): number {
  return least + below(most - least);
}
