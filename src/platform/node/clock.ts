// Real time. A timer never fires early by this clock, and deferred callbacks of a turn share one setImmediate.

import type { Clock, Timer } from '../../ports/clock.ts';

/** Node fires longer timers at once; longer delays are waited for in several steps. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export function createNodeClock(): Clock {
  return new NodeClock();
}

class NodeClock implements Clock {
  #deferred: (() => void)[] = [];

  nowMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  after(delayMs: number, callback: () => void): Timer {
    return new NodeTimer(performance.now() + delayMs, callback);
  }

  defer(callback: () => void): void {
    if (this.#deferred.push(callback) === 1) setImmediate(this.#runDeferred);
  }

  readonly #runDeferred = (): void => {
    const due = this.#deferred;
    this.#deferred = [];
    for (const callback of due) callback();
  };
}

class NodeTimer implements Timer {
  readonly #dueMs: number;
  readonly #callback: () => void;
  #timeout: NodeJS.Timeout;

  constructor(dueMs: number, callback: () => void) {
    this.#dueMs = dueMs;
    this.#callback = callback;
    this.#timeout = this.#arm();
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  #arm(): NodeJS.Timeout {
    const restMs = Math.ceil(this.#dueMs - performance.now());
    return setTimeout(this.#fire, Math.min(Math.max(restMs, 0), LONGEST_TIMEOUT_MS)).unref();
  }

  /** libuv counts whole milliseconds of its own clock and may be a fraction early. */
  readonly #fire = (): void => {
    if (performance.now() < this.#dueMs) this.#timeout = this.#arm();
    else this.#callback();
  };
}
