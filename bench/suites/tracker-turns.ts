// tracker-turns: two trackers that are filled and there at the same time, on one core, asked second by second in turns. What else
// the machine has to do meets both alike, which it does not where one is measured minutes after the other.

import { LEAST, PEERS_PER_TORRENT, torrentsOf, WANTED } from '../load/filled.ts';
import { type Load, OWN } from '../load/generator.ts';
import { Stand, standNotes } from '../load/stand.ts';
import { OPENTRACKER, TRACKERS, type TrackerProgram } from '../load/trackers.ts';
import { type Aim, ratioGoal } from '../report/goals.ts';
import { rowsTable } from '../report/table.ts';
import type { Case } from '../run/rounds.ts';
import { play, type Suite } from './suite.ts';

const PROGRAMS = ['shoal', OPENTRACKER];
/** For each round that was asked for. */
const TURNS = 4;
const TURN_SECONDS = 1;
const FILL_SECONDS = 120;
const UDP = 'UDP';
const EACH = 'HTTP, a connection each';

const STEPS: Readonly<Record<string, Pick<Load, 'protocol' | 'closes' | 'window'>>> = {
  [UDP]: { protocol: 'udp', closes: false, window: 128 },
  [EACH]: { protocol: 'http', closes: true, window: 64 },
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
  minutes: 10,
  quickSeconds: 30,
  async run(stage) {
    const torrents = torrentsOf(stage.options);
    const here = TRACKERS.filter(({ name, missing }) => PROGRAMS.includes(name) && missing() === null);
    const stands: Stand[] = [];
    try {
      const cases: Case[] = [];
      for (const program of here) {
        const stand = await Stand.open(stage.scene, program, torrents, stands.length);
        stands.push(stand);
        const filled = await stand.fill(torrents, PEERS_PER_TORRENT, FILL_SECONDS);
        if (!filled.ok) throw new Error(`${program.name}: ${filled.why}`);
        cases.push(...turnsOf(program, stand, torrents));
      }
      // All are asked the same before the next is asked.
      const order = Object.keys(STEPS).flatMap((step) => cases.filter(({ what }) => what === step));
      const { rows, notes } = await play(stage, order, stage.options.rounds * TURNS);
      const title = `${torrents} torrents × ${PEERS_PER_TORRENT} peers, replies of ${WANTED}, in turns of ${TURN_SECONDS} s; one core for the trackers, one for the generator`;
      const ratio = (aim: Omit<Aim, 'figure'>, what: string) =>
        ratioGoal(rows, { ...aim, figure: 'perSecond' }, { what, program: 'shoal' }, { what, program: OPENTRACKER });
      return {
        rows,
        tables: [{ title, text: rowsTable(rows, COLUMNS) }],
        goals: [
          ratio({ title: 'announces over UDP', atLeast: 0.8 }, UDP),
          ratio({ title: 'announces over HTTP, a connection each', atLeast: 0.6 }, EACH),
        ],
        notes: [...standNotes(), ...notes],
      };
    } finally {
      for (const stand of stands) await stand.program.stop();
    }
  },
};

function turnsOf({ name, closes }: TrackerProgram, stand: Stand, torrents: number): Case[] {
  const shape = { torrents, peersPerTorrent: PEERS_PER_TORRENT, numWant: WANTED, leastPeers: LEAST };
  const rest = { seconds: TURN_SECONDS, perSecond: null, isFill: false };
  return Object.entries(STEPS).map(([what, step]) => ({
    what,
    program: name,
    run: () => stand.ask(OWN, { ...shape, ...rest, ...step, closes: step.closes || closes }),
  }));
}
