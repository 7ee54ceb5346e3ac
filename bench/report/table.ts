// Tables in Markdown whose columns line up, so that they can be read on a screen and put into a page.

import type { Row } from '../run/rounds.ts';
import type { Goal } from './goals.ts';
import { digits, type Figure, showSpread, spread } from './stats.ts';

export interface Column {
  readonly title: string;
  readonly figure: Figure;
}

/** A line a case and program, in the order of their first runs; failed runs are told, not dropped. */
export function rowsTable(rows: readonly Row[], columns: readonly Column[]): string {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = JSON.stringify([row.what, row.program]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const lines = [...groups.values()].map((runs) => {
    const { what, program } = runs[0]!;
    const failed = runs.filter((row) => row.why !== null);
    const cells = columns.map(({ figure }) => showSpread(spread(rows, what, program, figure)));
    const failures = failed.length === 0 ? '' : `${failed.length} FAILED: ${failed[0]?.why}`;
    return [what, program, ...cells, `${runs.length - failed.length}/${runs.length}`, failures];
  });
  return markdown(['case', 'program', ...columns.map(({ title }) => title), 'good runs', ''], lines);
}

export function goalsTable(goals: readonly Goal[]): string {
  const shown = (value: number | null): string => (value === null ? '–' : digits(value));
  const lines = goals.map((goal) => [
    goal.title,
    goal.shoal,
    goal.other,
    goal.low === goal.high ? shown(goal.value) : `${shown(goal.value)} (${shown(goal.low)}–${shown(goal.high)})`,
    goal.aim,
    goal.met === null ? 'not measured' : goal.met ? 'met' : 'NOT MET',
  ]);
  return markdown(['goal', 'Shoal', 'other', 'ratio or figure', 'aim', ''], lines);
}

export function markdown(titles: readonly string[], lines: readonly (readonly string[])[]): string {
  const clean = [titles, ...lines].map((cells) => cells.map((cell) => cell.replaceAll('|', '/').replaceAll('\n', ' ')));
  const widths = titles.map((_, i) => Math.max(3, ...clean.map((cells) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(clean[0]!), rule, ...clean.slice(1).map(line)].join('\n');
}
