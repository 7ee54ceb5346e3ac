// What every Clock does.

import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/ports/clock.ts';
import { inWorld, type MakeWorld } from './world.ts';

export function clockContract(name: string, makeWorld: MakeWorld): void {
  describe(`Clock: ${name}`, () => {
    it('never goes back and shows the delay of a timer', () =>
      inWorld(makeWorld, async ({ a }) => {
        const before = a.env.clock.nowMs();
        await sleep(a.env.clock, 20);
        expect(a.env.clock.nowMs() - before).toBeGreaterThanOrEqual(20);
      }));

    it('tells the time of day in this century', () =>
      inWorld(makeWorld, async ({ a }) => {
        expect(a.env.clock.wallMs()).toBeGreaterThan(Date.UTC(2020));
        expect(a.env.clock.wallMs()).toBeLessThan(Date.UTC(2100));
      }));

    it('calls timers in the order of their times, and never within the call that sets them', () =>
      inWorld(makeWorld, async ({ a }) => {
        const calls: string[] = [];
        await new Promise<void>((resolve) => {
          a.env.clock.after(40, () => {
            calls.push('late');
            resolve();
          });
          a.env.clock.after(5, () => calls.push('early'));
          a.env.clock.after(0, () => calls.push('at once'));
          calls.push('set');
        });
        expect(calls).toEqual(['set', 'at once', 'early', 'late']);
      }));

    it('does not call a timer that was cancelled, and cancelling twice is nothing', () =>
      inWorld(makeWorld, async ({ a }) => {
        let called = false;
        const timer = a.env.clock.after(5, () => {
          called = true;
        });
        timer.cancel();
        timer.cancel();
        await sleep(a.env.clock, 25);
        expect(called).toBe(false);
      }));

    it('takes a cancel after the call', () =>
      inWorld(makeWorld, async ({ a }) => {
        let calls = 0;
        const timer = a.env.clock.after(1, () => calls++);
        await sleep(a.env.clock, 20);
        timer.cancel();
        expect(calls).toBe(1);
      }));

    it('runs deferred calls after the call that defers, in order, before timers', () =>
      inWorld(makeWorld, async ({ a }) => {
        const calls: string[] = [];
        await new Promise<void>((resolve) => {
          a.env.clock.after(30, () => {
            calls.push('timer');
            resolve();
          });
          a.env.clock.defer(() => calls.push('first'));
          a.env.clock.defer(() => {
            calls.push('second');
            a.env.clock.defer(() => calls.push('third'));
          });
          calls.push('set');
        });
        expect(calls).toEqual(['set', 'first', 'second', 'third', 'timer']);
      }));

    it('lets a sleep end early by its signal', () =>
      inWorld(makeWorld, async ({ a }) => {
        const stop = new AbortController();
        const reason = new Error('enough');
        a.env.clock.after(5, () => stop.abort(reason));
        await expect(sleep(a.env.clock, 60_000, stop.signal)).rejects.toBe(reason);
        await expect(sleep(a.env.clock, 60_000, stop.signal)).rejects.toBe(reason);
      }));
  });
}
