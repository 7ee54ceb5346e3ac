// A torrent's own rate limit within the limit that all torrents share, handed out in whole blocks and in turns.

import { BLOCK_BYTES } from '../metainfo/geometry.ts';
import type { TokenBucket } from './token-bucket.ts';

/**
 * Grants what both buckets allow; only what is granted is counted, in both.
 *
 * ```
 *   open --less is there than was wanted: onDry--> dry --refilled--> open
 * ```
 * While it is dry nobody is granted anything: what trickles in would all go to whoever asks most often, and that is who
 * is served most. After `refilled` the peers are looked at in turn.
 */
export class Limits {
  readonly #shared: TokenBucket;
  readonly #own: TokenBucket;
  readonly #onDry: () => void;
  #isDry = false;

  /**
   * The buckets are borrowed: `shared` serves other torrents too, and rates are set on them directly. `onDry`: somebody
   * waits, `refilled` is wanted soon.
   */
  constructor(shared: TokenBucket, own: TokenBucket, onDry: () => void) {
    this.#shared = shared;
    this.#own = own;
    this.#onDry = onDry;
  }

  get isUnlimited(): boolean {
    return this.#shared.isUnlimited && this.#own.isUnlimited;
  }

  /** How many of `max` blocks may move now; they are counted in full. What is less than that is to be given back. */
  takeBlocks(max: number, nowMs: number): number {
    if (this.isUnlimited) return max;
    const granted = this.#take(max * BLOCK_BYTES, nowMs);
    const blocks = Math.ceil(granted / BLOCK_BYTES);
    this.#spend(blocks * BLOCK_BYTES - granted);
    return blocks;
  }

  /** Whether so many bytes may move now, all or nothing; they are counted. */
  takeAll(bytes: number, nowMs: number): boolean {
    if (this.isUnlimited) return true;
    const granted = this.#take(bytes, nowMs);
    if (granted === 0) return false;
    this.#spend(bytes - granted);
    return true;
  }

  /** Of what was taken so much was not needed: where that is a block, others may have it at once. */
  giveBack(bytes: number): void {
    if (this.isUnlimited) return;
    this.#spend(-bytes);
    if (bytes >= BLOCK_BYTES) this.#isDry = false;
  }

  /** The buckets have something again, and peers are about to be looked at in turn. */
  refilled(): void {
    this.#isDry = false;
  }

  /** The lower of both limits, null for none. */
  get bytesPerSecond(): number | null {
    const own = this.#own.bytesPerSecond;
    const shared = this.#shared.bytesPerSecond;
    return own === null ? shared : shared === null ? own : Math.min(own, shared);
  }

  #take(max: number, nowMs: number): number {
    let granted = 0;
    if (!this.#isDry) {
      const own = this.#own.available(max, nowMs);
      granted = own === 0 ? 0 : this.#shared.available(own, nowMs);
      this.#spend(granted);
    }
    if (granted < max) {
      this.#isDry = true;
      this.#onDry();
    }
    return granted;
  }

  #spend(bytes: number): void {
    this.#own.spend(bytes);
    this.#shared.spend(bytes);
  }
}
