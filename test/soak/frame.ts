// What all soaks have in common: a folder, long-lived processes that are looked at, progress, their end, and the verdict.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Actor } from './actor.ts';
import { type Figure, type Sample, type Trend, trendsOf } from './flatness.ts';
import { type Counts, Run, type SoakOptions } from './run.ts';
import { bornOf } from './system.ts';

export interface Watched {
  readonly name: string;
  readonly samples: readonly Sample[];
  readonly trends: readonly Trend[];
}

/** How long somebody waited for answers. */
export interface Waits {
  readonly who: string;
  readonly answers: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly mostMs: number;
}

export interface Result {
  readonly what: string;
  readonly seed: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly failures: readonly string[];
  readonly counts: Counts;
  /** Programs that could not take part, and why. */
  readonly skipped: readonly string[];
  readonly watched: readonly Watched[];
  readonly waits: readonly Waits[];
}

/** Long-lived processes, by name. */
export type Watching = Map<string, { readonly actor: Actor; readonly samples: Sample[] }>;

export interface Play {
  /** As `npm run soak -- WHAT` has it; empty: the transfers. */
  readonly what: string;
  readonly skipped: readonly string[];
  /** Starts everybody; the promises resolve when the run is over. */
  begin(run: Run, long: Watching): Promise<readonly Promise<unknown>[]>;
  /** Figures that follow what remotes do at the moment: they need not be flat, but `demand` bounds them. */
  readonly unsteady: readonly Figure[];
  progress(run: Run): string;
  /** What must have happened for the run to have shown anything. `judged`: it was long enough for figures to count. */
  demand(run: Run, watched: readonly Watched[], judged: boolean): void;
  waits(): readonly Waits[];
}

/** Looks at the long-lived processes, over the whole run; but not so often that looking is the load. */
const LOOKS = 60;
const LEAST_BETWEEN_LOOKS_MS = 5000;
const SAY_EVERY_MS = 15_000;
/** Below, memory still warms up, and little can be demanded of anybody. */
const JUDGED_FROM_MINUTES = 5;

/** Plays to the end, or until `signal` aborts; leaves neither processes nor files. */
export async function playSoak(options: SoakOptions, play: Play): Promise<Result> {
  const run = new Run(options, await mkdtemp(join(tmpdir(), 'shoal-soak-')));
  const long: Watching = new Map();
  try {
    const parts = await play.begin(run, long);
    run.startedMs = performance.now();
    const looking = look(run, long);
    const saying = sayProgress(run, play);
    await run.wait(options.minutes * 60_000);
    run.end();
    await Promise.all([...parts, looking, saying]);
    await endWatched(run, long);
  } catch (error) {
    run.fail(`the soak itself: ${error instanceof Error ? error.stack : String(error)}`);
  } finally {
    run.end();
    await Actor.killAll();
    for (const [pid, born] of Actor.births) if (bornOf(pid) === born) run.fail(`process ${pid} was left behind`);
    await rm(run.folder, { recursive: true, force: true, maxRetries: 3 });
  }
  const judged = options.minutes >= JUDGED_FROM_MINUTES;
  const watched = [...long].map(([name, { samples }]) => ({ name, samples, trends: trendsOf(samples, judged) }));
  if (!options.signal.aborted) {
    play.demand(run, watched, judged);
    demandFlatness(run, watched, play.unsteady);
  }
  const { failures, counts, seconds } = run;
  const { seed, minutes } = options;
  return {
    what: play.what,
    seed,
    minutes,
    seconds,
    failures,
    counts,
    skipped: play.skipped,
    watched,
    waits: play.waits(),
  };
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

async function sayProgress(run: Run, play: Play): Promise<void> {
  while (!run.isOver) {
    await run.wait(SAY_EVERY_MS);
    const { options, failures, seconds } = run;
    options.say(
      `${seconds.toFixed(0)} s of ${options.minutes * 60}: ${play.progress(run)}, ${failures.length} failures`,
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

function demandFlatness(run: Run, watched: readonly Watched[], unsteady: readonly Figure[]): void {
  for (const { name, trends } of watched) {
    for (const { figure, from, to, limit, flat } of trends) {
      if (!flat && !unsteady.includes(figure))
        run.fail(
          `the ${name} grows: ${figure} from ${from.toFixed(1)} to ${to.toFixed(1)}, ${limit.toFixed(1)} more allowed`,
        );
    }
  }
}
