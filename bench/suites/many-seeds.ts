// many-seeds: each program fetches from 1 to 8 seeds, each with its upload limited: how much of their sum does it reach?

import { bestOf, figureGoal, type Goal, ratioGoal } from '../report/goals.ts';
import { linePlot } from '../report/plot.ts';
import { digits, spread } from '../report/stats.ts';
import { rowsTable } from '../report/table.ts';
import type { Row } from '../run/rounds.ts';
import { RATE, TIMES } from './shape.ts';
import { clientOf, clientsFor, play, playTransfer, type Stage, type Suite, uncapped, withinLimits } from './suite.ts';

const SEED_BYTES_PER_SECOND = 10_000_000;
const MOST = 8;
const SEEDS = [1, 2, 4, MOST];
const QUICK_SEEDS = [MOST];
/** Its seeds send without pauses: what is lost there is lost by the leech. */
const STEADY = `${MOST} seeds of Shoal`;
/** Content for each seed: 6.7 s at its limit, of which two lumps of libtorrent's are a seventh. */
const MIB_A_SEED = 64;
/** Of a transfer long enough that the lump with which it ends weighs little. */
const LONG = `${MOST} seeds, long`;
const LONG_MIB_A_SEED = 256;
const QUICK_MIB_A_SEED = 16;
const PIECE_BYTES = 1 << 20;
const TIMEOUT_MS = 90_000;
/** Not measured unless asked for: the one is libtorrent, the other would need another quarter of an hour. */
const SLOW = ['qbittorrent', 'rtorrent'];

export const manySeeds: Suite = {
  title: 'one leech, many seeds of 10 MB/s each',
  minutes: 25,
  quickSeconds: 30,
  async run(stage) {
    const seed = clientOf(stage, 'libtorrent') ?? stage.clients[0]!;
    const own = clientOf(stage, 'shoal')!;
    const each = mibASeed(stage);
    const cases = counts(stage).map((count) => ({ count, seed, what: ofSeeds(count), each }));
    cases.push({ count: MOST, seed: own, what: STEADY, each });
    if (!stage.options.quick) cases.push({ count: MOST, seed, what: LONG, each: Math.max(each, LONG_MIB_A_SEED) });
    const { rows, notes } = await play(
      stage,
      cases.flatMap(({ count, seed: from, what, each }) =>
        clientsFor(stage, SLOW).map((client) => ({
          what,
          program: client.name,
          run: async (leftMs: number) => {
            const seeds = Array.from({ length: count }, () => ({
              client: from,
              uploadBytesPerSecond: SEED_BYTES_PER_SECOND,
            }));
            const job = shape(stage, count * each);
            const shortest = (job.sizeMib << 20) / (count * SEED_BYTES_PER_SECOND);
            const outcome = withinLimits(await playTransfer(stage, job, seeds, [uncapped(client)], leftMs), shortest);
            if (!outcome.ok) return outcome;
            const share = (outcome.figures.megabytesPerSecond * 1e6) / (count * SEED_BYTES_PER_SECOND);
            return { ok: true as const, figures: { ...outcome.figures, share } };
          },
        })),
      ),
    );
    const columns = [
      RATE,
      { title: 'of the sum', figure: 'share' },
      ...TIMES,
      { title: 'leech CPU s/GiB', figure: 'leechCpuPerGib' },
    ];
    const title = `seeds: ${seed.name}, which sends its allowance in lumps, then ${own.name}, which sends steadily; 10 MB/s each; ${each} MiB for each of them, where long ${LONG_MIB_A_SEED}`;
    return {
      rows,
      notes,
      tables: [{ title, text: rowsTable(rows, columns) }],
      goals: goals(stage, rows),
      conclusions: conclusions(stage, rows),
      plots: [plot(stage, rows)],
    };
  },
};

function counts(stage: Stage): readonly number[] {
  return stage.options.quick ? QUICK_SEEDS : SEEDS;
}

function mibASeed(stage: Stage): number {
  return stage.options.sizeMib ?? (stage.options.quick ? QUICK_MIB_A_SEED : MIB_A_SEED);
}

function shape(stage: Stage, sizeMib: number) {
  return { sizeMib, pieceBytes: stage.options.pieceBytes ?? PIECE_BYTES, timeoutMs: TIMEOUT_MS };
}

function ofSeeds(count: number): string {
  return count === 1 ? '1 seed' : `${count} seeds`;
}

function goals(stage: Stage, rows: readonly Row[]): readonly Goal[] {
  const what = ofSeeds(MOST);
  const ours = { what, program: 'shoal' };
  const steady = { what: STEADY, program: 'shoal' };
  const aim = { title: 'share of the sum of 8 seeds', figure: 'share', atLeast: 0.97 };
  const against = { ...aim, title: 'the same, against the best other', atLeast: 1 };
  const others = clientsFor(stage, SLOW)
    .map(({ name }) => name)
    .filter((name) => name !== 'shoal');
  const best = { what, program: bestOf(rows, against, what, others) };
  const ownAim = { ...aim, title: 'the same, from seeds of Shoal' };
  const longAim = { ...aim, title: `the same, ${LONG_MIB_A_SEED} MiB for each seed` };
  return [
    figureGoal(rows, aim, ours),
    figureGoal(rows, longAim, { what: LONG, program: 'shoal' }),
    figureGoal(rows, ownAim, steady),
    ratioGoal(rows, against, ours, best),
  ];
}

function conclusions(stage: Stage, rows: readonly Row[]): readonly string[] {
  const most = counts(stage).at(-1)!;
  return [...new Set(rows.map(({ program }) => program))].flatMap((name) => {
    const [one, many] = [1, most].map((count) => spread(rows, ofSeeds(count), name, 'megabytesPerSecond')?.median);
    if (many === undefined) return [];
    const share = `${Math.round((many * 1e8) / (most * SEED_BYTES_PER_SECOND))} % of what they may send`;
    const growth = one === undefined ? '' : `, ${digits(many / one)} times the rate from one`;
    return [`${name} fetches from ${most} seeds at ${share}${growth}.`];
  });
}

function plot(stage: Stage, rows: readonly Row[]) {
  const points = counts(stage).flatMap((count) => [
    ...clientsFor(stage, SLOW).map(({ name }) => ({
      series: name,
      x: count,
      value: spread(rows, ofSeeds(count), name, 'megabytesPerSecond'),
    })),
    { series: 'sum of the limits', x: count, value: exactly((count * SEED_BYTES_PER_SECOND) / 1e6) },
  ]);
  return linePlot({
    file: 'many-seeds',
    title: 'Rate of one leech from many seeds of 10 MB/s each',
    x: 'seeds',
    y: 'MB/s',
    reference: 'sum of the limits',
    points,
  });
}

function exactly(value: number) {
  return { median: value, low: value, high: value, count: 1 };
}
