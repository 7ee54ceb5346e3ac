// A torrent's own rate limit within the limit that all torrents share.

import type { TokenBucket } from './token-bucket.ts';

/** Grants what both buckets allow; only what is granted is counted, in both. */
export class Limits {
  readonly #shared: TokenBucket;
  readonly #own: TokenBucket;

  /** The buckets are borrowed: `shared` serves other torrents too, and rates are set on them directly. */
  constructor(shared: TokenBucket, own: TokenBucket) {
    this.#shared = shared;
    this.#own = own;
  }

  get isUnlimited(): boolean {
    return this.#shared.isUnlimited && this.#own.isUnlimited;
  }

  /** Grants 0 to `max` bytes and counts them. */
  take(max: number, nowMs: number): number {
    const own = this.#own.available(max, nowMs);
    const granted = own === 0 ? 0 : this.#shared.available(own, nowMs);
    this.#own.spend(granted);
    this.#shared.spend(granted);
    return granted;
  }

  /** Counts bytes that moved without asking, such as a block that came before reading was paused. */
  spend(bytes: number): void {
    this.#own.spend(bytes);
    this.#shared.spend(bytes);
  }

  /** Milliseconds until something is granted again. */
  nextMs(nowMs: number): number {
    return Math.max(this.#own.nextMs(nowMs), this.#shared.nextMs(nowMs));
  }

  /** The lower of both limits, null for none. */
  get bytesPerSecond(): number | null {
    const own = this.#own.bytesPerSecond;
    const shared = this.#shared.bytesPerSecond;
    return own === null ? shared : shared === null ? own : Math.min(own, shared);
  }
}
