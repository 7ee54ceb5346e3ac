// The pieces that are begun, and the memory of each.

import { assert } from '../base/assert.ts';
import type { Geometry } from '../metainfo/geometry.ts';
import type { PieceIo, PieceSlot } from '../ports/piece-io.ts';
import type { SlotHolder, SlotShares } from './slot-shares.ts';

/**
 * While so much of a torrent is hashed and written no piece of it is begun: it is what two threads do at once, 8 MiB each, and what
 * gathers meanwhile. With more the disk is slower than the peers, and memory would only pile up.
 */
const MOST_COMMITTING_BYTES = 24 * 1024 * 1024;
/** Of long pieces one is received while another is written. */
const LEAST_COMMITTING = 2;

export interface BegunPiece {
  readonly slot: PieceSlot;
  /** While it is hashed and written its blocks may not be touched; see {@link Slots.setCommitting}. */
  committing: boolean;
  /** SHA-256 of its blocks, while its leaf hashes are awaited. */
  onTrial: Uint8Array | null;
}

export class Slots implements SlotHolder {
  readonly #pieceIo: PieceIo;
  readonly #geometry: Geometry;
  readonly #shares: SlotShares;
  readonly onFreed: () => void;
  readonly #begun: Map<number, BegunPiece> = new Map();
  /** Memory for the next piece, taken before one is picked. */
  #spare: PieceSlot | null = null;
  /** What it was at the last `trim`. */
  #oldSpare: PieceSlot | null = null;
  #committing = 0;
  #committingBytes = 0;

  /** `onFreed`: memory may be had now that was refused before. */
  constructor(pieceIo: PieceIo, geometry: Geometry, shares: SlotShares, onFreed: () => void) {
    this.#pieceIo = pieceIo;
    this.#geometry = geometry;
    this.#shares = shares;
    this.onFreed = onFreed;
  }

  get count(): number {
    return this.#begun.size;
  }

  get(piece: number): BegunPiece | undefined {
    return this.#begun.get(piece);
  }

  /** Whether there is memory for one more piece, and the disk keeps up. */
  hasRoom(): boolean {
    if (this.#committing >= LEAST_COMMITTING && this.#committingBytes >= MOST_COMMITTING_BYTES) {
      this.#giveSpare();
      return false;
    }
    if (!this.#shares.mayTake(this)) {
      this.#giveSpare();
      return false;
    }
    if (this.#spare) return true;
    this.#spare = this.#acquire(this.#geometry.pieceLengthBytes);
    if (this.#spare) this.#shares.fed(this);
    else this.#shares.refused(this);
    return this.#spare !== null;
  }

  /** A begun piece is hashed and written from now on, or no more. */
  setCommitting(begun: BegunPiece, isCommitting: boolean): void {
    if (begun.committing === isCommitting) return;
    begun.committing = isCommitting;
    this.#committing += isCommitting ? 1 : -1;
    this.#committingBytes += isCommitting ? begun.slot.bytes.length : -begun.slot.bytes.length;
  }

  /** Nothing more is wanted. */
  close(): void {
    this.#shares.fed(this);
  }

  /** Pieces that wait for blocks: neither being hashed nor on trial. */
  *waiting(): Iterable<number> {
    for (const [piece, begun] of this.#begun) if (!begun.committing && begun.onTrial === null) yield piece;
  }

  #giveSpare(): void {
    if (this.#spare) this.#free(this.#spare);
    this.#spare = null;
  }

  #free(slot: PieceSlot): void {
    this.#pieceIo.release(slot);
    this.#shares.freed();
  }

  /** Gives back memory that was taken ahead and has lain unused since the last call: other torrents want it too. */
  trim(): void {
    if (this.#spare === this.#oldSpare) this.#giveSpare();
    this.#oldSpare = this.#spare;
  }

  /** Gives a piece its memory; false where there is none to give. */
  begin(piece: number): boolean {
    const length = this.#geometry.pieceBytes(piece);
    let slot = this.#spare;
    this.#spare = null;
    if (slot && slot.bytes.length !== length) {
      this.#pieceIo.release(slot);
      slot = null;
    }
    slot ??= this.#acquire(length);
    if (!slot) return false;
    this.#begun.set(piece, { slot, committing: false, onTrial: null });
    return true;
  }

  /** Every byte of a piece without padding is overwritten by a block before anybody looks at it. */
  #acquire(lengthBytes: number): PieceSlot | null {
    return this.#pieceIo.acquire(lengthBytes, !this.#geometry.hasPadding);
  }

  release(piece: number): void {
    const begun = this.#begun.get(piece);
    assert(begun, 'a released piece is begun');
    this.#begun.delete(piece);
    this.setCommitting(begun, false);
    this.#free(begun.slot);
  }

  /** Gives back all memory that nothing is being done with; returns the pieces that lost theirs. */
  releaseIdle(): number[] {
    this.#giveSpare();
    const idle = [...this.#begun].filter(([, begun]) => !begun.committing).map(([piece]) => piece);
    for (const piece of idle) this.release(piece);
    return idle;
  }
}
