// The average over five seconds, and the total.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Meter } from './meter.ts';

describe('a meter', () => {
  it('reads a steady flow rightly from the first second on', () => {
    const meter = new Meter();
    for (let nowMs = 5000; nowMs < 25_000; nowMs += 10) {
      meter.add(1000, nowMs);
      if (nowMs < 6000) continue;
      expect(meter.bytesPerSecond(nowMs)).toBeGreaterThan(94_000);
      expect(meter.bytesPerSecond(nowMs)).toBeLessThan(106_000);
    }
    expect(meter.total).toBe(2_000_000);
  });

  it('falls to nothing five seconds after the last byte', () => {
    const meter = new Meter();
    for (let nowMs = 0; nowMs < 10_000; nowMs += 100) meter.add(10_000, nowMs);
    expect(meter.bytesPerSecond(12_500)).toBeLessThan(60_000);
    expect(meter.bytesPerSecond(12_500)).toBeGreaterThan(40_000);
    expect(meter.bytesPerSecond(15_300)).toBe(0);
    expect(meter.total).toBe(1_000_000);
  });

  it('does not take the first block of a peer for its speed', () => {
    const meter = new Meter();
    meter.add(16_384, 777);
    expect(meter.bytesPerSecond(778)).toBeLessThanOrEqual(2 * 16_384);
  });

  it('starts afresh after a long pause', () => {
    const meter = new Meter();
    meter.add(1_000_000, 0);
    for (let nowMs = 100_000; nowMs < 102_000; nowMs += 20) meter.add(200, nowMs);
    expect(meter.bytesPerSecond(102_000)).toBeGreaterThan(9000);
    expect(meter.bytesPerSecond(102_000)).toBeLessThan(11_000);
  });

  it('bears a clock that stands still, and never reads below zero or above what came', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(100_000), fc.integer({ min: -50, max: 3000 }))), (steps) => {
        const meter = new Meter();
        let [nowMs, total] = [10_000, 0];
        for (const [bytes, step] of steps) {
          nowMs = Math.max(0, nowMs + step);
          meter.add(bytes, nowMs);
          total += bytes;
          expect(meter.total).toBe(total);
          expect(meter.bytesPerSecond(nowMs)).toBeGreaterThanOrEqual(0);
          expect(meter.bytesPerSecond(nowMs)).toBeLessThanOrEqual(2 * total);
        }
      }),
    );
  });
});
