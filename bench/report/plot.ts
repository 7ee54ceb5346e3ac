// Pictures of medians with their spread, as SVG.

import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Row } from '../run/rounds.ts';
import { type Figure, type Spread, spread } from './stats.ts';

export interface Plot {
  /** Its name without ending. */
  readonly file: string;
  readonly spec: TopLevelSpec;
}

export interface Lines {
  readonly file: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** The series that is a bound, drawn as a dashed line. */
  readonly reference: string;
  readonly points: readonly { readonly series: string; readonly x: number; readonly value: Spread | null }[];
}

/** Shoal has the same colour everywhere, and the strongest. */
const COLOURS: Readonly<Record<string, string>> = {
  shoal: '#d6336c',
  libtorrent: '#1c7ed6',
  aria2: '#2f9e44',
  transmission: '#e8590c',
  webtorrent: '#7048e8',
  qbittorrent: '#0b7285',
  rtorrent: '#868e96',
};
const REFERENCE_COLOUR = '#495057';
const OTHER_COLOUR = '#adb5bd';

const LOOK = {
  background: 'white',
  font: 'system-ui, sans-serif',
  axis: { gridColor: '#e9ecef', labelFontSize: 12, titleFontSize: 12 },
  legend: { labelFontSize: 12, labelLimit: 300 },
  title: { fontSize: 14, anchor: 'start' },
} as const;

/** A line a series over a number of peers; bars show the lowest and the highest run. */
export function linePlot({ file, title, x, y, reference, points }: Lines): Plot {
  const values = points.flatMap(({ series, x: at, value }) =>
    value === null ? [] : [{ series, x: at, y: value.median, low: value.low, high: value.high }],
  );
  const series = [...new Set(values.map((point) => point.series))];
  const colour = {
    field: 'series',
    type: 'nominal',
    title: null,
    scale: {
      domain: series,
      range: series.map((name) => (name === reference ? REFERENCE_COLOUR : (COLOURS[name] ?? OTHER_COLOUR))),
    },
  } as const;
  const across = {
    field: 'x',
    type: 'quantitative' as const,
    title: x,
    axis: { values: [...new Set(values.map((point) => point.x))], format: 'd' },
  };
  const spec: TopLevelSpec = {
    title,
    width: 480,
    height: 320,
    padding: 12,
    data: { values },
    config: LOOK,
    layer: [
      {
        mark: { type: 'line', point: { size: 60 }, strokeWidth: 2.5 },
        encoding: {
          x: across,
          y: { field: 'y', type: 'quantitative', title: y, scale: { zero: true } },
          color: colour,
          strokeDash: { condition: { test: `datum.series === '${reference}'`, value: [5, 4] }, value: [1, 0] },
        },
      },
      {
        mark: { type: 'rule', strokeWidth: 1.5, opacity: 0.7 },
        encoding: { x: across, y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' }, color: colour },
      },
    ],
  };
  return { file, spec };
}

/** A bar a case and program, in the order of the rows. */
export function barPlot(job: {
  readonly file: string;
  readonly title: string;
  readonly x: string;
  readonly rows: readonly Row[];
  readonly figure: Figure;
}): Plot {
  const values = new Map<string, object>();
  for (const { what, program } of job.rows) {
    const value = spread(job.rows, what, program, job.figure);
    if (value === null) continue;
    const name = `${program}, ${what}`;
    const colour = Object.entries(COLOURS).find(([series]) => program.startsWith(series))?.[1] ?? OTHER_COLOUR;
    values.set(name, { name, colour, median: value.median, low: value.low, high: value.high });
  }
  const down = {
    field: 'name',
    type: 'nominal' as const,
    title: null,
    sort: [...values.keys()],
    axis: { labelLimit: 400 },
  };
  const spec: TopLevelSpec = {
    title: job.title,
    width: 480,
    height: { step: 22 },
    padding: 12,
    data: { values: [...values.values()] },
    config: LOOK,
    layer: [
      {
        mark: 'bar',
        encoding: {
          y: down,
          x: { field: 'median', type: 'quantitative', title: job.x },
          color: { field: 'colour', type: 'nominal', legend: null, scale: null },
        },
      },
      { mark: 'rule', encoding: { y: down, x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' } } },
    ],
  };
  return { file: job.file, spec };
}

export async function toSvg(plot: Plot): Promise<string> {
  const view = new View(parse(compile(plot.spec).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
