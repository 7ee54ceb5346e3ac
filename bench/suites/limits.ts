// limits: rates set to 1, 10, 50 MB/s, up and down, seen from outside: how even is what the wire carries?

import { figureGoal } from '../report/goals.ts';
import { rowsTable } from '../report/table.ts';
import type { Outcome } from '../run/transfer.ts';
import { Evenness } from './evenness.ts';
import { clientOf, clientsFor, play, playTransfer, type Suite, uncapped } from './suite.ts';

const MEGABYTES_PER_SECOND = [1, 10, 50];
const QUICK_MEGABYTES_PER_SECOND = [10];
/** Room for windows of 10 s. */
const SECONDS = 14;
const PIECE_BYTES = 256 * 1024;
const TIMEOUT_MS = 60_000;
const PROGRAMS = ['shoal', 'libtorrent', 'aria2'];

/** Of the rate, over any 10 s. */
const MOST_ERROR_PERCENT = 2;
/** Of a tenth of a second's worth. */
const MOST_BURST = 1;

export const limits: Suite = {
  title: 'limits of the rate',
  minutes: 30,
  quickSeconds: 40,
  async run(stage) {
    const partner = clientOf(stage, 'libtorrent');
    if (partner === null) return { rows: [], tables: [], goals: [], notes: ['libtorrent, the partner, is not here'] };
    const rates = stage.options.quick ? QUICK_MEGABYTES_PER_SECOND : MEGABYTES_PER_SECOND;
    const kinds = rates.flatMap((rate) => (['up', 'down'] as const).map((way) => ({ rate, way })));
    const programs = clientsFor(stage).filter(({ name }) => PROGRAMS.includes(name));
    const cases = kinds.flatMap(({ rate, way }) =>
      programs.map((client) => ({
        what: caseName(rate, way),
        program: client.name,
        async run(leftMs: number): Promise<Outcome<object>> {
          const bytesPerSecond = rate * 1_000_000;
          const evenness = new Evenness(bytesPerSecond);
          const sizeMib = Math.ceil((bytesPerSecond * SECONDS) / 2 ** 20);
          const meter = (ms: number, bytes: number): void => evenness.add(ms, bytes);
          const shape = { sizeMib, pieceBytes: PIECE_BYTES, timeoutMs: TIMEOUT_MS, meter };
          const seed = way === 'up' ? { client, uploadBytesPerSecond: bytesPerSecond } : uncapped(partner);
          const leech = way === 'up' ? uncapped(partner) : { client, downloadBytesPerSecond: bytesPerSecond };
          const outcome = await playTransfer(stage, shape, [seed], [leech], leftMs);
          return outcome.ok ? { ok: true, figures: evenness.figures(sizeMib * 2 ** 20) } : outcome;
        },
      })),
    );
    const { rows, notes } = await play(stage, cases);
    const columns = [
      { title: 'MB/s', figure: 'megabytesPerSecond' },
      { title: 'worst error over 10 s, %', figure: 'errorPercent' },
      { title: 'largest burst, of 0.1 s worth', figure: 'burst' },
    ];
    const goals = kinds.flatMap(({ rate, way }) => {
      const ours = { what: caseName(rate, way), program: 'shoal' };
      const error = {
        title: `worst error over 10 s, ${ours.what}, %`,
        figure: 'errorPercent',
        atMost: MOST_ERROR_PERCENT,
      };
      const burst = { title: `largest burst, ${ours.what}, of 0.1 s worth`, figure: 'burst', atMost: MOST_BURST };
      return [figureGoal(rows, error, ours), figureGoal(rows, burst, ours)];
    });
    return { rows, notes, goals, tables: [{ title: 'payload on the wire', text: rowsTable(rows, columns) }] };
  },
};

function caseName(rate: number, way: 'up' | 'down'): string {
  return `${rate} MB/s ${way}`;
}
