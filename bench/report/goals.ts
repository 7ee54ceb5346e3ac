// Goals: a ratio of Shoal to another program in the same rounds, or a figure of Shoal's alone, and whether it is met.

import type { Row } from '../run/rounds.ts';
import { digits, type Figure, figureOf, spread, spreadOf } from './stats.ts';

export interface Goal {
  readonly title: string;
  readonly shoal: string;
  readonly other: string;
  /** The ratio or difference of the medians, or the figure. */
  readonly value: number | null;
  /** The same round by round: the lowest and the highest. */
  readonly low: number | null;
  readonly high: number | null;
  readonly aim: string;
  /** null: it could not be measured. */
  readonly met: boolean | null;
}

export interface Aim {
  readonly title: string;
  readonly figure: Figure;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Side {
  readonly what: string;
  readonly program: string;
}

/** Shoal's median over the other's. */
export function ratioGoal(rows: readonly Row[], aim: Aim, ours: Side, theirs: Side): Goal {
  return comparison(rows, aim, ours, theirs, (mine, other) => mine / other);
}

/** Shoal's median minus the other's. */
export function differenceGoal(rows: readonly Row[], aim: Aim, ours: Side, theirs: Side): Goal {
  return comparison(rows, aim, ours, theirs, (mine, other) => mine - other);
}

type Compare = (mine: number, other: number) => number;

function comparison(rows: readonly Row[], aim: Aim, ours: Side, theirs: Side, compare: Compare): Goal {
  const mine = spread(rows, ours.what, ours.program, aim.figure);
  const other = spread(rows, theirs.what, theirs.program, aim.figure);
  const value = mine === null || other === null ? null : compare(mine.median, other.median);
  const rounds = spreadOf(byRound(rows, aim.figure, ours, theirs, compare));
  const shown = (side: Side, median: number | undefined): string =>
    `${side.program} ${median === undefined ? '–' : digits(median)}`;
  return {
    title: aim.title,
    shoal: shown(ours, mine?.median),
    other: shown(theirs, other?.median),
    value,
    low: rounds?.low ?? null,
    high: rounds?.high ?? null,
    ...judge(aim, value),
  };
}

/** Shoal's own figure. */
export function figureGoal(rows: readonly Row[], aim: Aim, ours: Side): Goal {
  const mine = spread(rows, ours.what, ours.program, aim.figure);
  return {
    title: aim.title,
    shoal: `${ours.program} ${mine === null ? '–' : digits(mine.median)}`,
    other: '',
    value: mine?.median ?? null,
    low: mine?.low ?? null,
    high: mine?.high ?? null,
    ...judge(aim, mine?.median ?? null),
  };
}

/** Of these programs the one with the highest (`atLeast`) or lowest median: the one to beat. */
export function bestOf(rows: readonly Row[], aim: Aim, what: string, programs: readonly string[]): string {
  const factor = aim.atLeast === undefined ? -1 : 1;
  const score = (program: string): number => (spread(rows, what, program, aim.figure)?.median ?? Number.NaN) * factor;
  const measured = programs.filter((program) => !Number.isNaN(score(program)));
  return measured.sort((a, b) => score(b) - score(a))[0] ?? programs[0] ?? '';
}

function judge({ atLeast, atMost }: Aim, value: number | null): { aim: string; met: boolean | null } {
  if (atLeast !== undefined) return { aim: `≥ ${atLeast}`, met: value === null ? null : value >= atLeast };
  if (atMost !== undefined) return { aim: `≤ ${atMost}`, met: value === null ? null : value <= atMost };
  return { aim: '', met: null };
}

function byRound(rows: readonly Row[], figure: Figure, ours: Side, theirs: Side, compare: Compare): number[] {
  const at = (side: Side, round: number): number | null => {
    const row = rows.find((one) => one.what === side.what && one.program === side.program && one.round === round);
    return row === undefined ? null : figureOf(row, figure);
  };
  const values: number[] = [];
  for (const round of new Set(rows.map((row) => row.round))) {
    const [mine, other] = [at(ours, round), at(theirs, round)];
    if (mine !== null && other !== null) values.push(compare(mine, other));
  }
  return values;
}
