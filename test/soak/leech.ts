// A place in the swarm that one leech of Shoal after the other takes: each fetches a torrent, is killed on the way now and then,
// goes on where it was, is compared with the source, stays as a seed for a while, and goes.

import { rm } from 'node:fs/promises';
import type { Chance } from '../interop/harness/chance.ts';
import { Actor, type Event } from './actor.ts';
import { type Content, differenceOf, SHOAL } from './content.ts';
import type { Run } from './run.ts';
import { readBytesOf } from './system.ts';

export interface LeechPlace {
  readonly index: number;
  readonly contents: readonly Content[];
  /** Where the seed that stays listens: named to those whose tracker may be away. */
  readonly seed: string;
}

/** Nothing verified for so long, while a seed is there that is known, counts as hanging. */
const HANG_MS = 60_000;
const LOOK_MS = 250;
/** Of ten lives that many end by `kill -9` before the copy is complete. */
const KILLED_OF_10 = 6;
const KILL_WITHIN_MS = 7000;
const STAY_WITHIN_MS = 6000;
/** bytes/s; 0: no limit. */
const LIMITS = [0, 800_000, 1_500_000, 1_500_000, 3_000_000];
/** Programs read some of their own files; blocks have headers; others are read for. */
const OWN_READS_BYTES = 4 << 20;
/** A kill may cost the pieces that were not noted yet: those of a second (docs/states.md), and of the time that a slow disk takes. */
const NOTED_WITHIN_MS = 3000;
/** The last word of a killed process is so old at most: it tells every 200 ms, and may be busy. */
const UNTOLD_MS = 500;
/** With less at stake, reads of other kinds would decide. */
const LEAST_KEPT_BYTES = 3 << 20;

interface Life {
  readonly folder: string;
  readonly content: Content;
  readonly source: string;
  readonly chance: Chance;
  /** Of the killed life before. */
  readonly before: Left;
}

/** What a killed process has left, as it told. */
interface Left {
  /** Bytes verified long enough before its end to be noted. */
  readonly noted: number;
  /** Bytes verified at its end, at most: what was not noted is rightly read again. */
  readonly verified: number;
}

const NOTHING: Left = { noted: 0, verified: 0 };

/** Runs until the run is over. */
export async function leechAgainAndAgain(run: Run, place: LeechPlace): Promise<void> {
  const chance = run.chance(`leech ${place.index}`);
  while (!run.isOver) {
    const content = chance.pick(place.contents);
    const folder = await run.newFolder(`leech-${place.index}`);
    const source = chance.below(3) === 0 ? content.magnet : content.file;
    let before: Left | null = NOTHING;
    while (before !== null && !run.isOver) before = await live(run, place, { folder, content, source, chance, before });
    await rm(folder, { recursive: true, force: true });
    await rm(`${folder}-state`, { recursive: true, force: true });
  }
}

/** One process; what it left when it was killed, or null: this copy is done with. */
async function live(run: Run, place: LeechPlace, life: Life): Promise<Left | null> {
  const { chance, content } = life;
  const limit = chance.pick(LIMITS);
  const watch: Watch = { verified: -1, first: -1, changedMs: performance.now(), told: [] };
  let reads = 0;
  const actor = new Actor({
    name: `leech ${place.index} of ${content.meta}`,
    argv: argvOf(place, life, limit),
    cwd: run.folder,
    onEvent: (event) => {
      if (event.event === 'status') noteStatus(watch, event);
      if (event.event === 'complete') reads = readBytesOf(actor.pid) ?? 0;
    },
  });
  const complete = actor.event('complete');
  const killAt =
    chance.below(10) < KILLED_OF_10 ? performance.now() + chance.below(KILL_WITHIN_MS) : Number.POSITIVE_INFINITY;
  const finished = await outcome(run, actor, complete, () => killAt, watch);
  if (watch.first >= 0 && watch.first < life.before.noted) {
    run.fail(
      `${actor.name} had noted ${life.before.noted} bytes when it was killed, and knew of ${watch.first} afterwards`,
    );
  }
  if (finished === 'over') return end(actor);
  if (finished === 'killed') {
    run.count('leeches killed');
    return leftOf(watch, life, limit);
  }
  if (finished === 'failed') return end(actor);
  const difference = await differenceOf(content, life.folder);
  if (difference !== null) run.fail(`${actor.name}: ${difference}`);
  else run.count(`copies ${content.meta}`);
  run.count('bytes', content.lengthBytes);
  if (life.source === content.magnet) run.count('copies by magnet link');
  if (life.before.noted > 0) checkReads(run, actor.name, life, finished, reads);
  return await stayAndGo(run, actor, chance);
}

