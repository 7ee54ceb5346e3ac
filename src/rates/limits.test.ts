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
  it.each([1e6, 10e6, 50e6])('of %d bytes a second is kept within 2 % over any 10 s, on a busy machine too', (rate) => {
    const random = new SeededRandom(1, 'ticks');
    // a tick of 50 ms that is late now and then, at times by more than the bucket holds
    const tick = (): number => 50 + random.below(20) + (random.below(50) === 0 ? 100 : 0);
    const grants = drain(new TokenBucket(rate, 0), 30_000, tick);
    for (let fromMs = 1000; fromMs < 20_000; fromMs += 1000) {
      const share = sumOf(grants, fromMs, fromMs + 10_000) / (rate * 10);
      expect(share).toBeGreaterThan(0.98);
      expect(share).toBeLessThan(1.02);
    }
  });

  it('grants no more than a tenth of a second at once after a pause, and a block', () => {
    const bucket = new TokenBucket(1e6, 0);
    let granted = 0;
    for (let got = bucket.take(BLOCK, 100_000); got > 0; got = bucket.take(BLOCK, 100_000)) granted += got;
    expect(granted).toBeGreaterThan(80_000);
    expect(granted).toBeLessThanOrEqual(100_000 + BLOCK);
  });

  it('does not make up for time in which nothing was wanted', () => {
    const bucket = new TokenBucket(1e6, 0);
    for (let nowMs = 0; nowMs < 60_000; nowMs += 1000) bucket.take(100, nowMs);
    const grants = drain({ take: (max, nowMs) => bucket.take(max, nowMs + 60_000) }, 10_000, () => 50);
    expect(sumOf(grants, 0, 10_000)).toBeLessThan(10e6 * 1.02);
  });

  it('grants whole blocks at a rate of a few bytes, and waits for the debt', () => {
    const bucket = new TokenBucket(1000, 0);
    expect(bucket.take(BLOCK, 100)).toBe(BLOCK);
    expect(bucket.take(BLOCK, 5000)).toBe(0);
    expect(bucket.nextMs(5000)).toBeGreaterThan(11_000);
    expect(bucket.take(BLOCK, 5000 + bucket.nextMs(5000))).toBe(BLOCK);
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
    expect(bucket.nextMs(1e6)).toBe(Number.POSITIVE_INFINITY);
    bucket.setRate(1000, 1e6);
    expect(bucket.take(BLOCK, 1e6 + 50)).toBe(BLOCK);
    bucket.setRate(null, 1e6 + 50);
    expect(bucket.take(5 * BLOCK, 1e6 + 50)).toBe(5 * BLOCK);
    expect(bucket.nextMs(1e6 + 50)).toBe(0);
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
  it('grants the lesser of both', () => {
    const shared = new TokenBucket(5e6, 0);
    const slow = new Limits(shared, new TokenBucket(1e6, 0));
    const free = new Limits(shared, new TokenBucket(null, 0));
    expect([slow.bytesPerSecond, free.bytesPerSecond]).toEqual([1e6, 5e6]);
    let [slowBytes, freeBytes] = [0, 0];
    for (let nowMs = 0; nowMs <= 20_000; nowMs += 50) {
      for (let got = 1; got > 0; ) {
        got = slow.take(BLOCK, nowMs);
        slowBytes += got;
      }
      for (let got = 1; got > 0; ) {
        got = free.take(BLOCK, nowMs);
        freeBytes += got;
      }
    }
    expect(slowBytes / 20e6).toBeCloseTo(1, 1);
    expect((slowBytes + freeBytes) / 100e6).toBeCloseTo(1, 1);
  });

  it('counts in neither what is not granted by both', () => {
    const own = new TokenBucket(1e6, 0);
    const limits = new Limits(new TokenBucket(0, 0), own);
    expect(limits.take(BLOCK, 50)).toBe(0);
    expect(own.take(BLOCK, 50)).toBe(BLOCK);
    expect(limits.nextMs(50)).toBe(Number.POSITIVE_INFINITY);
    expect(limits.isUnlimited).toBe(false);
    expect(new Limits(new TokenBucket(null, 0), new TokenBucket(null, 0)).bytesPerSecond).toBe(null);
  });
});
