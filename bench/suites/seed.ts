// seed: every program serves the same leech, libtorrent.

import { figureGoal, ratioGoal } from '../report/goals.ts';
import { barPlot } from '../report/plot.ts';
import { rowsTable } from '../report/table.ts';
import { LEECH_COSTS, MOST_PRIVATE_MIB, RATE, SEED_COSTS, shapeFor, TIMES } from './shape.ts';
import { clientOf, clientsFor, play, playTransfer, type Suite, uncapped } from './suite.ts';

const WHAT = 'to libtorrent';

export const seed: Suite = {
  title: 'one seed, one leech: the seeds',
  minutes: 20,
  quickSeconds: 25,
  async run(stage) {
    const leech = clientOf(stage, 'libtorrent');
    if (leech === null)
      return { rows: [], tables: [], goals: [], notes: ['libtorrent, the leech of this suite, is not here'] };
    const cases = clientsFor(stage).map((client) => {
      const { label, ...shape } = shapeFor(stage, client, 'seed');
      return {
        what: WHAT,
        program: label,
        run: (leftMs: number) => playTransfer(stage, shape, [uncapped(client)], [uncapped(leech)], leftMs),
      };
    });
    const { rows, notes } = await play(stage, cases);
    const { sizeMib, pieceBytes } = shapeFor(stage, stage.clients[0]!, 'seed');
    const title = `${sizeMib} MiB in pieces of ${pieceBytes} bytes, v1, no encryption`;
    const ours = { what: WHAT, program: 'shoal' };
    const libtorrent = { what: WHAT, program: 'libtorrent' };
    const aria2 = { what: WHAT, program: 'aria2' };
    const rate = { title: 'rate as seed', figure: 'megabytesPerSecond' };
    const memory = { title: 'private MiB as seed', figure: 'seedPrivateMib', atMost: MOST_PRIVATE_MIB };
    return {
      rows,
      notes,
      tables: [{ title, text: rowsTable(rows, [RATE, ...TIMES, ...SEED_COSTS, ...LEECH_COSTS]) }],
      plots: [
        barPlot({
          file: 'seed',
          title: 'One seed, one leech: the rate of the seed',
          x: 'MB/s',
          rows,
          figure: 'megabytesPerSecond',
        }),
      ],
      goals: [
        ratioGoal(rows, { ...rate, atLeast: 1.1 }, ours, libtorrent),
        ratioGoal(rows, { ...rate, atLeast: 0.95 }, ours, aria2),
        ratioGoal(rows, { title: 'CPU as seed', figure: 'seedCpuPerGib', atMost: 0.5 }, ours, libtorrent),
        figureGoal(rows, memory, ours),
      ],
    };
  },
};
