import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pathMatcher } from '../globs.ts';
import { capsFor } from './caps.ts';
import { exactly, largest } from './content.ts';

describe('the caps of the demo', () => {
  it('leave a window: when all is out no leech can have everything, even where the seed sends a third of it twice', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100_000, max: 1e12 }), (lengthBytes) => {
        const caps = capsFor(lengthBytes);
        const seconds = (lengthBytes * (4 / 3)) / caps.seedBytesPerSecond + caps.pauseSeconds;
        const received = seconds * (caps.seedBytesPerSecond + 3 * caps.leechBytesPerSecond);
        expect(received / 3).toBeLessThan(0.9 * lengthBytes);
      }),
    );
  });

  it('make small content last some seconds, and large content never moves faster than two cores take it', () => {
    expect(capsFor(200_000).seedBytesPerSecond).toBe(50_000);
    expect(capsFor(1e12).seedBytesPerSecond).toBeLessThanOrEqual(19e6);
  });
});

describe('what is left out of the default content', () => {
  it('is nothing while all of it fits, and the largest packages otherwise', () => {
    const sizes = new Map([
      ['b', 50],
      ['large', 900],
      ['a', 50],
      ['@x/larger', 1000],
    ]);
    expect(largest(sizes, 2000)).toEqual([]);
    expect(largest(sizes, 1999)).toEqual(['@x/larger']);
    expect(largest(sizes, 100)).toEqual(['@x/larger', 'large']);
    expect(largest(new Map([...sizes].reverse()), 99)).toEqual(['@x/larger', 'b', 'large']);
  });

  it('is left out by its exact name, whatever characters that has', () => {
    const name = fc.string({ unit: fc.constantFrom(...'ab.*?[]{}()!+@|^$-_ü '), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        name.filter((text) => !/^\.{1,2}$/.test(text)),
        name,
        (left, other) => {
          const leftOut = pathMatcher([exactly(left)]);
          expect(leftOut(left)).toBe(true);
          expect(leftOut(`${left}/inside`)).toBe(true);
          if (other !== left) expect(leftOut(other)).toBe(false);
          expect(leftOut(`inside/${left}`)).toBe(left === 'inside');
        },
      ),
    );
  });
});
