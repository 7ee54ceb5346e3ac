// Virtual time as a program reads it.

import type { Clock, Timer } from '../../ports/clock.ts';
import type { SimProgram } from './program.ts';

/** What the wall clock of every host says at the start: 2026-01-01 00:00 UTC. */
export const WALL_START_MS = 1_767_225_600_000;

// As in the real world no timer is shorter: a program that polls without pause would stop virtual time.
const MIN_TIMER_MS = 1;

const CANCELLED_ALREADY: Timer = { cancel: () => undefined };

export class SimClock implements Clock {
  readonly #program: SimProgram;
  #deferred: (() => void)[] = [];

  constructor(program: SimProgram) {
    this.#program = program;
  }

  nowMs(): number {
    return this.#program.schedule.nowMs;
  }

  wallMs(): number {
    return WALL_START_MS + this.#program.schedule.nowMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const program = this.#program;
    if (!program.canAct()) return CANCELLED_ALREADY;
    const event = program.later(Math.max(delayMs, MIN_TIMER_MS), 'timer', () => {
      program.closed(event);
      callback();
    });
    program.opened(event, 'timer');
    return {
      cancel: () => {
        program.schedule.cancel(event);
        program.closed(event);
      },
    };
  }

  /** After all that is planned for this instant by now: chunks that have arrived come first. */
  defer(callback: () => void): void {
    if (!this.#program.canAct()) return;
    this.#deferred.push(callback);
    if (this.#deferred.length > 1) return;
    this.#program.opened(this, 'deferred call');
    this.#program.later(0, 'deferred', () => {
      const due = this.#deferred;
      this.#deferred = [];
      this.#program.closed(this);
      for (const run of due) run();
    });
  }
}
