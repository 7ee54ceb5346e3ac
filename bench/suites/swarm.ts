// swarm: one seed and 2, 5, 10 leeches, every process with the same upload limit, until the last leech has everything;
// beside the shortest time that any protocol could do it in.

import type { Client } from '../clients/client.ts';
import { bestOf, figureGoal, type Goal, ratioGoal } from '../report/goals.ts';
import { linePlot, type Plot } from '../report/plot.ts';
import { digits, spread } from '../report/stats.ts';
import { rowsTable } from '../report/table.ts';
import type { Row } from '../run/rounds.ts';
import { clientOf, clientsFor, play, playTransfer, type Stage, type Suite, withinLimits } from './suite.ts';

const BYTES_PER_SECOND = 8_000_000;
const LEECHES = [2, 5, 10];
const QUICK_LEECHES = [5];
const SIZE_MIB = 128;
const QUICK_SIZE_MIB = 16;
const PIECE_BYTES = 1 << 20;
/** So many times the shortest possible time; what is not done by then is told as that. */
const PATIENCE = 6;
/** Small content: its programs take time to start. */
const LEAST_TIMEOUT_MS = 20_000;
/** Not measured unless asked for: the one is libtorrent, the other would need another hour. */
const SLOW = ['qbittorrent', 'rtorrent'];

const FAMILIES = [
  { seed: null, title: 'each program is its own seed', file: 'swarm-own-seed' },
  { seed: 'libtorrent', title: 'libtorrent is the seed of all', file: 'swarm-libtorrent-seed' },
] as const;
type Family = (typeof FAMILIES)[number];

export const swarm: Suite = {
  title: 'one seed, many leeches, each process 8 MB/s up',
  minutes: 100,
  quickSeconds: 60,
  async run(stage) {
    const { rows, notes } = await play(stage, cases(stage));
    const columns = [
      { title: 's until the last has it', figure: 'seconds' },
      { title: 'T_min / T_last', figure: 'efficiency' },
      { title: 's with start-up', figure: 'wallSeconds' },
      { title: 'CPU s, leeches', figure: 'leechCpuSeconds' },
      { title: 'CPU s, seed', figure: 'seedCpuSeconds' },
      { title: 'private MiB, most of any leech', figure: 'leechPrivateMib' },
    ];
    const { sizeMib, pieceBytes } = shape(stage);
    const bounds = counts(stage).map((count) => `${digits(shortestSeconds(sizeMib, count))} s with ${count} leeches`);
    return {
      rows,
      notes: [
        `T_min = max(F/u_s, F/d_min, N·F/(u_s + Σu_i)): ${bounds.join(', ')}; downloads are not limited`,
        ...notes,
      ],
      tables: families(stage).map((family) => ({
        title: `${sizeMib} MiB in pieces of ${pieceBytes} bytes; ${family.title}`,
        text: rowsTable(
          rows.filter((row) => row.what.startsWith(family.title)),
          columns,
        ),
      })),
      goals: goals(stage, rows),
      conclusions: conclusions(stage, rows),
      plots: families(stage).map((family) => plot(stage, family, rows)),
    };
  },
};

/** `F/d_min` is 0: nobody's download is limited. */
function shortestSeconds(sizeMib: number, leeches: number): number {
  const bytes = sizeMib << 20;
  return Math.max(bytes / BYTES_PER_SECOND, (leeches * bytes) / (BYTES_PER_SECOND * (1 + leeches)));
}

function cases(stage: Stage) {
  return families(stage).flatMap((family) =>
    counts(stage).flatMap((count) => clientsFor(stage, SLOW).map((client) => oneCase(stage, family, count, client))),
  );
}

