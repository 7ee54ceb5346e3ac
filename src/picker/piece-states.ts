// One byte a piece: its priority and what keeps it from being picked; and the two sets that follow from it.

/** Unless told otherwise. */
const DEFAULT_PRIORITY = 4;

const PRIORITY = 0x07;
const VERIFIED = 0x08;
const BEGUN = 0x10;
const HASH_UNKNOWN = 0x20;
/** Nothing but padding: there is nothing to ask for. */
const EMPTY = 0x40;

export type Priority = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** What a picker needs to know of a torrent's pieces; `Geometry` has it. */
export interface PieceShape {
  readonly pieceCount: number;
  /** Blocks to ask for; 0 for a piece of padding only. */
  blockCount(piece: number): number;
}

/**
 * `wanted`: asked for by the user, not verified, not empty: what makes a peer interesting.
 * `open`: of these, the ones that can be begun now. Both are laid out as bitfields on the wire.
 */
export class PieceStates {
  readonly wanted: Uint8Array;
  readonly open: Uint8Array;
  /** Most blocks of a piece. */
  readonly maxBlocks: number;
  /** Changes when a piece becomes open, so that a peer for which nothing was open is looked at again. */
  openRevision = 0;
  /** No piece before this one is open. */
  lowestOpen = 0;
  #wantedLeft: number;
  readonly #flags: Uint8Array;

  constructor(shape: PieceShape) {
    const count = shape.pieceCount;
    this.#flags = new Uint8Array(count).fill(DEFAULT_PRIORITY);
    this.wanted = new Uint8Array(Math.ceil(count / 8));
    let maxBlocks = 0;
    for (let piece = 0; piece < count; piece++) {
      const blocks = shape.blockCount(piece);
      if (blocks > maxBlocks) maxBlocks = blocks;
      if (blocks === 0) this.#flags[piece] = DEFAULT_PRIORITY | EMPTY;
      else this.wanted[piece >> 3]! |= 0x80 >> (piece & 7);
    }
    this.open = this.wanted.slice();
    this.maxBlocks = maxBlocks;
    this.#wantedLeft = count;
  }

  /** Pieces with a priority that are not verified, empty ones included. */
  get wantedLeft(): number {
    return this.#wantedLeft;
  }

  priorityOf(piece: number): number {
    return this.#flags[piece]! & PRIORITY;
  }

  isVerified(piece: number): boolean {
    return (this.#flags[piece]! & VERIFIED) !== 0;
  }

  isWanted(piece: number): boolean {
    return (this.wanted[piece >> 3]! & (0x80 >> (piece & 7))) !== 0;
  }

  isOpen(piece: number): boolean {
    return (this.open[piece >> 3]! & (0x80 >> (piece & 7))) !== 0;
  }

  /** Whether blocks of a begun piece may be asked for. */
  isPickable(piece: number): boolean {
    const flags = this.#flags[piece]!;
    return (flags & PRIORITY) !== 0 && (flags & (VERIFIED | HASH_UNKNOWN | EMPTY)) === 0;
  }

  setPriority(piece: number, priority: Priority): void {
    this.#change(piece, (this.#flags[piece]! & ~PRIORITY) | priority);
  }

  setVerified(piece: number, verified: boolean): void {
    this.#set(piece, VERIFIED, verified);
  }

  setBegun(piece: number, begun: boolean): void {
    this.#set(piece, BEGUN, begun);
  }

  setHashKnown(piece: number, known: boolean): void {
    this.#set(piece, HASH_UNKNOWN, !known);
  }

  #set(piece: number, flag: number, on: boolean): void {
    const flags = this.#flags[piece]!;
    this.#change(piece, on ? flags | flag : flags & ~flag);
  }

  #change(piece: number, flags: number): void {
    const before = this.#flags[piece]!;
    this.#flags[piece] = flags;
    this.#wantedLeft += countsAsLeft(flags) - countsAsLeft(before);
    const at = piece >> 3;
    const mask = 0x80 >> (piece & 7);
    const wanted = countsAsLeft(flags) === 1 && (flags & EMPTY) === 0;
    const open = wanted && (flags & (BEGUN | HASH_UNKNOWN)) === 0;
    this.wanted[at] = wanted ? this.wanted[at]! | mask : this.wanted[at]! & ~mask;
    if (open === ((this.open[at]! & mask) !== 0)) return;
    this.open[at]! ^= mask;
    if (!open) return;
    this.openRevision++;
    if (piece < this.lowestOpen) this.lowestOpen = piece;
  }
}

function countsAsLeft(flags: number): number {
  return (flags & PRIORITY) !== 0 && (flags & VERIFIED) === 0 ? 1 : 0;
}
