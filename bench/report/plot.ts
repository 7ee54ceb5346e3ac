// Pictures of medians with their spread, as SVG.

import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Spread } from './stats.ts';

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

const LOOK = {
  background: 'white',
  font: 'system-ui, sans-serif',
  axis: { gridColor: '#e9ecef', labelFontSize: 12, titleFontSize: 12 },
  legend: { labelFontSize: 12 },
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
      range: series.map((name) => (name === reference ? REFERENCE_COLOUR : (COLOURS[name] ?? '#adb5bd'))),
    },
  } as const;
  const across = {
    field: 'x',
    type: 'quantitative' as const,
    title: x,
    axis: { values: [...new Set(values.map((point) => point.x))] },
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

/** Bars side by side, grouped by what was asked. */
export function barPlot(job: {
  readonly file: string;
  readonly title: string;
  readonly y: string;
  readonly bars: readonly { readonly group: string; readonly series: string; readonly value: Spread | null }[];
}): Plot {
  const values = job.bars.flatMap(({ group, series, value }) =>
    value === null ? [] : [{ group, series, y: value.median, low: value.low, high: value.high }],
  );
  const order = [...new Set(values.map(({ series }) => series))];
  const colourOf = (series: string): string =>
    Object.entries(COLOURS).find(([name]) => series.startsWith(name))?.[1] ?? '#adb5bd';
  const down = { field: 'series', type: 'nominal', title: null, sort: order } as const;
  const spec: TopLevelSpec = {
    title: job.title,
    width: 480,
    padding: 12,
    data: { values },
    config: LOOK,
    encoding: { y: down, row: { field: 'group', title: null, sort: [...new Set(values.map(({ group }) => group))] } },
    layer: [
      {
        mark: 'bar',
        encoding: {
          x: { field: 'y', type: 'quantitative', title: job.y },
          color: {
            field: 'series',
            type: 'nominal',
            legend: null,
            scale: { domain: order, range: order.map(colourOf) },
          },
        },
      },
      { mark: 'rule', encoding: { x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' } } },
    ],
  } as TopLevelSpec;
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
