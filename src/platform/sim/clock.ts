// Virtual time as a program reads it.

import type { Clock, Timer } from '../../ports/clock.ts';
import type { SimProcess } from './process.ts';

/** What the wall clock of every host says at the start: 2026-01-01 00:00 UTC. */
export const WALL_START_MS = 1_767_225_600_000;

// As in the real world no timer is shorter: a program that polls without pause would stop virtual time.
const MIN_TIMER_MS = 1;

const CANCELLED_ALREADY: Timer = { cancel: () => undefined };

export class SimClock implements Clock {
  readonly #process: SimProcess;
  #deferred: (() => void)[] = [];

  constructor(process: SimProcess) {
    this.#process = process;
  }

  nowMs(): number {
    return this.#process.schedule.nowMs;
  }

  wallMs(): number {
    return WALL_START_MS + this.#process.schedule.nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const process = this.#process;
    if (!process.canAct()) return CANCELLED_ALREADY;
    const event = process.later(Math.max(delayMs, MIN_TIMER_MS), 'timer', () => {
      process.closed(event);
      callback();
    });
    process.opened(event, 'timer');
    return {
      cancel: () => {
        process.schedule.cancel(event);
        process.closed(event);
      },
    };
  }

  /** After all that is planned for this instant by now: chunks that have arrived come first. */
  defer(callback: () => void): void {
    if (!this.#process.canAct()) return;
    this.#deferred.push(callback);
    if (this.#deferred.length > 1) return;
    this.#process.opened(this, 'deferred call');
    this.#process.later(0, 'deferred', () => {
      const due = this.#deferred;
      this.#deferred = [];
      this.#process.closed(this);
      for (const run of due) run();
    });
  }
}
