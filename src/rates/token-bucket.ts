// A rate limit: so many bytes a second on average, and never more than a tenth of a second's worth at once.

import { BLOCK_BYTES } from '../metainfo/geometry.ts';

/**
 * The most that is granted at once: what is saved up while nothing is sent, and the last block, which is never cut (what it
 * takes above what is there is a debt, paid before anything else is granted). A tenth of a second less what the way to
 * the wire adds. Of a longer pause between two looks nothing is made good: that would be a burst.
 */
const BURST_MS = 90;
/** Saved up at least, at rates where a block is most of that. */
const LEAST_BURST_MS = 40;

/** `available` then `spend`, or `take` for both. Times are monotonic milliseconds. */
export class TokenBucket {
  #bytesPerSecond: number | null;
  #tokens: number;
  #atMs: number;

  /** `bytesPerSecond`: null for no limit. Begins with nothing saved, so that a start is no burst. */
  constructor(bytesPerSecond: number | null, nowMs: number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#tokens = 0;
    this.#atMs = nowMs;
  }

  get bytesPerSecond(): number | null {
    return this.#bytesPerSecond;
  }

  get isUnlimited(): boolean {
    return this.#bytesPerSecond === null;
  }

  /** What was saved or owed is forgotten where the limit is lifted or lowered. */
  setRate(bytesPerSecond: number | null, nowMs: number): void {
    this.#refill(nowMs);
    this.#bytesPerSecond = bytesPerSecond;
    this.#tokens = Math.min(this.#tokens, this.#burst());
    if (bytesPerSecond === null) this.#tokens = 0;
  }

  /** How many of `max` bytes may be sent now: all, some, or 0. A single block is granted whole or not at all. */
  available(max: number, nowMs: number): number {
    if (this.#bytesPerSecond === null) return max;
    this.#refill(nowMs);
    return this.#tokens <= 0 ? 0 : Math.min(max, Math.max(Math.floor(this.#tokens), BLOCK_BYTES));
  }

  /** Counts bytes that are sent. */
  spend(bytes: number): void {
    if (this.#bytesPerSecond !== null) this.#tokens -= bytes;
  }

  /** Grants 0 to `max` bytes and counts them. */
  take(max: number, nowMs: number): number {
    const granted = this.available(max, nowMs);
    this.spend(granted);
    return granted;
  }

  #burst(): number {
    const perMs = (this.#bytesPerSecond ?? 0) / 1000;
    return Math.max(perMs * LEAST_BURST_MS, perMs * BURST_MS - BLOCK_BYTES);
  }

  #refill(nowMs: number): void {
    const elapsedMs = nowMs - this.#atMs;
    if (elapsedMs <= 0 || this.#bytesPerSecond === null) {
      this.#atMs = Math.max(this.#atMs, nowMs);
      return;
    }
    this.#atMs = nowMs;
    this.#tokens = Math.min(this.#burst(), this.#tokens + (this.#bytesPerSecond * elapsedMs) / 1000);
  }
}
