// npm run soak: transfers for a long time, with everybody dying and coming back, or a tracker under hostile load. Exit code 0: all copies
// or answers were right, and nothing grew.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Actor, HOME } from './actor.ts';
import type { Result } from './frame.ts';
import { reportText } from './report.ts';
import type { SoakOptions } from './run.ts';
import { soak } from './soak.ts';
import { soakTracker } from './tracker/soak.ts';

const USAGE = `npm run soak [-- [tracker] [options]]
  tracker       a tracker under hostile load, beside honest clients; default: transfers
  --minutes N   how long (default 30, with tracker 10; shorter than 5 does not judge memory)
  --seed N      what happens when: the number that a run before has printed
  --no-build    dist/ is up to date`;

const PLAYS: Readonly<Record<string, { minutes: number; soak(options: SoakOptions): Promise<Result> }>> = {
  '': { minutes: 30, soak },
  tracker: { minutes: 10, soak: soakTracker },
};

/** The exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      minutes: { type: 'string' },
      seed: { type: 'string' },
      help: { type: 'boolean' },
      'no-build': { type: 'boolean' },
    },
  });
  const [what = '', ...more] = positionals;
  const play = PLAYS[what];
  const minutes = Number(values.minutes ?? play?.minutes);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
  if (values.help || !play || more.length > 0 || !(minutes > 0) || !Number.isSafeInteger(seed)) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  if (process.platform !== 'linux') {
    console.error('the soak reads /proc and gives every peer an address of 127.0.0.0/8: it needs Linux');
    return 1;
  }
  const stopped = stopSignal();
  console.log(`soak${what && ` of a ${what}`}, ${minutes} minutes, seed ${seed}`);
  const result = await play.soak({ minutes, seed, say: (line) => console.log(line), signal: stopped });
  console.log(`\n${reportText(result)}`);
  mkdirSync(join(HOME, 'results'), { recursive: true });
  const file = join('results', `soak-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.json`);
  writeFileSync(join(HOME, file), `${JSON.stringify(result, null, 1)}\n`);
  console.log(`all figures: ${file}`);
  if (stopped.aborted) return 130;
  return result.failures.length === 0 ? 0 : 1;
}

/** Signals that come together are one: `timeout` and npm send theirs to the program and to its whole group. */
const ONE_SIGNAL_MS = 400;

/** The first signal ends the run in order, the second at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  let firstMs = 0;
  process.on('exit', () => Actor.killAllNow());
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) {
        if (performance.now() - firstMs > ONE_SIGNAL_MS) process.exit(130);
        return;
      }
      firstMs = performance.now();
      console.log('stopping; again to end at once');
      stop.abort();
    });
  }
  return stop.signal;
}
