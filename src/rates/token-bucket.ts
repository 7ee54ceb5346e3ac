// A rate limit: so many bytes a second on average, and never more than a tenth of a second's worth at once.

/** What may be saved up while nothing is sent; also the longest pause between two looks that loses nothing. */
const BURST_MS = 100;
/** A block is never cut: what it takes above what is there is a debt, paid before anything else is granted. */
const BLOCK_BYTES = 16384;
/**
 * What a late look lost although bytes were waiting is made good, up to this much, by running a tenth faster: a busy
 * machine then still keeps the average. With what is saved up, 10 s have 2 % too much at most.
 */
const ARREARS_MS = 100;
const ARREARS_RATE = 0.1;

/** `available` then `spend`, or `take` for both. Times are monotonic milliseconds. */
export class TokenBucket {
  #bytesPerSecond: number | null;
  #tokens: number;
  #arrears = 0;
  #atMs: number;
  /** The last request was granted less than it wanted. */
  #starved = false;

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
    this.#arrears = 0;
    if (bytesPerSecond === null) this.#tokens = 0;
  }

  /** How many of `max` bytes may be sent now: all, some, or 0. A single block is granted whole or not at all. */
  available(max: number, nowMs: number): number {
    if (this.#bytesPerSecond === null) return max;
    this.#refill(nowMs);
    const granted = this.#tokens <= 0 ? 0 : Math.min(max, Math.max(Math.floor(this.#tokens), BLOCK_BYTES));
    this.#starved = granted < max;
    return granted;
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

  /** Milliseconds until something is granted again: 0 when it is now, Infinity at a rate of 0. */
  nextMs(nowMs: number): number {
    if (this.#bytesPerSecond === null) return 0;
    this.#refill(nowMs);
    if (this.#tokens > 0) return 0;
    return this.#bytesPerSecond === 0 ? Number.POSITIVE_INFINITY : ((1 - this.#tokens) * 1000) / this.#bytesPerSecond;
  }

  #burst(): number {
    return ((this.#bytesPerSecond ?? 0) * BURST_MS) / 1000;
  }

  #refill(nowMs: number): void {
    const elapsedMs = nowMs - this.#atMs;
    if (elapsedMs <= 0 || this.#bytesPerSecond === null) {
      this.#atMs = Math.max(this.#atMs, nowMs);
      return;
    }
    this.#atMs = nowMs;
    const earned = (this.#bytesPerSecond * elapsedMs) / 1000;
    const extra = Math.min(this.#arrears, earned * ARREARS_RATE);
    this.#arrears -= extra;
    this.#tokens += earned + extra;
    const over = this.#tokens - this.#burst();
    if (over <= 0) return;
    this.#tokens -= over;
    if (this.#starved) this.#arrears = Math.min(this.#arrears + over, (this.#bytesPerSecond * ARREARS_MS) / 1000);
  }
}
