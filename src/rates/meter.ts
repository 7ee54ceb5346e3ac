// How many bytes a second, over the last five seconds, and how many in all.

/** Slices of the window: fine enough that the rate moves smoothly, and new rates show within a second. */
const SLICE_MS = 250;
const SLICES = 20;
/** A rate over less time than this is noise: the first block of a peer would read as its speed. */
const MIN_SPAN_MS = 500;

/** The slices of meters to which nothing was added yet: idle torrents have many. Never written. */
const NOTHING: Float64Array = new Float64Array(SLICES);

/**
 * A sliding window. `add` is cheap enough for every block.
 *
 * ```
 *   | oldest |  ...  |  ...  | current |      20 slices of 250 ms, used in a circle
 *                               ^ now
 * ```
 */
export class Meter {
  #slices: Float64Array = NOTHING;
  /** Number of the current slice since time 0. */
  #slice = Number.NaN;
  #sum = 0;
  #total = 0;
  /** Since when there is a flow without a pause as long as the window. */
  #sinceMs = 0;

  /** All bytes ever added. */
  get total(): number {
    return this.#total;
  }

  add(bytes: number, nowMs: number): void {
    this.#advance(nowMs);
    if (this.#sum === 0) {
      this.#sinceMs = nowMs;
      if (this.#slices === NOTHING) this.#slices = new Float64Array(SLICES);
    }
    this.#slices[this.#slice % SLICES]! += bytes;
    this.#sum += bytes;
    this.#total += bytes;
  }

  bytesPerSecond(nowMs: number): number {
    this.#advance(nowMs);
    if (this.#sum === 0) return 0;
    const windowStartMs = (this.#slice - SLICES + 1) * SLICE_MS;
    const spanMs = nowMs - Math.max(windowStartMs, this.#sinceMs);
    return (this.#sum * 1000) / Math.max(spanMs, MIN_SPAN_MS);
  }

  /** Empties the slices that the window has left behind. A clock that stands still or goes back changes nothing. */
  #advance(nowMs: number): void {
    const slice = Math.floor(nowMs / SLICE_MS);
    if (Number.isNaN(this.#slice)) this.#slice = slice;
    const steps = Math.min(slice - this.#slice, SLICES);
    if (steps <= 0) return;
    this.#slice = slice;
    if (this.#slices === NOTHING) return;
    for (let i = 0; i < steps; i++) {
      const at = (slice - i) % SLICES;
      this.#sum -= this.#slices[at]!;
      this.#slices[at] = 0;
    }
  }
}
