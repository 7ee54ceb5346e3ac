// tracker-turns: two trackers that are filled and there at the same time, on one core, asked for a moment each in turns. What else
// the machine has to do meets both alike, which it does not where one is measured minutes after the other.

import { LEAST, PEERS_PER_TORRENT, torrentsOf, WANTED } from '../load/filled.ts';
import { type Load, OWN, PATIENT_SECONDS } from '../load/generator.ts';
import { Stand, standNotes } from '../load/stand.ts';
import { NPM_NO_STATS, OPENTRACKER, TRACKERS, type TrackerProgram } from '../load/trackers.ts';
import { ratioGoal } from '../report/goals.ts';
import { rowsTable } from '../report/table.ts';
import type { Case, RoundsResult } from '../run/rounds.ts';
import { play, type Stage, type Suite } from './suite.ts';

/** For each round that was asked for. */
const TURNS = 4;
/** One of the trackers fills at 4,000 a second. */
const FILL_SECONDS = 240;

interface Step {
  readonly load: Pick<Load, 'protocol' | 'closes' | 'window' | 'seconds' | 'patienceSeconds'>;
  /** Shoal's announces a second over the other's. */
  readonly atLeast: number;
}

/** Beside whom Shoal is asked, and for what. */
const PAIRS: Readonly<Record<string, Readonly<Record<string, Step>>>> = {
  [OPENTRACKER]: {
    UDP: { load: { protocol: 'udp', closes: false, window: 128, seconds: 1 }, atLeast: 0.8 },
    'HTTP, a connection each': { load: { protocol: 'http', closes: true, window: 64, seconds: 1 }, atLeast: 0.6 },
  },
  [NPM_NO_STATS]: {
    'HTTP, kept connections': {
      load: { protocol: 'http', closes: false, window: 64, seconds: 4, patienceSeconds: PATIENT_SECONDS },
      atLeast: 8,
    },
  },
};

const COLUMNS = [
  { title: 'announces/s', figure: 'perSecond' },
  { title: 'CPU µs each', figure: 'cpuMicroseconds' },
  { title: 'p50 ms', figure: 'p50Ms' },
  { title: 'p99 ms', figure: 'p99Ms' },
  { title: 'of the generator', figure: 'core' },
];

export const trackerTurns: Suite = {
  title: 'two trackers in turns',
  minutes: 15,
  quickSeconds: 60,
  async run(stage) {
    const shoal = TRACKERS[0]!;
    const others = TRACKERS.filter(({ name }) => name in PAIRS && stage.isWanted(name));
    const here = others.filter(({ missing }) => missing() === null);
    const played: RoundsResult[] = [];
    for (const other of here) played.push(await playPair(stage, [shoal, other], PAIRS[other.name]!));
    const rows = played.flatMap((one) => one.rows);
    const missing = others.filter((one) => !here.includes(one)).map((one) => `${one.name}: ${one.missing()}`);
    const title = `${torrentsOf(stage.options)} torrents × ${PEERS_PER_TORRENT} peers, replies of ${WANTED}, in turns; one core for both trackers, one for the generator`;
    return {
      rows,
      tables: [{ title, text: rowsTable(rows, COLUMNS) }],
      goals: here.flatMap(({ name }) =>
        Object.entries(PAIRS[name]!).map(([what, { atLeast }]) => {
          const aim = { title: `announces over ${what}`, figure: 'perSecond', atLeast };
          return ratioGoal(rows, aim, { what, program: shoal.name }, { what, program: name });
        }),
      ),
      notes: [...missing, ...standNotes(), ...played.flatMap(({ notes }) => notes)],
    };
  },
};

async function playPair(
  stage: Stage,
  pair: readonly TrackerProgram[],
  steps: Readonly<Record<string, Step>>,
): Promise<RoundsResult> {
  const torrents = torrentsOf(stage.options);
  const stands: Stand[] = [];
  try {
    const cases: Case[] = [];
    for (const program of pair) {
      const stand = await Stand.open(stage.scene, program, torrents, stands.length);
      stands.push(stand);
      const filled = await stand.fill(torrents, PEERS_PER_TORRENT, FILL_SECONDS);
      if (!filled.ok) throw new Error(`${program.name}: ${filled.why}`);
      for (const [what, { load }] of Object.entries(steps)) cases.push(caseOf(what, load, program, stand, torrents));
    }
    // All are asked the same before the next is asked.
    const order = Object.keys(steps).flatMap((step) => cases.filter(({ what }) => what === step));
    return await play(stage, order, stage.options.rounds * TURNS);
  } finally {
    for (const stand of stands) await stand.program.stop();
  }
}

function caseOf(
  what: string,
  load: Step['load'],
  { name, closes }: TrackerProgram,
  stand: Stand,
  torrents: number,
): Case {
  const shape = { torrents, peersPerTorrent: PEERS_PER_TORRENT, numWant: WANTED, leastPeers: LEAST };
  const whole: Load = { ...shape, perSecond: null, isFill: false, ...load, closes: load.closes || closes };
  return { what, program: name, run: () => stand.ask(OWN, whole) };
}