function argvOf(place: LeechPlace, { folder, content, source, chance }: Life, limit: number): readonly string[] {
  const ip = `127.0.${10 + place.index}.${1 + chance.below(250)}`;
  const listen = ['--listen', `${ip}:0`, '--state', `${folder}-state`, '--status', '0.2', '--json', '--keep-seeding'];
  const limits = limit === 0 ? [] : ['--max-download', String(limit), '--max-upload', String(limit)];
  // The tracker of the v2 torrent is the one that dies.
  const peers = content.meta === 'v2' || chance.below(2) === 0 ? ['--peer', place.seed] : [];
  return [process.execPath, SHOAL, 'get', source, '-o', folder, ...listen, ...limits, ...peers];
}

interface Watch {
  verified: number;
  /** What was verified when. */
  readonly told: { readonly ms: number; readonly verified: number }[];
  /** Of the first status after which nothing is checked any more. */
  first: number;
  changedMs: number;
}

function noteStatus(watch: Watch, event: Event): void {
  const verified = Number(event.verified);
  if (watch.first < 0 && (event.state === 'downloading' || event.state === 'seeding')) watch.first = verified;
  if (verified <= watch.verified) return;
  watch.verified = verified;
  watch.changedMs = performance.now();
  watch.told.push({ ms: watch.changedMs, verified });
}

/** Of a process that has just been killed, which fetched `limit` bytes a second at most. */
function leftOf(watch: Watch, { content, before }: Life, limit: number): Left {
  const untilMs = performance.now() - NOTED_WITHIN_MS;
  const noted = watch.told.findLast(({ ms }) => ms < untilMs)?.verified ?? 0;
  const untold = limit === 0 ? content.lengthBytes : limit * (UNTOLD_MS / 1000);
  const verified = Math.min(content.lengthBytes, Math.max(watch.verified, before.verified) + untold);
  return { noted: Math.max(noted, before.noted), verified };
}

type Finished = Event | 'killed' | 'failed' | 'over';

/** Waits for the copy, the time to be killed, or a reason to give up. */
async function outcome(
  run: Run,
  actor: Actor,
  complete: Promise<Event | null>,
  killAt: () => number,
  watch: Watch,
): Promise<Finished> {
  for (;;) {
    const done = await Promise.race([complete, run.wait(LOOK_MS)]);
    if (done) return done;
    if (run.isOver) return 'over';
    if (actor.hasEnded) {
      run.fail(`${actor.name} ended by itself: ${actor.lastWords}`);
      return 'failed';
    }
    const now = performance.now();
    run.most('longest wait, ms', now - watch.changedMs);
    if (now - watch.changedMs > HANG_MS) {
      run.fail(`${actor.name} hangs at ${watch.verified} bytes: ${actor.lastWords}`);
      return 'failed';
    }
    if (now > killAt()) {
      await actor.kill();
      return 'killed';
    }
  }
}

/** What was noted before may be looked at, but not be read as a whole again. */
function checkReads(run: Run, name: string, { before }: Life, complete: Event, readBytes: number): void {
  run.count('copies resumed');
  const moved = Number(complete.downloaded) * 1.1 + Number(complete.uploaded) * 4;
  const more = readBytes - moved - OWN_READS_BYTES;
  if (before.noted >= LEAST_KEPT_BYTES && more > before.verified - before.noted / 2) {
    run.fail(`${name} read ${Math.round(more)} bytes again, of ${before.noted} noted and ${before.verified} verified`);
  }
}

async function stayAndGo(run: Run, actor: Actor, chance: Chance): Promise<null> {
  await run.wait(chance.below(STAY_WITHIN_MS));
  if (actor.hasEnded) run.fail(`${actor.name} ended by itself: ${actor.lastWords}`);
  if (chance.below(2) === 0) return end(actor);
  const { code, late } = await actor.stop();
  if (late) run.fail(`${actor.name} did not end within 8 s of SIGTERM`);
  else if (code !== 0) run.fail(`${actor.name} was stopped and ended with ${code}: ${actor.lastWords}`);
  return null;
}

async function end(actor: Actor): Promise<null> {
  await actor.kill();
  return null;
}
