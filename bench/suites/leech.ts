// leech: every program fetches from the same seed, libtorrent or aria2.

import { bestOf, figureGoal, type Goal, ratioGoal } from '../report/goals.ts';
import { barPlot } from '../report/plot.ts';
import { rowsTable } from '../report/table.ts';
import type { Row } from '../run/rounds.ts';
import { LEECH_COSTS, MOST_PRIVATE_MIB, RATE, SEED_COSTS, shapeFor, TIMES } from './shape.ts';
import { clientOf, clientsFor, play, playTransfer, type Stage, type Suite, uncapped } from './suite.ts';

/** Only these are asked to fetch from aria2: it takes long enough. */
const FROM_ARIA2 = ['shoal', 'libtorrent', 'aria2', 'webtorrent'];

export const leech: Suite = {
  title: 'one seed, one leech: the leeches',
  minutes: 30,
  quickSeconds: 30,
  async run(stage) {
    const cases = ['libtorrent', 'aria2'].flatMap((name) => {
      const seed = clientOf(stage, name);
      const leeches = clientsFor(stage).filter((client) => name !== 'aria2' || FROM_ARIA2.includes(client.name));
      if (seed === null) return [];
      return leeches.map((client) => {
        const { label, ...shape } = shapeFor(stage, client, 'leech');
        return {
          what: fromSeed(name),
          program: label,
          run: (leftMs: number) => playTransfer(stage, shape, [uncapped(seed)], [uncapped(client)], leftMs),
        };
      });
    });
    const { rows, notes } = await play(stage, cases);
    const columns = [RATE, ...TIMES, ...LEECH_COSTS, ...SEED_COSTS];
    return {
      rows,
      notes,
      goals: goals(stage, rows),
      tables: [{ title: sizeTitle(stage), text: rowsTable(rows, columns) }],
      plots: [
        barPlot({
          file: 'leech',
          title: 'One seed, one leech: the rate of the leech',
          x: 'MB/s',
          rows,
          figure: 'megabytesPerSecond',
        }),
      ],
    };
  },
};

function sizeTitle(stage: Stage): string {
  const { sizeMib, pieceBytes } = shapeFor(stage, stage.clients[0]!, 'leech');
  return `${sizeMib} MiB in pieces of ${pieceBytes} bytes, v1, no encryption`;
}

function fromSeed(name: string): string {
  return `from ${name}`;
}

function goals(stage: Stage, rows: readonly Row[]): readonly Goal[] {
  const goals: Goal[] = [];
  for (const name of ['libtorrent', 'aria2']) {
    if (clientOf(stage, name) === null) continue;
    const what = fromSeed(name);
    const ours = { what, program: 'shoal' };
    const rate = {
      title: `rate as leech ${what}, against the best of libtorrent and aria2`,
      figure: 'megabytesPerSecond',
      atLeast: 1.1,
    };
    goals.push(ratioGoal(rows, rate, ours, { what, program: bestOf(rows, rate, what, ['libtorrent', 'aria2']) }));
    const cpu = { title: `CPU as leech ${what}`, figure: 'leechCpuPerGib', atMost: 0.9 };
    goals.push(ratioGoal(rows, cpu, ours, { what, program: 'libtorrent' }));
    const memory = { title: `private MiB as leech ${what}`, figure: 'leechPrivateMib', atMost: MOST_PRIVATE_MIB };
    goals.push(figureGoal(rows, memory, ours));
  }
  return goals;
}
