// What is drawn of the last hour: which columns, as what.

import { formatBytes, formatCount, formatPerSecond } from '../text.ts';
import type { HistoryColumn, TrackerHistory } from '../tracker-api.ts';

export interface PlotPlan {
  readonly title: string;
  readonly series: readonly { readonly name: string; readonly column: HistoryColumn }[];
  readonly format: (value: number) => string;
  /** Top of the scale at least: where nothing happens there is still one. A power of ten. */
  readonly least: number;
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
    least: 1,
  },
  {
    title: 'Peers',
    series: [
      { name: 'Peers', column: 'peers' },
      { name: 'Seeds', column: 'seeds' },
      { name: 'Torrents', column: 'torrents' },
    ],
    format: formatCount,
    least: 10,
  },
  {
    title: 'Scrapes and errors per second',
    series: [
      { name: 'Scrapes', column: 'scrapes' },
      { name: 'Errors', column: 'errors' },
    ],
    format: formatPerSecond,
    least: 1,
  },
  {
    title: 'Traffic',
    series: [
      { name: 'In', column: 'bytesIn' },
      { name: 'Out', column: 'bytesOut' },
    ],
    format: bytesPerSecond,
    least: 1000,
  },
  {
    title: 'Event-loop delay',
    series: [{ name: '99th percentile', column: 'loopDelayMs' }],
    format: milliseconds,
    least: 1,
  },
  { title: 'Memory', series: [{ name: 'Process', column: 'rssBytes' }], format: formatBytes, least: 1000 },
];

/** What a plan draws: a list for each series, as long as each other. */
export interface PlotData {
  readonly stepS: number;
  /** Of the last value, since 1970. */
  readonly endMs: number;
  /** At most an hour; 0 while the tracker is young. */
  readonly length: number;
  readonly lists: readonly (readonly number[])[];
  /** Top of the scale, which begins at zero: 1, 2 or 5 times a power of ten. */
  readonly top: number;
}

export function plotData(history: TrackerHistory, plan: PlotPlan): PlotData {
  const { stepS, endMs, columns } = history;
  const lists = plan.series.map(({ column }) => columns[column]);
  return { stepS, endMs, length: lists[0]!.length, lists, top: niceTop(Math.max(...lists.map(highestOf)), plan.least) };
}

function niceTop(highest: number, least: number): number {
  let top = least;
  for (let i = 1; top < highest; i++) top *= i % 3 === 2 ? 2.5 : 2;
  return top;
}

function highestOf(list: readonly number[]): number {
  return list.reduce((most, value) => Math.max(most, value), 0);
}

/** An SVG path through a box of `width` and `height`. */
export function pathOf(list: readonly number[], top: number, width: number, height: number): string {
  const step = width / Math.max(1, list.length - 1);
  const points = list.map((value, i) => `${(i * step).toFixed(1)} ${(height - (height * value) / top).toFixed(1)}`);
  return points.length === 0 ? '' : `M${points.join('L')}`;
}

/** For those who do not see it: `HTTP now 12, at most 40`. */
export function summaryOf({ title, series, format }: PlotPlan, { lists, length }: PlotData): string {
  if (length === 0) return `${title}: nothing yet`;
  const said = series.map(({ name }, i) => {
    const list = lists[i]!;
    return `${name} now ${format(list.at(-1)!)}, at most ${format(highestOf(list))}`;
  });
  return `${title}, last hour. ${said.join('; ')}`;
}
