// The soak of transfers: who takes part, and what must have happened.

import type { Actor } from './actor.ts';
import { type Content, makeContents } from './content.ts';
import { foreignLeech, foreignPrograms } from './foreign.ts';
import { playSoak, type Result, type Watching } from './frame.ts';
import { caller, liar } from './hostile.ts';
import { leechAgainAndAgain } from './leech.ts';
import { startLibrary } from './library.ts';
import type { Counts, Run, SoakOptions } from './run.ts';
import { dyingTracker, freePort, passingSeed, startSeed, startTracker } from './stay.ts';

/** Leeches of ours at a time, besides those of other programs. */
const LEECHES = 4;

export function soak(options: SoakOptions): Promise<Result> {
  const { here, skipped } = foreignPrograms();
  return playSoak(options, {
    what: '',
    skipped,
    begin: (run, long) => begin(run, long, here),
    unsteady: [],
    progress,
    demand: (run, _watched, judged) => demand(run, judged, here),
    waits: () => [],
  });
}

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

function progress({ counts }: Run): string {
  const copies = copiesOf(counts);
  const kills = (counts['leeches killed'] ?? 0) + (counts['trackers killed'] ?? 0) + (counts['seeds gone'] ?? 0);
  const mib = ((counts.bytes ?? 0) / 2 ** 20).toFixed(0);
  return `${copies} copies, ${mib} MiB compared, ${kills} ends before time`;
}

function copiesOf(counts: Counts): number {
  const names = Object.keys(counts).filter((name) => /^copies (v1|v2|hybrid|by (?!magnet))/.test(name));
  return names.reduce((sum, name) => sum + counts[name]!, 0);
}

function demand(run: Run, judged: boolean, foreign: readonly { readonly name: string }[]): void {
  const must: string[] = ['copies by the library', 'leeches killed', 'hostile calls', 'trackers killed', 'seeds gone'];
  const metas: readonly Content['meta'][] = ['v1', 'v2', 'hybrid'];
  if (judged)
    must.push(...metas.map((meta) => `copies ${meta}`), 'copies by magnet link', 'copies resumed', 'bad blocks sent');
  // A short run may be over before the first copy, but not after it was given up.
  const asked = foreign.filter(({ name }) => judged || run.counts[`${name} gave up`]);
  must.push(...asked.map(({ name }) => `copies by ${name}`));
  for (const name of must) if (!run.counts[name]) run.fail(`nothing of this happened: ${name}`);
}
