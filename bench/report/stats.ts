// Medians and their spread.

import type { Row } from '../run/rounds.ts';

export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** null: there is nothing. */
export function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, low: sorted[0]!, high: sorted[sorted.length - 1]!, count: sorted.length };
}

export type Figure = string | ((figures: Readonly<Record<string, number>>) => number);

export function figureOf(row: Row, figure: Figure): number | null {
  if (row.figures === null) return null;
  const value = typeof figure === 'string' ? row.figures[figure] : figure(row.figures);
  return value === undefined || !Number.isFinite(value) ? null : value;
}

/** Of one figure of one program, of the runs that did not fail. */
export function spread(rows: readonly Row[], what: string, program: string, figure: Figure): Spread | null {
  const own = rows.filter((row) => row.what === what && row.program === program);
  return spreadOf(own.map((row) => figureOf(row, figure)).filter((value) => value !== null));
}

/** Three digits that count. */
export function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

export function showSpread(value: Spread | null): string {
  if (value === null) return '–';
  if (value.count === 1) return digits(value.median);
  return `${digits(value.median)} (${digits(value.low)}–${digits(value.high)})`;
}
