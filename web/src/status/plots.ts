// What is drawn of the last hour: which columns, as what.

import { formatBytes, formatCount, formatPerSecond } from '../text.ts';
import type { HistoryColumn, StatsHistory } from '../tracker-api.ts';

export interface PlotPlan {
  readonly title: string;
  readonly series: readonly { readonly name: string; readonly column: HistoryColumn }[];
  readonly format: (value: number) => string;
}

const milliseconds = (value: number): string => `${value.toPrecision(3)} ms`;
const bytesPerSecond = (value: number): string => `${formatBytes(value)}/s`;

export const PLOTS: readonly PlotPlan[] = [
  {
    title: 'Announces per second',
    series: [
      { name: 'HTTP', column: 'announcesHttp' },
      { name: 'UDP', column: 'announcesUdp' },
      { name: 'WebSocket', column: 'announcesWs' },
    ],
    format: formatPerSecond,
  },
  {
    title: 'Peers',
    series: [
      { name: 'Peers', column: 'peers' },
      { name: 'Seeds', column: 'seeds' },
      { name: 'Torrents', column: 'torrents' },
    ],
    format: formatCount,
  },
  {
    title: 'Scrapes and errors per second',
    series: [
      { name: 'Scrapes', column: 'scrapes' },
      { name: 'Errors', column: 'errors' },
    ],
    format: formatPerSecond,
  },
  {
    title: 'Traffic',
    series: [
      { name: 'In', column: 'bytesIn' },
      { name: 'Out', column: 'bytesOut' },
    ],
    format: bytesPerSecond,
  },
  { title: 'Event-loop delay', series: [{ name: '99th percentile', column: 'loopDelayMs' }], format: milliseconds },
  { title: 'Memory', series: [{ name: 'Process', column: 'rssBytes' }], format: formatBytes },
];

/** A plan with what was measured: a list for each series, as long as each other; null: not measured then. */
export interface PlotData {
  readonly stepS: number;
  /** Of the last value, since 1970. */
  readonly endMs: number;
  readonly length: number;
  readonly lists: readonly (readonly (number | null)[])[];
  /** Top of the scale, which begins at zero: 1, 2 or 5 times a power of ten. */
  readonly top: number;
}

/** Columns of counts are rates already: per second, averaged over their step. */
export function plotData(history: StatsHistory, plan: PlotPlan): PlotData {
  const { stepS, endMs, columns } = history;
  const found = plan.series.map(({ column }) => columns[column] ?? []);
  const length = Math.max(0, ...found.map((list) => list.length));
  // A column may be shorter: all end together.
  const lists = found.map((list) => Array.from({ length }, (_, i) => list[i - (length - list.length)] ?? null));
  const highest = lists.flat().reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  return { stepS, endMs, length, lists, top: niceTop(highest) };
}

/** At least 1: where nothing happens there is still a scale. */
function niceTop(highest: number): number {
  let top = 1;
  for (let i = 1; top < highest; i++) top *= i % 3 === 2 ? 2.5 : 2;
  return top;
}

/** An SVG path through a box of `width` and `height`; it is broken where nothing was measured. */
export function pathOf(list: readonly (number | null)[], top: number, width: number, height: number): string {
  const step = width / Math.max(1, list.length - 1);
  let path = '';
  let isDrawing = false;
  list.forEach((value, i) => {
    if (value !== null) {
      path += `${isDrawing ? 'L' : 'M'}${(i * step).toFixed(1)} ${(height - (height * value) / top).toFixed(1)}`;
    }
    isDrawing = value !== null;
  });
  return path;
}

/** For those who do not see it: `HTTP now 12, at most 40`. */
export function summaryOf(plan: PlotPlan, { lists }: PlotData): string {
  const said = plan.series.map(({ name }, i) => {
    const values = lists[i]!.filter((value) => value !== null);
    const last = values.at(-1);
    if (last === undefined) return `${name}: nothing yet`;
    return `${name} now ${plan.format(last)}, at most ${plan.format(values.reduce((a, b) => Math.max(a, b), 0))}`;
  });
  return `${plan.title}, last hour. ${said.join('; ')}`;
}
