// pair: Shoal to Shoal against libtorrent to libtorrent, and against the fastest mixed pair.

import { ratioGoal } from '../report/goals.ts';
import { barPlot } from '../report/plot.ts';
import { rowsTable } from '../report/table.ts';
import { LEECH_COSTS, pairShape, RATE, SEED_COSTS, showSize, TIMES } from './shape.ts';
import { clientOf, play, playTransfer, type Stage, type Suite, uncapped } from './suite.ts';

const OURS = 'shoal → shoal';
const THEIRS = 'libtorrent → libtorrent';
const MIXED = 'aria2 → libtorrent';
const PIECES = [1 << 20, 256 << 10, 4 << 20];

export const pair: Suite = {
  title: 'one seed, one leech: pairs',
  minutes: 40,
  quickSeconds: 25,
  async run(stage) {
    const cases = variants(stage).flatMap(({ what, pieceBytes, meta }) =>
      [OURS, THEIRS, MIXED].flatMap((program) => {
        const [from, to] = program.split(' → ').map((name) => clientOf(stage, name));
        if (!from || !to || (meta === 'v2' && !(from.v2 && to.v2))) return [];
        const shape = pairShape(stage, pieceBytes, meta);
        const run = (leftMs: number) => playTransfer(stage, shape, [uncapped(from)], [uncapped(to)], leftMs);
        return [{ what, program, run }];
      }),
    );
    const { rows, notes } = await play(stage, cases);
    const figure = 'megabytesPerSecond';
    const goals = variants(stage).flatMap(({ what, meta }) => {
      const ours = { what, program: OURS };
      const one = ratioGoal(rows, { title: `rate, ${what}`, figure, atLeast: 1.5 }, ours, { what, program: THEIRS });
      const aim = { title: `rate, ${what}, against the fastest mixed pair`, figure, atLeast: 1.1 };
      return meta === 'v2' ? [one] : [one, ratioGoal(rows, aim, ours, { what, program: MIXED })];
    });
    const title = `${pairShape(stage).sizeMib} MiB, no encryption`;
    return {
      rows,
      notes,
      goals,
      tables: [{ title, text: rowsTable(rows, [RATE, ...TIMES, ...LEECH_COSTS, ...SEED_COSTS]) }],
      plots: [
        barPlot({
          file: 'pair',
          title: 'One seed, one leech: the rate of pairs',
          x: 'MB/s',
          rows,
          figure: 'megabytesPerSecond',
        }),
      ],
    };
  },
};

interface Variant {
  readonly what: string;
  readonly pieceBytes: number;
  readonly meta: 'v1' | 'v2';
}

function variants(stage: Stage): readonly Variant[] {
  const { options } = stage;
  const pieces = options.pieceBytes === null ? (options.quick ? PIECES.slice(0, 1) : PIECES) : [options.pieceBytes];
  const metas = ['v1', 'v2'] as const;
  return metas.flatMap((meta) =>
    pieces.map((pieceBytes) => ({ what: `${meta}, pieces of ${showSize(pieceBytes)}`, pieceBytes, meta })),
  );
}
