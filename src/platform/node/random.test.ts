import { describe, expect, it } from 'vitest';
import { createNodeRandom } from './random.ts';

describe('real chance', () => {
  it('stays below every limit and reaches all of a small one', () => {
    const random = createNodeRandom();
    const seen = new Set<number>();
    for (let i = 0; i < 1000; i++) seen.add(random.below(7));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    for (const limit of [1, 2, 3, 2 ** 31, 2 ** 32 - 1, 2 ** 32]) {
      for (let i = 0; i < 200; i++) {
        const value = random.below(limit);
        expect(Number.isInteger(value) && value >= 0 && value < limit).toBe(true);
      }
    }
  });

  it('is uniform enough for rules', () => {
    const random = createNodeRandom();
    const counts = new Array<number>(16).fill(0);
    for (let i = 0; i < 160_000; i++) counts[random.below(16)]!++;
    // Ten standard deviations.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(970);
  });

  it('differs from one generator to the next', () => {
    const [a, b] = [createNodeRandom(), createNodeRandom()];
    const draw = (random: typeof a): number[] => Array.from({ length: 4 }, () => random.below(2 ** 32));
    expect(draw(a)).not.toEqual(draw(b));
  });
});
