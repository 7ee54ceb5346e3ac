// The soak: who takes part, for how long, what is looked at, and the verdict.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Actor } from './actor.ts';
import { type Content, makeContents } from './content.ts';
import { type Sample, type Trend, trendsOf } from './flatness.ts';
import { foreignLeech, foreignPrograms } from './foreign.ts';
import { caller, liar } from './hostile.ts';
import { leechAgainAndAgain } from './leech.ts';
import { startLibrary } from './library.ts';
import { type Counts, Run, type SoakOptions } from './run.ts';
import { dyingTracker, freePort, passingSeed, startSeed, startTracker } from './stay.ts';
import { isAlive } from './system.ts';

export interface Watched {
  readonly name: string;
  readonly samples: readonly Sample[];
  readonly trends: readonly Trend[];
}

export interface Result {
  readonly seed: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly failures: readonly string[];
  readonly counts: Counts;
  /** Programs that could not take part, and why. */
  readonly skipped: readonly string[];
  readonly watched: readonly Watched[];
}

/** Leeches of ours at a time, besides those of other programs. */
const LEECHES = 4;
/** Looks at the long-lived processes, over the whole run; but not so often that looking is the load. */
const LOOKS = 60;
const LEAST_BETWEEN_LOOKS_MS = 5000;
const SAY_EVERY_MS = 15_000;
/** Below, memory still warms up, and little can be demanded of anybody. */
const JUDGED_FROM_MINUTES = 5;

/** Plays to the end, or until `signal` aborts; leaves neither processes nor files. */
export async function soak(options: SoakOptions): Promise<Result> {
  const run = new Run(options, await mkdtemp(join(tmpdir(), 'shoal-soak-')));
  const { here, skipped } = foreignPrograms();
  const long = new Map<string, { actor: Actor; samples: Sample[] }>();
  try {
    const parts = await begin(run, long, here);
    run.startedMs = performance.now();
    const looking = look(run, long);
    const saying = sayProgress(run);
    await run.wait(options.minutes * 60_000);
    run.end();
    await Promise.all([...parts, looking, saying]);
    await endWatched(run, long);
  } catch (error) {
    run.fail(`the soak itself: ${error instanceof Error ? error.stack : String(error)}`);
  } finally {
    run.end();
    await Actor.killAll();
    for (const pid of Actor.pids) if (isAlive(pid)) run.fail(`process ${pid} was left behind`);
    await rm(run.folder, { recursive: true, force: true, maxRetries: 3 });
  }
  const judged = options.minutes >= JUDGED_FROM_MINUTES;
  const watched = [...long].map(([name, { samples }]) => ({ name, samples, trends: trendsOf(samples, judged) }));
  if (!options.signal.aborted) demand(run, watched, judged, here);
  const { failures, counts, seconds } = run;
  return { seed: options.seed, minutes: options.minutes, seconds, failures, counts, skipped, watched };
}

type Watching = Map<string, { readonly actor: Actor; readonly samples: Sample[] }>;

/** Starts everybody; the promises resolve when the run is over. */
async function begin(
  run: Run,
  long: Watching,
  foreign: ReturnType<typeof foreignPrograms>['here'],
): Promise<Promise<void>[]> {
  const [steadyPort, dyingPort] = [await freePort(), await freePort()];
  const [steady, dying] = [steadyPort, dyingPort].map((port) => `http://127.0.0.1:${port}/announce`);
  const contents = await makeContents(run.folder, run.chance('content'), { v1: steady!, v2: dying!, hybrid: steady! });
  const watch = (name: string, actor: Actor): void => void long.set(name, { actor, samples: [] });
  watch('tracker', await startTracker(run, 'tracker', steadyPort, true));
  const parts = [dyingTracker(run, dyingPort)];
  const { actor, address } = await startSeed(run, { name: 'seed', ip: '127.0.1.1', contents, watched: true });
  watch('seed', actor);
  const reachable = contents.filter(({ meta }) => meta !== 'v2');
  const library = await startLibrary(run, reachable);
  watch('session', library.actor);
  parts.push(library.played, passingSeed(run, contents));
  for (let index = 0; index < LEECHES; index++) parts.push(leechAgainAndAgain(run, { index, contents, seed: address }));
  for (const program of foreign) parts.push(foreignLeech(run, program, reachable));
  const targets = { contents: reachable, seed: address, trackerPort: steadyPort };
  parts.push(liar(run, targets), caller(run, targets));
  return parts;
}

async function look(run: Run, long: Watching): Promise<void> {
  const everyMs = Math.max(LEAST_BETWEEN_LOOKS_MS, (run.options.minutes * 60_000) / LOOKS);
  while (!run.isOver) {
    await run.wait(everyMs);
    if (run.isOver) return;
    for (const [name, { actor, samples }] of long) {
      const probe = await actor.probe();
      if (probe !== null) samples.push({ ...probe, minute: run.seconds / 60 });
      else if (!run.isOver)
        run.fail(`the ${name} ${actor.hasEnded ? 'ended by itself' : 'does not answer'}: ${actor.lastWords}`);
    }
  }
}

async function sayProgress(run: Run): Promise<void> {
  while (!run.isOver) {
    await run.wait(SAY_EVERY_MS);
    const { counts, failures } = run;
    const copies = copiesOf(counts);
    const kills = (counts['leeches killed'] ?? 0) + (counts['trackers killed'] ?? 0) + (counts['seeds gone'] ?? 0);
    const mib = ((counts.bytes ?? 0) / 2 ** 20).toFixed(0);
    run.options.say(
      `${run.seconds.toFixed(0)} s of ${run.options.minutes * 60}: ${copies} copies, ${mib} MiB compared, ${kills} ends before time, ${failures.length} failures`,
    );
  }
}

/** The long-lived ones are told to end, and must. */
async function endWatched(run: Run, long: Watching): Promise<void> {
  await Promise.all(
    [...long].map(async ([name, { actor }]) => {
      if (actor.hasEnded) return run.fail(`the ${name} ended by itself: ${actor.lastWords}`);
      const { code, late } = await actor.stop();
      if (late) run.fail(`the ${name} did not end within 8 s of SIGTERM`);
      else if (code !== 0) run.fail(`the ${name} was stopped and ended with ${code}: ${actor.lastWords}`);
    }),
  );
}

function copiesOf(counts: Counts): number {
  const names = Object.keys(counts).filter((name) => /^copies (v1|v2|hybrid|by (?!magnet))/.test(name));
  return names.reduce((sum, name) => sum + counts[name]!, 0);
}

/** What must have happened for the run to have shown anything. */
function demand(
  run: Run,
  watched: readonly Watched[],
  judged: boolean,
  foreign: readonly { readonly name: string }[],
): void {
  const must: string[] = ['copies by the library', 'leeches killed', 'hostile calls', 'trackers killed', 'seeds gone'];
  const metas: readonly Content['meta'][] = ['v1', 'v2', 'hybrid'];
  if (judged)
    must.push(...metas.map((meta) => `copies ${meta}`), 'copies by magnet link', 'copies resumed', 'bad blocks sent');
  if (judged) must.push(...foreign.map(({ name }) => `copies by ${name}`));
  for (const name of must) if (!run.counts[name]) run.fail(`nothing of this happened: ${name}`);
  for (const { name, trends } of watched) {
    for (const { figure, from, to, limit, flat } of trends) {
      if (!flat)
        run.fail(
          `the ${name} grows: ${figure} from ${from.toFixed(1)} to ${to.toFixed(1)}, ${limit.toFixed(1)} more allowed`,
        );
    }
  }
}
