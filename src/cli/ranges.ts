// Piece indices as people read them: runs instead of long lists.

import type { Bitfield } from '../base/bitfield.ts';

/** First and last of each run of set bits. */
export function rangesOf(field: Bitfield): [first: number, last: number][] {
  const out: [number, number][] = [];
  field.forEach((index) => {
    const run = out[out.length - 1];
    if (run && run[1] === index - 1) run[1] = index;
    else out.push([index, index]);
  });
  return out;
}

/** `3, 7-9, 12`; after `most` runs it says how many more there are. */
export function formatRanges(ranges: readonly (readonly [number, number])[], most: number): string {
  const texts = ranges.slice(0, most).map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
  if (ranges.length > most) texts.push(`and ${ranges.length - most} more`);
  return texts.join(', ');
}
