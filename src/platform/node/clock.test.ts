import { describe, expect, it } from 'vitest';
import { createNodeClock } from './clock.ts';

describe('the real clock', () => {
  it('never calls before the delay has passed, by its own reading', async () => {
    const clock = createNodeClock();
    const early: number[] = [];
    const timers = Array.from({ length: 50 }, (_, i) => {
      const delayMs = 1 + i * 0.37;
      const dueMs = clock.nowMs() + delayMs;
      return new Promise<void>((resolve) => {
        clock.after(delayMs, () => {
          if (clock.nowMs() < dueMs) early.push(delayMs);
          resolve();
        });
      });
    });
    // The timers of the clock do not keep the program running.
    const keepAlive = setInterval(() => undefined, 1000);
    await Promise.all(timers);
    clearInterval(keepAlive);
    expect(early).toEqual([]);
  });

  it('waits for delays that are longer than the system takes', async () => {
    const clock = createNodeClock();
    let called = false;
    const timer = clock.after(2 ** 40, () => {
      called = true;
    });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(called).toBe(false);
    timer.cancel();
    timer.cancel();
  });

  it('runs what a deferred callback defers in the turn after it, in order', async () => {
    const clock = createNodeClock();
    const seen: number[] = [];
    clock.defer(() => {
      seen.push(1);
      clock.defer(() => seen.push(3));
    });
    clock.defer(() => seen.push(2));
    expect(seen).toEqual([]);
    await new Promise<void>((resolve) => clock.defer(resolve));
    expect(seen).toEqual([1, 2]);
    await new Promise<void>((resolve) => clock.defer(resolve));
    expect(seen).toEqual([1, 2, 3]);
  });
});
