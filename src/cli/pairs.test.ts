import { describe, expect, it } from 'vitest';
import { Bitfield } from '../base/bitfield.ts';
import { pairsFromArgs, pairsFromList } from './pairs.ts';
import { formatRanges, rangesOf } from './ranges.ts';

describe('pairs to seed', () => {
  it('come two by two from the command line', () => {
    expect(pairsFromArgs(['a', 'b', 'c', 'd'])).toEqual([
      { file: 'a', path: 'b' },
      { file: 'c', path: 'd' },
    ]);
    expect(() => pairsFromArgs(['a', 'b', 'c'])).toThrow(/'c' stands alone/);
  });

  it('come line by line from a list', () => {
    const text = '# mine\n\na b.torrent\t/srv/a b\r\n"c d.torrent" \'/srv/c d\'\ne.torrent /srv/e\n';
    expect(pairsFromList(text, 'list')).toEqual([
      { file: 'a b.torrent', path: '/srv/a b' },
      { file: 'c d.torrent', path: '/srv/c d' },
      { file: 'e.torrent', path: '/srv/e' },
    ]);
    expect(() => pairsFromList('a b c\n', 'list')).toThrow(/line 1 of "list"/);
    expect(() => pairsFromList('\n\none\n', 'list')).toThrow(/line 3/);
  });
});

describe('runs of pieces', () => {
  it('are told short', () => {
    const field = new Bitfield(20);
    for (const i of [3, 7, 8, 9, 12]) field.set(i);
    expect(rangesOf(field)).toEqual([
      [3, 3],
      [7, 9],
      [12, 12],
    ]);
    expect(formatRanges(rangesOf(field), 10)).toBe('3, 7-9, 12');
    expect(formatRanges(rangesOf(field), 1)).toBe('3, and 2 more');
  });
});
