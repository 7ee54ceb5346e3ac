// What every tracker is filled with before it is asked, and the figures of the ways in which it is asked after that: gathered in
// one row a round, and told as a row each.

import type { Options } from '../options.ts';
import type { Row } from '../run/rounds.ts';

const TORRENTS = 10_000;
const QUICK_TORRENTS = 2000;
export const PEERS_PER_TORRENT = 50;
/** Peers of a reply. */
export const WANTED = 50;
/** The asker may be one of the 50. */
export const LEAST: number = WANTED - 1;

export function torrentsOf({ quick }: Options): number {
  return quick ? QUICK_TORRENTS : TORRENTS;
}

/** The figures of all steps of a round, by the step's name. */
export class StepFigures {
  readonly all: Record<string, number> = {};

  add(what: string, figures: object): void {
    for (const [name, value] of Object.entries(figures)) this.all[`${what}|${name}`] = value;
  }
}

/** A row for each of these steps, out of the one of the round. */
export function byStep(row: Row, steps: readonly string[]): readonly Row[] {
  if (row.figures === null) return [row];
  const figures = Object.entries(row.figures);
  return steps.flatMap((what) => {
    const own = figures.filter(([name]) => name.startsWith(`${what}|`));
    if (own.length === 0) return [];
    const named = own.map(([name, value]): [string, number] => [name.slice(what.length + 1), value]);
    return [{ ...row, what, figures: Object.fromEntries(named) }];
  });
}
