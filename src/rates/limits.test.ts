// Rate limits as a busy sender meets them.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../platform/sim/random.ts';
import { Limits } from './limits.ts';
import { TokenBucket } from './token-bucket.ts';

const BLOCK = 16384;

/** What a busy sender gets through a bucket that it looks at every `tick()` ms, as [time, bytes]. */
function drain(bucket: Pick<TokenBucket, 'take'>, untilMs: number, tick: () => number): [number, number][] {
  const grants: [number, number][] = [];
  for (let nowMs = 0; nowMs < untilMs; nowMs += tick()) {
    for (let granted = bucket.take(BLOCK, nowMs); granted > 0; granted = bucket.take(BLOCK, nowMs)) {
      grants.push([nowMs, granted]);
    }
  }
  return grants;
}

function sumOf(grants: [number, number][], fromMs: number, toMs: number): number {
  return grants.reduce((sum, [atMs, bytes]) => (atMs >= fromMs && atMs < toMs ? sum + bytes : sum), 0);
}

describe('a rate limit', () => {
  it.each([1e6, 10e6, 50e6])('of %d bytes a second is kept within 1 % over any 10 s, though looks are late', (rate) => {
    const random = new SeededRandom(1, 'ticks');
    const tick = (): number => 25 + random.below(10) + (random.below(20) === 0 ? 30 : 0);
    const grants = drain(new TokenBucket(rate, 0), 30_000, tick);
    for (let fromMs = 1000; fromMs < 20_000; fromMs += 1000) {
      const share = sumOf(grants, fromMs, fromMs + 10_000) / (rate * 10);
      expect(share).toBeGreaterThan(0.99);
      expect(share).toBeLessThan(1.01);
    }
  });

  it.each([1e6, 10e6, 50e6])(
    'of %d bytes a second never runs ahead by a tenth of a second, whatever pauses there are',
    (rate) => {
      const random = new SeededRandom(2, 'ticks');
      const tick = (): number => 25 + (random.below(10) === 0 ? random.below(1000) : 0);
      let [sum, lowest, most] = [0, Number.POSITIVE_INFINITY, 0];
      for (const [atMs, bytes] of drain(new TokenBucket(rate, 0), 60_000, tick)) {
        lowest = Math.min(lowest, sum - (atMs * rate) / 1000);
        sum += bytes;
        most = Math.max(most, sum - (atMs * rate) / 1000 - lowest);
      }
      expect(most).toBeGreaterThan(rate * 0.07);
      expect(most).toBeLessThanOrEqual(rate * 0.09);
    },
  );

  it('does not make up for time in which nothing was wanted', () => {
    const bucket = new TokenBucket(1e6, 0);
    for (let nowMs = 0; nowMs < 60_000; nowMs += 1000) bucket.take(100, nowMs);
    const grants = drain({ take: (max, nowMs) => bucket.take(max, nowMs + 60_000) }, 10_000, () => 50);
    expect(sumOf(grants, 0, 10_000)).toBeLessThan(10e6 * 1.02);
  });

  it('grants whole blocks at a rate of a few bytes, and waits for the debt', () => {
    const bucket = new TokenBucket(1000, 0);
    expect(bucket.take(BLOCK, 100)).toBe(BLOCK);
    expect(bucket.take(BLOCK, 16_000)).toBe(0);
    expect(bucket.take(BLOCK, 17_000)).toBe(BLOCK);
  });

  it('begins without a burst', () => {
    expect(new TokenBucket(1e6, 500).take(BLOCK, 500)).toBe(0);
  });

  it('may be lifted, set and set to nothing', () => {
    const bucket = new TokenBucket(null, 0);
    expect(bucket.isUnlimited).toBe(true);
    expect(bucket.take(1e9, 0)).toBe(1e9);
    bucket.setRate(0, 0);
    expect(bucket.take(BLOCK, 1e6)).toBe(0);
    bucket.setRate(1000, 1e6);
    expect(bucket.take(BLOCK, 1e6 + 50)).toBe(BLOCK);
    bucket.setRate(null, 1e6 + 50);
    expect(bucket.take(5 * BLOCK, 1e6 + 50)).toBe(5 * BLOCK);
  });

  it('never grants more than was asked for, nor below zero', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e8 }),
        fc.array(fc.tuple(fc.nat(1_000_000), fc.integer({ min: -5, max: 500 }))),
        (rate, asks) => {
          const bucket = new TokenBucket(rate, 0);
          let nowMs = 0;
          for (const [max, step] of asks) {
            nowMs += step;
            const granted = bucket.take(max, nowMs);
            expect(granted).toBeGreaterThanOrEqual(0);
            expect(granted).toBeLessThanOrEqual(max);
          }
        },
      ),
    );
  });
});

describe('a torrent limit within a shared one', () => {
  const limitsOf = (shared: number | null, own: number | null, onDry = (): void => undefined): Limits =>
    new Limits(new TokenBucket(shared, 0), new TokenBucket(own, 0), onDry);

  it('grants the lesser of both, in whole blocks', () => {
    const shared = new TokenBucket(5e6, 0);
    const none = (): void => undefined;
    const both = [1e6, null].map((rate) => new Limits(shared, new TokenBucket(rate, 0), none));
    expect(both.map((limits) => limits.bytesPerSecond)).toEqual([1e6, 5e6]);
    const sums = [0, 0];
    for (let nowMs = 0; nowMs <= 20_000; nowMs += 25) {
      for (const [i, limits] of both.entries()) {
        limits.refilled();
        sums[i]! += BLOCK * limits.takeBlocks(1000, nowMs);
      }
    }
    expect(sums[0]! / 20e6).toBeCloseTo(1, 1);
    expect((sums[0]! + sums[1]!) / 100e6).toBeCloseTo(1, 1);
  });

  it('counts in neither what is not granted by both', () => {
    const own = new TokenBucket(1e6, 0);
    const limits = new Limits(new TokenBucket(0, 0), own, () => undefined);
    expect([limits.takeBlocks(1, 50), limits.takeAll(1, 50)]).toEqual([0, false]);
    expect(own.take(BLOCK, 50)).toBe(BLOCK);
    expect([limits.isUnlimited, limitsOf(null, null).isUnlimited]).toEqual([false, true]);
    expect([limitsOf(null, null).takeBlocks(7, 0), limitsOf(null, null).bytesPerSecond]).toEqual([7, null]);
  });

  it('grants nothing between running dry and being refilled, but what is given back', () => {
    let waits = 0;
    const limits = limitsOf(null, 1e6, () => waits++);
    expect([limits.takeBlocks(2, 50), waits]).toEqual([2, 0]);
    expect([limits.takeBlocks(9, 50), waits]).toEqual([2, 1]);
    expect([limits.takeBlocks(1, 90), limits.takeAll(100, 90), waits]).toEqual([0, false, 3]);
    limits.giveBack(100);
    expect(limits.takeBlocks(1, 90)).toBe(0);
    limits.giveBack(BLOCK);
    expect(limits.takeBlocks(1, 90)).toBe(1);
    limits.takeBlocks(1000, 90);
    limits.refilled();
    expect(limits.takeAll(100_000, 200)).toBe(true);
    expect(limits.takeBlocks(1, 220)).toBe(0);
  });
});
