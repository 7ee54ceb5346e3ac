// Whether what a long-lived process holds stays the same: figures over time, the line through them, and limits. Pure.

import type { Probe } from './actor.ts';

export interface Sample extends Probe {
  readonly minute: number;
}

/** Of one figure: at the beginning and at the end of the judged time, on the line through all samples of it. */
export interface Trend {
  readonly figure: Figure;
  readonly from: number;
  readonly to: number;
  readonly most: number;
  /** What it may grow by in the judged time. */
  readonly limit: number;
  readonly flat: boolean;
}

export type Figure = 'residentMib' | 'privateMib' | 'heapMib' | 'externalMib' | 'descriptors' | 'timers';

/** The first part of a run fills caches and compiles code. */
const WARM_UP_SHARE = 0.3;
/** Fewer say nothing about a line. */
const LEAST_SAMPLES = 5;

/**
 * What may come in the judged time on top of a tenth: the noise of figures that swing with the peers that happen to be
 * connected. A leak of a few hundred bytes a block, or of one descriptor a connection, is more in ten minutes.
 */
const ALLOWED: Readonly<Record<Figure, number>> = {
  residentMib: 16,
  privateMib: 12,
  heapMib: 2,
  externalMib: 6,
  descriptors: 8,
  timers: 8,
};

/** `judge` false: a run too short to tell a leak from warming up; everything is flat. */
export function trendsOf(samples: readonly Sample[], judge: boolean): readonly Trend[] {
  const last = samples.at(-1)?.minute ?? 0;
  const judged = samples.filter(({ minute }) => minute >= last * WARM_UP_SHARE);
  return (Object.keys(ALLOWED) as Figure[]).map((figure) => {
    const points = judged.map((sample) => [sample.minute, sample[figure]] as const);
    const line = lineThrough(points);
    const [from, to] = [line(judged[0]?.minute ?? 0), line(last)];
    const limit = ALLOWED[figure] + from / 10;
    const flat = !judge || points.length < LEAST_SAMPLES || to - from <= limit;
    return { figure, from, to, most: Math.max(0, ...samples.map((sample) => sample[figure])), limit, flat };
  });
}

/** Theil and Sen: the median of the slopes between all pairs, which single outliers do not bend. */
function lineThrough(points: readonly (readonly [x: number, y: number])[]): (x: number) => number {
  const slopes = points.flatMap(([x1, y1], i) => points.slice(i + 1).map(([x2, y2]) => (y2 - y1) / (x2 - x1)));
  const slope = median(slopes.filter(Number.isFinite));
  const height = median(points.map(([x, y]) => y - slope * x));
  return (x) => height + slope * x;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
