// tracker-store: one tracker whose swarms are in a Redis. How many announces a second it answers, how soon, and what that costs
// both. The tracker has a core; Redis and the generator share the last one.

import { join } from 'node:path';
import { missingPrograms } from '../clients/here.ts';
import { byStep, LEAST, PEERS_PER_TORRENT, StepFigures, torrentsOf, WANTED } from '../load/filled.ts';
import { type Load, OWN } from '../load/generator.ts';
import { type AskedFigures, hasCores, pinGenerator, Stand, standNotes } from '../load/stand.ts';
import { shoal, type TrackerProgram } from '../load/trackers.ts';
import { figureGoal, type Goal } from '../report/goals.ts';
import { rowsTable } from '../report/table.ts';
import { Program } from '../run/program.ts';
import type { Case, Row } from '../run/rounds.ts';
import type { Scene } from '../run/scene.ts';
import type { Outcome } from '../run/transfer.ts';
import { pause } from '../run/wait.ts';
import { play, type Stage, type Suite } from './suite.ts';

const REDIS = 'redis-server';
const NAME = 'shoal, store';
const FILL_SECONDS = 60;
const PER_SECOND = 20_000;
/** A torrent is asked for as often as by the whole load. */
const QUICK_PER_SECOND = 4000;
/** At a set rate nothing waits for a slow reply, were all of half a second slow. */
const SET_WINDOW = 16_384;
const FREE_WINDOW = 128;
/** Copies are then older than those that answer, and none is refreshed any more. */
const OLD_MS = 5000;

const WARM = 'warm-up';
const COLD = 'all copies old at first';
const STEADY = 'at a set rate';
const FREE = 'as fast as it goes';

interface Step {
  readonly isSet: boolean;
  readonly seconds: number;
  /** Before it. */
  readonly restMs: number;
}

/** In this order. While it is filled nobody wants peers: what picks them is compiled in the first second that somebody does. */
const STEPS: Readonly<Record<string, Step>> = {
  [WARM]: { isSet: true, seconds: 3, restMs: 0 },
  [COLD]: { isSet: true, seconds: 2, restMs: OLD_MS },
  [STEADY]: { isSet: true, seconds: 8, restMs: 0 },
  [FREE]: { isSet: false, seconds: 6, restMs: 0 },
};

const COLUMNS = [
  { title: 'announces/s', figure: 'perSecond' },
  { title: 'p50 ms', figure: 'p50Ms' },
  { title: 'p99 ms', figure: 'p99Ms' },
  { title: 'CPU µs each', figure: 'cpuMicroseconds' },
  { title: 'of Redis', figure: 'redisMicroseconds' },
  { title: 'core of the tracker', figure: 'trackerCore' },
  { title: 'of Redis', figure: 'redisCore' },
  { title: 'of the generator', figure: 'core' },
  { title: 'RSS MiB', figure: 'rssMib' },
  { title: 'waited for a core', figure: 'waited' },
];

export const trackerStore: Suite = {
  title: 'a tracker with a store',
  minutes: 5,
  quickSeconds: 60,
  async run(stage) {
    const absent = missingPrograms(REDIS) ?? OWN.missing({ protocol: 'udp' });
    if (absent !== null) return { rows: [], tables: [], goals: [], notes: [`not measured: ${absent}`] };
    const failed: Row[] = [];
    const { rows, notes } = await play(stage, [storeCase(stage, failed)]);
    const split = [...rows.flatMap((row) => byStep(row, Object.keys(STEPS))), ...failed];
    const rate = stage.options.quick ? QUICK_PER_SECOND : PER_SECOND;
    const title = `${torrentsOf(stage.options)} torrents × ${PEERS_PER_TORRENT} peers over UDP, replies of ${WANTED}; set rate ${rate}/s`;
    const few = hasCores(1) ? [] : ['tracker, Redis and generator share a core: only CPU counts'];
    return {
      rows: split,
      tables: [{ title, text: rowsTable(split, COLUMNS) }],
      goals: goals(split),
      notes: [...few, ...standNotes(), ...notes],
    };
  },
};