function oneCase(stage: Stage, family: Family, count: number, client: Client) {
  const seed = family.seed === null ? client : clientOf(stage, family.seed)!;
  const limited = (one: Client) => ({ client: one, uploadBytesPerSecond: BYTES_PER_SECOND });
  const bound = shortestSeconds(shape(stage).sizeMib, count);
  const job = { ...shape(stage), timeoutMs: Math.max(LEAST_TIMEOUT_MS, PATIENCE * bound * 1000) };
  return {
    what: caseName(family, count),
    program: client.name,
    async run(leftMs: number) {
      const leeches = Array.from({ length: count }, () => limited(client));
      const outcome = withinLimits(await playTransfer(stage, job, [limited(seed)], leeches, leftMs), bound);
      if (!outcome.ok) return outcome;
      return { ok: true as const, figures: { ...outcome.figures, efficiency: bound / outcome.figures.seconds } };
    },
  };
}

function families(stage: Stage): readonly Family[] {
  return FAMILIES.filter(({ seed }) => seed === null || clientOf(stage, seed) !== null);
}

function counts(stage: Stage): readonly number[] {
  const { leeches, quick } = stage.options;
  if (leeches !== null) return [leeches];
  return quick ? QUICK_LEECHES : LEECHES;
}

function shape(stage: Stage) {
  const { options } = stage;
  const sizeMib = options.sizeMib ?? (options.quick ? QUICK_SIZE_MIB : SIZE_MIB);
  return { sizeMib, pieceBytes: options.pieceBytes ?? PIECE_BYTES };
}

function caseName(family: Family, count: number): string {
  return `${family.title}, ${count} leeches`;
}

function goals(stage: Stage, rows: readonly Row[]): readonly Goal[] {
  const others = clientsFor(stage, SLOW)
    .map(({ name }) => name)
    .filter((name) => name !== 'shoal');
  return families(stage).flatMap((family) =>
    counts(stage).flatMap((count) => {
      const what = caseName(family, count);
      const ours = { what, program: 'shoal' };
      const aim = { title: `T_min / T_last, ${what}, against the best other`, figure: 'efficiency', atLeast: 1 };
      const against = ratioGoal(rows, aim, ours, { what, program: bestOf(rows, aim, what, others) });
      const limit = family.seed === null ? { 2: 0.9, 10: 0.85 }[count] : undefined;
      if (limit === undefined) return [against];
      return [
        figureGoal(rows, { title: `T_min / T_last, ${what}`, figure: 'efficiency', atLeast: limit }, ours),
        against,
      ];
    }),
  );
}

function conclusions(stage: Stage, rows: readonly Row[]): readonly string[] {
  const [fewest, most] = [counts(stage)[0]!, counts(stage).at(-1)!];
  const bound = shortestSeconds(shape(stage).sizeMib, most);
  return families(stage).flatMap((family) => {
    const ofMost = rows.filter(({ what }) => what === caseName(family, most));
    const at = (program: string, count: number): number | null =>
      spread(rows, caseName(family, count), program, 'seconds')?.median ?? null;
    const sentences = [...new Set(ofMost.map(({ program }) => program))].map((name) => {
      const [few, many] = [at(name, fewest), at(name, most)];
      if (many === null) return `${name} was never done with ${most} leeches.`;
      const growth = `; ${most} leeches take ${digits(many / (few ?? many))} times as long as ${fewest}`;
      const beside = `${name} serves ${most} leeches in ${digits(many)} s, ${digits(many / bound)} times the shortest possible time`;
      return `${beside}${few === null || fewest === most ? '' : growth}.`;
    });
    return sentences.length === 0 ? [] : [`When ${family.title}:`, ...sentences];
  });
}

function plot(stage: Stage, family: Family, rows: readonly Row[]): Plot {
  const { sizeMib } = shape(stage);
  const points = counts(stage).flatMap((count) => {
    const bound = shortestSeconds(sizeMib, count);
    return [
      ...clientsFor(stage, SLOW).map(({ name }) => ({
        series: name,
        x: count,
        value: spread(rows, caseName(family, count), name, 'seconds'),
      })),
      { series: 'shortest possible', x: count, value: { median: bound, low: bound, high: bound, count: 1 } },
    ];
  });
  return linePlot({
    file: family.file,
    title: `${sizeMib} MiB to N leeches, 8 MB/s up each: ${family.title}`,
    x: 'leeches',
    y: 'seconds until the last has it',
    reference: 'shortest possible',
    points,
  });
}
