import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../platform/sim/index.ts';
import { Tiers } from './tiers.ts';

const urls = (tiers: Tiers): string[] => tiers.order().map(({ url }) => url);

describe('tiers (BEP 12)', () => {
  it('keep their order and are shuffled inside', () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 50; seed++) {
      const tiers = new Tiers([['a', 'b', 'c'], ['d']], new SeededRandom(seed, 'tiers'));
      const order = urls(tiers);
      expect(order.slice(0, 3).sort()).toEqual(['a', 'b', 'c']);
      expect(order[3]).toBe('d');
      expect(tiers.order()[3]!.tier).toBe(1);
      orders.add(order.join(''));
    }
    expect(orders.size).toBe(6);
  });

  it('move a tracker that answered to the front of its tier, and no further', () => {
    const tiers = new Tiers([['a'], ['b', 'c', 'd']], new SeededRandom(1, 'tiers'));
    const last = urls(tiers)[3]!;
    const others = urls(tiers).slice(1, 3);
    tiers.promote(last);
    expect(urls(tiers)).toEqual(['a', last, ...others]);
  });

  it('drop what is empty, repeated, or too much', () => {
    const tiers = new Tiers([['', ' a '], [], ['a', 'b']], new SeededRandom(1, 'tiers'));
    expect(tiers.order()).toEqual([
      { url: 'a', tier: 0 },
      { url: 'b', tier: 1 },
    ]);
    const many = Array.from({ length: 1000 }, (_, i) => [`t${i}`]);
    expect(new Tiers(many, new SeededRandom(1, 'tiers')).order()).toHaveLength(200);
  });
});
