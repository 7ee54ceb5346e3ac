// Lists of facts for the terminal.

import colors from 'picocolors';
import { printable } from './printable.ts';

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
