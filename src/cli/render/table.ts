// Tables and lists of facts for the terminal.

import Table from 'cli-table3';
import colors from 'picocolors';
import { printable } from './printable.ts';

export type Align = 'left' | 'right';

export interface Column {
  readonly title: string;
  readonly align?: Align;
}

const NO_FRAME: Record<string, string> = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left', 'left-mid']
    .concat(['mid', 'mid-mid', 'right', 'right-mid'])
    .map((part) => [part, '']),
);

/** Rows under titles, columns as wide as they need, no frame: easy to read and to cut with other programs. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: columns.map((column) => colors.bold(column.title)),
    colAligns: columns.map((column) => column.align ?? 'left'),
    chars: { ...NO_FRAME, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of rows) table.push(row.map(printable));
  return trimLines(table.toString());
}

/** `label  value` lines; a fact whose value is null is left out, an array stands on several lines. */
export function renderFacts(
  facts: readonly (readonly [label: string, value: string | readonly string[] | null])[],
): string {
  const told = facts.filter(([, value]) => value !== null && value.length > 0);
  const width = Math.max(0, ...told.map(([label]) => label.length));
  const lines: string[] = [];
  for (const [label, value] of told) {
    const values = typeof value === 'string' ? [value] : value!;
    values.forEach((text, i) => {
      lines.push(`${colors.bold((i === 0 ? label : '').padEnd(width))}  ${printable(text)}`);
    });
  }
  return lines.join('\n');
}

function trimLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