/** A step that fails goes to `failed`; the others go on. */
function storeCase(stage: Stage, failed: Row[]): Case {
  let round = 0;
  return {
    what: 'filled',
    program: NAME,
    async run() {
      round++;
      const redis = startRedis(stage.scene);
      const fail = (what: string, why: string): void => {
        failed.push({ what, program: NAME, round, figures: null, why });
        stage.tell(failed.at(-1)!);
      };
      try {
        return await measured(stage, redis, fail);
      } finally {
        await redis.program.stop();
      }
    },
  };
}

interface Redis {
  readonly program: Program;
  readonly socket: string;
}

function startRedis(scene: Scene): Redis {
  const home = scene.place.fresh('redis');
  const socket = join(home, 'socket');
  const quiet = ['--port', '0', '--save', '', '--appendonly', 'no', '--dir', home];
  const argv = [...pinGenerator(), REDIS, '--unixsocket', socket, ...quiet];
  return { program: new Program(REDIS, { argv }, home, join(home, 'log')), socket };
}

async function measured(
  stage: Stage,
  redis: Redis,
  fail: (what: string, why: string) => void,
): Promise<Outcome<object>> {
  const tracker: TrackerProgram = {
    name: NAME,
    cores: 1,
    closes: false,
    hasWebSocket: true,
    missing: () => null,
    command: (post) => shoal(post, '--store', `unix://${redis.socket}`),
  };
  const torrents = torrentsOf(stage.options);
  const stand = await Stand.open(stage.scene, tracker, torrents);
  try {
    const filled = await stand.fill(torrents, PEERS_PER_TORRENT, FILL_SECONDS, true);
    if (!filled.ok) return filled;
    const { rssMib: redisMib } = redis.program.usage();
    const figures = new StepFigures();
    for (const [what, { isSet, seconds, restMs }] of Object.entries(STEPS)) {
      await pause(restMs);
      const rate = stage.options.quick ? QUICK_PER_SECOND : PER_SECOND;
      const window = isSet ? SET_WINDOW : FREE_WINDOW;
      const load: Load = {
        ...{ protocol: 'udp', torrents, peersPerTorrent: PEERS_PER_TORRENT, numWant: WANTED, leastPeers: LEAST },
        ...{ seconds, window, perSecond: isSet ? rate : null, closes: false, isFill: false, isSharing: true },
      };
      const outcome = await askBoth(stand, redis.program, load);
      if (!outcome.ok) {
        fail(what, outcome.why);
        continue;
      }
      figures.add(what, outcome.figures);
    }
    return { ok: true, figures: { ...figures.all, redisMib } };
  } finally {
    await stand.program.stop();
  }
}

interface BothFigures extends AskedFigures {
  /** Of Redis: time of a core for one announce, and its share of one. */
  readonly redisMicroseconds: number;
  readonly redisCore: number;
}

async function askBoth(stand: Stand, redis: Program, load: Load): Promise<Outcome<BothFigures>> {
  const before = redis.usage().cpuSeconds;
  const outcome = await stand.ask(OWN, load);
  if (redis.ended) return { ok: false, why: `Redis ended: ${redis.lastWords()}` };
  if (!outcome.ok) return outcome;
  const cpu = redis.usage().cpuSeconds - before;
  const redisMicroseconds = (1e6 * cpu) / outcome.figures.answered;
  return { ok: true, figures: { ...outcome.figures, redisMicroseconds, redisCore: cpu / load.seconds } };
}

function goals(rows: readonly Row[]): readonly Goal[] {
  const of = (what: string, title: string, figure: string, aim: { atLeast?: number; atMost?: number }): Goal =>
    figureGoal(rows, { title: `${title}, ${what}`, figure, ...aim }, { what, program: NAME });
  return [
    of(FREE, 'announces/s', 'perSecond', { atLeast: PER_SECOND }),
    of(STEADY, 'p99 ms', 'p99Ms', { atMost: 10 }),
    of(COLD, 'p99 ms', 'p99Ms', { atMost: 10 }),
  ];
}
