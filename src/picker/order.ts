// The pieces that may be begun, ordered by priority and then rarity, in random order among equals.
//
//   pieces    | level 0 (rarest) | level 1     | level 2 |  ...      level = (7 - priority) * width + copies
//               5   0   9   2      7   1   4     8   3
//   ends                         ^ 4           ^ 7       ^ 9
//   positions   of piece 7 is 4
//
// One copy more or less moves a piece over one border: two swaps. Going in and out costs one swap a level.

import type { Dice } from './dice.ts';
import type { PieceStates } from './piece-states.ts';

const PRIORITIES = 8;
/** Copies that are told apart at first; doubled when a piece has more. */
const FIRST_WIDTH = 32;

/**
 * A bucket sort that is kept up to date. Until the first `ensure` (a seed never gets there) and after `invalidate` it
 * holds nothing and ignores updates; `ensure` then makes it anew.
 */
export class PieceOrder {
  readonly #counts: Uint16Array;
  readonly #states: PieceStates;
  readonly #dice: Dice;
  #width = FIRST_WIDTH;
  #pieces: Uint32Array = new Uint32Array(0);
  #positions: Uint32Array = new Uint32Array(0);
  #ends: Uint32Array = new Uint32Array(0);
  #size = 0;
  #valid = false;

  /** `counts`: copies by piece, as `Availability` keeps them. */
  constructor(counts: Uint16Array, states: PieceStates, dice: Dice) {
    this.#counts = counts;
    this.#states = states;
    this.#dice = dice;
  }

  /** How many pieces are in the order; meaningful after `ensure`. */
  get size(): number {
    return this.#size;
  }

  /** The piece at a place: 0 is picked first. */
  at(position: number): number {
    return this.#pieces[position]!;
  }

  /** What a piece would be sorted by now: less is picked earlier. */
  levelOf(piece: number): number {
    const copies = this.#counts[piece]!;
    return (PRIORITIES - 1 - this.#states.priorityOf(piece)) * this.#width + Math.min(copies, this.#width - 1);
  }

  /** Pieces of the highest priority present are all equal here: that priority, 0 for an empty order. */
  topPriority(): number {
    return this.#size === 0 ? 0 : this.#states.priorityOf(this.#pieces[0]!);
  }

  /** How many pieces in the order are counted for no peer. */
  countWithoutCopies(): number {
    let count = 0;
    for (let level = 0; level < this.#ends.length; level += this.#width)
      count += this.#ends[level]! - this.#start(level);
    return count;
  }

  /** Too much changes at once: the order is made anew at the next `ensure`. */
  invalidate(): void {
    this.#valid = false;
  }

  /** Makes the order of the open pieces where it is not valid. */
  ensure(): void {
    if (this.#valid) return;
    const { open } = this.#states;
    this.#valid = true;
    const pieceCount = this.#counts.length;
    if (this.#pieces.length !== pieceCount) {
      this.#pieces = new Uint32Array(pieceCount);
      this.#positions = new Uint32Array(pieceCount);
    }
    this.#widen(open);
    this.#ends = new Uint32Array(PRIORITIES * this.#width);
    this.#fill(open);
    this.#shuffleLevels();
  }

  insert(piece: number): void {
    if (!this.#valid) return;
    if (this.#counts[piece]! >= this.#width) {
      this.#valid = false;
      return;
    }
    const level = this.levelOf(piece);
    const ends = this.#ends;
    for (let above = ends.length - 1; above > level; above--) {
      const start = ends[above - 1]!;
      const end = ends[above]!;
      if (end > start) this.#put(this.#pieces[start]!, end);
      ends[above] = end + 1;
    }
    this.#size++;
    this.#put(piece, ends[level]!);
    ends[level]!++;
    this.#scatter(piece, level);
  }

  /** Takes a piece out; its priority and copies must be what they were when it was last placed. */
  remove(piece: number): void {
    if (!this.#valid) return;
    const level = this.levelOf(piece);
    const ends = this.#ends;
    let hole = this.#positions[piece]!;
    for (let at = level; at < ends.length; at++) {
      const last = ends[at]! - 1;
      if (last >= this.#start(at) && last > hole) {
        this.#put(this.#pieces[last]!, hole);
        hole = last;
      }
    }
    for (let at = level; at < ends.length; at++) ends[at]!--;
    this.#size--;
  }

  /** The piece got a copy more: `counts` says so already. */
  raised(piece: number): void {
    if (!this.#valid) return;
    if (this.#counts[piece]! >= this.#width) {
      this.#valid = false;
      return;
    }
    const level = this.levelOf(piece);
    const last = this.#ends[level - 1]! - 1;
    this.#swap(piece, last);
    this.#ends[level - 1] = last;
    this.#scatter(piece, level);
  }

  /** The piece has a copy less: `counts` says so already. */
  lowered(piece: number): void {
    if (!this.#valid) return;
    const level = this.levelOf(piece);
    const first = this.#ends[level]!;
    this.#swap(piece, first);
    this.#ends[level] = first + 1;
    this.#scatter(piece, level);
  }

  #start(level: number): number {
    return level === 0 ? 0 : this.#ends[level - 1]!;
  }

  #put(piece: number, position: number): void {
    this.#pieces[position] = piece;
    this.#positions[piece] = position;
  }

  #swap(piece: number, position: number): void {
    const from = this.#positions[piece]!;
    this.#put(this.#pieces[position]!, from);
    this.#put(piece, position);
  }

  /** Swaps a piece that came into a level with a random one of it: every order of equals stays equally likely. */
  #scatter(piece: number, level: number): void {
    const start = this.#start(level);
    const size = this.#ends[level]! - start;
    if (size > 1) this.#swap(piece, start + this.#dice.below(size));
  }

  #widen(open: Uint8Array): void {
    const counts = this.#counts;
    let most = 0;
    for (let piece = 0; piece < counts.length; piece++) {
      if (counts[piece]! > most && (open[piece >> 3]! & (0x80 >> (piece & 7))) !== 0) most = counts[piece]!;
    }
    while (this.#width <= most) this.#width *= 2;
  }

  #fill(open: Uint8Array): void {
    const ends = this.#ends;
    const pieceCount = this.#counts.length;
    const isOpen = (piece: number): boolean => (open[piece >> 3]! & (0x80 >> (piece & 7))) !== 0;
    this.#size = 0;
    for (let piece = 0; piece < pieceCount; piece++) {
      if (!isOpen(piece)) continue;
      ends[this.levelOf(piece)]!++;
      this.#size++;
    }
    let sum = 0;
    for (let level = 0; level < ends.length; level++) {
      const size = ends[level]!;
      ends[level] = sum;
      sum += size;
    }
    // each end begins as its level's start and moves up as the level fills
    for (let piece = 0; piece < pieceCount; piece++) {
      if (isOpen(piece)) this.#put(piece, ends[this.levelOf(piece)]!++);
    }
  }

  #shuffleLevels(): void {
    for (let level = 0; level < this.#ends.length; level++) {
      const start = this.#start(level);
      for (let i = this.#ends[level]! - 1; i > start; i--) {
        const j = start + this.#dice.below(i - start + 1);
        const piece = this.#pieces[j]!;
        this.#put(this.#pieces[i]!, j);
        this.#put(piece, i);
      }
    }
  }
}
