// Memory for pieces, shared by the torrents of a session: one that has none comes before those that have some.

import type { Clock } from '../ports/clock.ts';

/** Who was refused and did not try again for so long has nobody to ask any more: a torrent tries once a second. */
const HUNGRY_MS = 2500;

/** A torrent, as far as its memory goes. */
export interface SlotHolder {
  /** Pieces it has memory for. */
  readonly count: number;
  /** Memory was given back: it may try again. */
  onFreed(): void;
}

/**
 * ```
 *   refused, and has none --> hungry --got one, or tried no more--> like the others
 *   while anybody is hungry, the others take nothing new
 * ```
 * So the memory of whichever piece is written next goes to a hungry torrent, and each gets its turn.
 */
export class SlotShares {
  readonly #clock: Clock;
  /** When each tried last; who waits longest comes first. */
  readonly #hungry: Map<SlotHolder, number> = new Map();
  #refusedMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Somebody was refused just now. */
  get isScarce(): boolean {
    return this.#clock.nowMs() - this.#refusedMs < HUNGRY_MS;
  }

  /** Whether it may take memory for one more piece; else it has to wait as if there were none. */
  mayTake(holder: SlotHolder): boolean {
    if (this.#hungry.size === 0 || this.#hungry.has(holder)) return true;
    const nowMs = this.#clock.nowMs();
    for (const [other, triedMs] of this.#hungry) if (nowMs - triedMs >= HUNGRY_MS) this.#hungry.delete(other);
    if (this.#hungry.size === 0) return true;
    this.refused(holder);
    return false;
  }

  refused(holder: SlotHolder): void {
    this.#refusedMs = this.#clock.nowMs();
    if (holder.count === 0) this.#hungry.set(holder, this.#refusedMs);
  }

  /** It got memory, or wants none any more. */
  fed(holder: SlotHolder): void {
    this.#hungry.delete(holder);
  }

  freed(): void {
    for (const holder of this.#hungry.keys()) holder.onFreed();
  }
}
