// How much is read in one turn of the event loop. libuv goes on with a socket while it has data, and with all sockets that have
// some: with 50 fast peers a turn would last a tenth of a second. Above a budget each socket is read once and then waits for
// the next turn, in which timers, answers of workers and other sockets have had their say.

import type { Clock } from '../../../ports/clock.ts';

/** Some milliseconds of work. Far more than what one peer sends in a turn, which loses nothing. */
const TURN_BYTES = 2 * 1024 * 1024;

export interface Reading {
  /** A new turn has begun: read on. */
  goOn(): void;
}

/** Of all sockets of a process: they share one event loop. */
export class ReadTurn {
  #readBytes = 0;
  #waiting: Reading[] = [];

  /** Counts what was read; true where the socket is to wait until it is told to go on. */
  isOver(reading: Reading, bytes: number, clock: Clock): boolean {
    if (this.#readBytes === 0) clock.defer(this.#next);
    this.#readBytes += bytes;
    if (this.#readBytes < TURN_BYTES) return false;
    this.#waiting.push(reading);
    return true;
  }

  readonly #next = (): void => {
    this.#readBytes = 0;
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const reading of waiting) reading.goOn();
  };
}
