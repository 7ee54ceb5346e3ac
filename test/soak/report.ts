// What a soak found, for people.

import type { Figure } from './flatness.ts';
import type { Result } from './frame.ts';

const TITLES: Readonly<Record<Figure, string>> = {
  residentMib: 'resident, MiB',
  privateMib: 'private, MiB',
  heapMib: 'heap, MiB',
  externalMib: 'outside the heap, MiB',
  descriptors: 'descriptors',
  timers: 'timers',
};

/** Tables of what happened and of what the long-lived processes held after a collection, and the verdict. */
export function reportText(result: Result): string {
  const { what, counts, watched, waits, skipped, failures, seed, minutes, seconds } = result;
  const happened = Object.entries(counts).map(([what, number]) => [what, String(number)]);
  const held = watched.flatMap(({ name, trends, samples }) =>
    trends.map(({ figure, from, to, most, limit }) => [
      name,
      TITLES[figure],
      ...[from, to, most, limit].map((number) => number.toFixed(1)),
      String(samples.length),
    ]),
  );
  const waited = waits.map(({ who, answers, p50Ms, p99Ms, mostMs }) => [
    who,
    String(answers),
    ...[p50Ms, p99Ms, mostMs].map((number) => number.toFixed(2)),
  ]);
  const titles = ['process', 'after a collection', 'from', 'to', 'most', 'may grow by', 'looks'];
  const words = `${what} --minutes ${minutes}`.trim();
  return [
    table(['what happened', 'times'], happened.sort()),
    table(titles, held),
    ...(waits.length === 0 ? [] : [table(['honest clients', 'answers', 'p50 ms', 'p99 ms', 'most ms'], waited)]),
    ...skipped.map((line) => `skipped: ${line}`),
    ...failures.map((line) => `FAILED: ${line}`),
    `${failures.length === 0 ? 'all was well' : `${failures.length} failures`} after ${seconds.toFixed(0)} s; seed ${seed}, again: npm run soak -- ${words} --seed ${seed}`,
  ].join('\n');
}

/** Markdown, columns as wide as they need. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return `${[line(titles), rule, ...rows.map(line)].join('\n')}\n`;
}
