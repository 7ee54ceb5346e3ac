// Content that cannot be read for a while: the system has no descriptor left, a network disk is away. Nobody is served for
// some seconds, then it is tried again; only what lasts ends the torrent.

import { describeError, isShoalError } from '../base/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';

/** First pause, doubled with each failure in a row. */
const FIRST_REST_MS = 1000;
/** After so many failures in a row, half a minute, it is no passing trouble any more. */
const MAX_FAILURES = 5;

export class ReadFaults {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onLasting: (error: unknown) => void;
  #failures = 0;
  #restUntilMs = Number.NEGATIVE_INFINITY;

  /** `onLasting`: the content is not what it was, or cannot be read for good. */
  constructor(clock: Clock, log: Log, onLasting: (error: unknown) => void) {
    this.#clock = clock;
    this.#log = log;
    this.#onLasting = onLasting;
  }

  /** Nothing should be read now. */
  isResting(nowMs: number): boolean {
    return nowMs < this.#restUntilMs;
  }

  /** A read failed. Those that were under way together count once. */
  failed(error: unknown): void {
    const nowMs = this.#clock.nowMs();
    if (!isShoalError(error, 'IO')) {
      this.#onLasting(error);
      return;
    }
    if (this.isResting(nowMs)) return;
    if (++this.#failures > MAX_FAILURES) {
      this.#onLasting(error);
      return;
    }
    const restMs = FIRST_REST_MS * 2 ** (this.#failures - 1);
    this.#restUntilMs = nowMs + restMs;
    this.#log.write('warn', 'content cannot be read now: it is tried again', { why: describeError(error), restMs });
  }

  /** Something was read and sent. */
  worked(): void {
    this.#failures = 0;
  }
}
