// Where files lie in a line of bytes: binary search over their offsets, and the spans of any range.

import { SPAN_STRIDE, type Spans } from '../ports/piece-io.ts';

/**
 * Files in a line of bytes, gaps (padding) allowed, empty files left out.
 *
 * ```
 * line     |---file 0---|..gap..|--file 1--|-file 3-|
 * starts   0                    ^          ^
 * ends                  ^                  ^        ^
 * ```
 * A lookup costs a binary search and makes nothing but the spans themselves, so a million files are no burden.
 */
export class SpanTable {
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  readonly #files: Uint32Array;

  /** `starts` and `lengths` by file index; starts ascend and files do not overlap. */
  constructor(starts: ArrayLike<number>, lengths: ArrayLike<number>) {
    let count = 0;
    for (let i = 0; i < lengths.length; i++) if (lengths[i]! > 0) count++;
    this.#starts = new Float64Array(count);
    this.#ends = new Float64Array(count);
    this.#files = new Uint32Array(count);
    let entry = 0;
    for (let i = 0; i < lengths.length; i++) {
      if (lengths[i]! === 0) continue;
      this.#starts[entry] = starts[i]!;
      this.#ends[entry] = starts[i]! + lengths[i]!;
      this.#files[entry++] = i;
    }
  }

  /** The first file that has a byte at or after `offset`; -1 where there is none. */
  fileEndingAfter(offset: number): number {
    return this.#files[this.#entryEndingAfter(offset)] ?? -1;
  }

  /** The last file that has a byte before `offset`; -1 where there is none. */
  fileStartingBefore(offset: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return this.#files[low - 1] ?? -1;
  }

  /**
   * Spans of the range `[start, start + length)`, placed in a buffer from `bufferOffset` on.
   * With `blockBytes` the range is cut into blocks, and `gapBytes` of the buffer stay free between them.
   */
  spans(start: number, length: number, bufferOffset = 0, blockBytes: number = length, gapBytes = 0): Spans {
    const count = this.#walk(null, start, length, bufferOffset, blockBytes, gapBytes);
    const out = new Float64Array(count * SPAN_STRIDE);
    this.#walk(out, start, length, bufferOffset, blockBytes, gapBytes);
    return out;
  }

  /** Counts the spans and, where `out` is given, writes them. */
  #walk(
    out: Spans | null,
    start: number,
    length: number,
    bufferOffset: number,
    blockBytes: number,
    gap: number,
  ): number {
    const end = start + length;
    let count = 0;
    let at = start;
    for (let entry = this.#entryEndingAfter(start); entry < this.#starts.length; ) {
      const fileStart = this.#starts[entry]!;
      const from = Math.max(at, fileStart);
      if (from >= end) break;
      const block = Math.floor((from - start) / blockBytes);
      const to = Math.min(end, this.#ends[entry]!, start + (block + 1) * blockBytes);
      if (out !== null) {
        const slot = count * SPAN_STRIDE;
        out[slot] = this.#files[entry]!;
        out[slot + 1] = from - fileStart;
        out[slot + 2] = bufferOffset + (from - start) + block * gap;
        out[slot + 3] = to - from;
      }
      count++;
      at = to;
      if (to === this.#ends[entry]!) entry++;
    }
    return count;
  }

  #entryEndingAfter(offset: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
