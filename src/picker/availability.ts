// How many connected peers have each piece. Seeds are one number, so that they come and go without touching the pieces.

import type { Bitfield } from '../base/bitfield.ts';

/** A piece is counted at most this often; far above any limit of connections. */
const MAX_COUNT = 0xffff;

/**
 * Copies of each piece among connected peers: `counts[piece]` of those that have a part, plus `seeds`.
 *
 * Only the sum matters: a peer that joined with a part and left with all is taken off `seeds` when there are any, and
 * off every piece otherwise.
 */
export class Availability {
  /** By piece, seeds left out. Written here only. */
  readonly counts: Uint16Array;
  #seeds = 0;

  constructor(pieceCount: number) {
    this.counts = new Uint16Array(pieceCount);
  }

  get seeds(): number {
    return this.#seeds;
  }

  of(piece: number): number {
    return this.counts[piece]! + this.#seeds;
  }

  addSeed(): void {
    this.#seeds++;
  }

  /** True where all pieces were counted down one by one, so that their order must be made anew. */
  removeSeed(): boolean {
    if (this.#seeds > 0) {
      this.#seeds--;
      return false;
    }
    for (let piece = 0; piece < this.counts.length; piece++) if (this.counts[piece]! > 0) this.counts[piece]!--;
    return true;
  }

  /** Counts one more copy; false at the (unreachable in practice) ceiling. */
  add(piece: number): boolean {
    if (this.counts[piece] === MAX_COUNT) return false;
    this.counts[piece]!++;
    return true;
  }

  /**
   * Counts one copy less. Where only seeds were known to have it, one seed becomes a peer with parts: then true
   * ("all changed") is returned and the order must be made anew.
   */
  remove(piece: number): boolean {
    if (this.counts[piece]! > 0) {
      this.counts[piece]!--;
      return false;
    }
    if (this.#seeds === 0) return false;
    this.#seeds--;
    for (let i = 0; i < this.counts.length; i++) if (i !== piece && this.counts[i]! < MAX_COUNT) this.counts[i]!++;
    return true;
  }

  /** Adds or takes off (`by` is 1 or -1) a whole bitfield without any order being kept. */
  addAll(have: Bitfield, by: 1 | -1): void {
    const bytes = have.bytes;
    for (let at = 0; at < bytes.length; at++) {
      let byte = bytes[at]!;
      while (byte !== 0) {
        const bit = Math.clz32(byte) - 24;
        byte &= ~(0x80 >> bit);
        const piece = at * 8 + bit;
        if (by === 1) this.add(piece);
        else this.remove(piece);
      }
    }
  }

  /** The smallest number of copies over all pieces, plus the share of pieces that have more than that. O(pieces). */
  distributedCopies(): number {
    const counts = this.counts;
    if (counts.length === 0) return this.#seeds;
    let least = MAX_COUNT;
    let atLeast = 0;
    for (let piece = 0; piece < counts.length; piece++) {
      const count = counts[piece]!;
      if (count < least) [least, atLeast] = [count, 1];
      else if (count === least) atLeast++;
    }
    return this.#seeds + least + (counts.length - atLeast) / counts.length;
  }
}
