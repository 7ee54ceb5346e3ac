import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../platform/sim/index.ts';
import { AddressRates } from './address-rates.ts';
import { Pacing } from './pacing.ts';

describe('the interval', () => {
  const newPacing = (): Pacing => new Pacing(new SeededRandom(1, 'pacing'), 1000, 100, 0);
  const longest = (pacing: Pacing): number => Math.max(...Array.from({ length: 200 }, () => pacing.intervalS()));
  const shortest = (pacing: Pacing): number => Math.min(...Array.from({ length: 200 }, () => pacing.intervalS()));

  it('is a little different for everyone', () => {
    const pacing = newPacing();
    expect(shortest(pacing)).toBeGreaterThanOrEqual(1000);
    expect(longest(pacing)).toBeLessThanOrEqual(1100);
    expect(longest(pacing) - shortest(pacing)).toBeGreaterThan(80);
  });

  it('grows under load up to four times, comes back after it, and peers are given the time they were told', () => {
    const pacing = newPacing();
    let announces = 0;
    let nowS = 0;
    const run = (seconds: number, perSecond: number): void => {
      for (let i = 0; i < seconds; i++) {
        announces += perSecond;
        nowS++;
        pacing.tick(announces, nowS);
      }
    };
    expect(pacing.ageS()).toBe(1530);
    run(60, 90);
    expect(longest(pacing)).toBeLessThanOrEqual(1100);
    run(60, 500);
    expect(shortest(pacing)).toBeGreaterThanOrEqual(4000);
    expect(longest(pacing)).toBeLessThanOrEqual(4400);
    expect(pacing.ageS()).toBe(6030);
    run(300, 10);
    expect(longest(pacing)).toBeLessThanOrEqual(1100);
    expect(pacing.ageS()).toBe(6030);
    run(5000, 10);
    expect(pacing.ageS()).toBe(1530);
  });

  it('grows when announces keep the loop busy, not when something else does', () => {
    const late = (perSecond: number): number => {
      const pacing = new Pacing(new SeededRandom(1, 'pacing'), 1000, 1_000_000, 0);
      for (let tick = 1; tick <= 60; tick++) pacing.tick(tick * 1.2 * perSecond, tick * 1.2);
      return shortest(pacing);
    };
    expect(late(200)).toBeLessThanOrEqual(1100);
    expect(late(2000)).toBeGreaterThanOrEqual(4000);
  });
});

describe('the rate of an address', () => {
  it('has a burst and a limit, by the clock', () => {
    const rates = new AddressRates(2);
    const allowed = (nowS: number, tries: number): number =>
      Array.from({ length: tries }, () => rates.allows(7, nowS)).filter(Boolean).length;
    expect(allowed(0, 100)).toBe(40);
    expect(allowed(5, 100)).toBe(10);
    expect(allowed(1000, 100)).toBe(40);
    expect(rates.allows(8, 0)).toBe(true);
  });

  it('holds where addresses meet in a place and take turns, and two do not have each other refused', () => {
    const [one, two, three] = [7, 7 + 2 ** 14, 7 + 2 ** 15] as const;
    const allowed = (rates: AddressRates, nowS: number, addresses: readonly number[]): number =>
      Array.from({ length: 3000 }, (_, i) => rates.allows(addresses[i % addresses.length]!, nowS)).filter(Boolean)
        .length;
    const rates = new AddressRates(2);
    expect(allowed(rates, 10, [one])).toBe(40);
    expect(allowed(rates, 10, [one, two])).toBe(40);
    expect(allowed(new AddressRates(2), 10, [one, two])).toBe(80);
    expect(allowed(new AddressRates(2), 10, [one, two, three])).toBe(80);
    // Who comes later finds the bucket of the other, full again in part or whole.
    expect(allowed(rates, 20, [three])).toBe(20);
    expect(allowed(rates, 40, [three])).toBe(40);
  });
});
