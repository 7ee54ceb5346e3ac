import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, formatPerSecond, visible } from './text.ts';

describe('names of strangers', () => {
  it('show what would not be seen, or would turn the text around', () => {
    expect(visible('A\u202egpj.exe')).toBe('A‹U+202E›gpj.exe');
    expect(visible('a\0b\nc\u200bd\ufeff')).toBe('a‹U+0000›b‹U+000A›c‹U+200B›d‹U+FEFF›');
    expect(visible('\ud800')).toBe('‹U+D800›');
    expect(visible('\u{e0041}')).toBe('‹U+E0041›');
  });

  it('stay as they are where nothing is wrong with them', () => {
    for (const name of ['Käse', 'كتاب', '<img src=x>', '👩‍👩‍👧', 'می‌خواهم']) expect(visible(name)).toBe(name);
  });

  it('have no control, no direction mark and no end in sight, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }), (name) => {
        expect(visible(name)).not.toMatch(
          /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]/u,
        );
      }),
    );
    expect(visible('x'.repeat(100_000)).length).toBeLessThan(1100);
  });
});

it('numbers have three digits that matter and a unit', () => {
  expect([0, 999, 1500, 12_345_678].map(formatBytes)).toEqual(['0 B', '999 B', '1.50 kB', '12.3 MB']);
  expect([0, 0.25, 9.94, 9.96, 12345.6].map(formatPerSecond)).toEqual(['0', '0.3', '9.9', '10', '12,346']);
  expect([5, 600, 11_220, 1e6].map(formatDuration)).toEqual(['5 s', '10 min', '3 h 07 min', '11 days']);
});
