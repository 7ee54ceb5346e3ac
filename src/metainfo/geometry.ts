// Pieces and blocks as numbers: where each begins, how long it is, which bytes of it exist.

import { assert } from '../base/assert.ts';
import type { TorrentInfo } from './types.ts';

/** Unit of request (BEP 3) and leaf of a v2 merkle tree (BEP 52). */
export const BLOCK_BYTES = 16384;

/**
 * The piece space of one torrent.
 *
 * ```
 * piece space  |--file a--|pad|-----file b-----|pad|--file c--|
 * pieces       |------0-------|-------1-------|-------2-------|...
 * blocks       |----|----|----|
 * ```
 * In v1 and hybrid torrents padding is part of the pieces. In v2-only torrents every file begins a piece, and what
 * follows the file's end in its last piece is in no piece: such a piece is short.
 */
export class Geometry {
  readonly pieceCount: number;
  readonly pieceLengthBytes: number;
  readonly spaceBytes: number;
  readonly #hasV1: boolean;
  /** Bytes of each piece up to its last byte of data; null where no piece ends in padding. */
  readonly #dataBytes: Uint32Array | null;

  constructor(info: TorrentInfo) {
    this.pieceCount = info.pieceCount;
    this.pieceLengthBytes = info.pieceLengthBytes;
    this.spaceBytes = info.spaceBytes;
    this.#hasV1 = info.hasV1;
    const padded = info.hasV2 || info.files.some((file) => file.padding);
    this.#dataBytes = padded ? dataBytesOf(info) : null;
  }

  /** Whether pieces end in padding that is never fetched. */
  get hasPadding(): boolean {
    return this.#dataBytes !== null;
  }

  /** Where a piece begins in the piece space. */
  pieceOffset(piece: number): number {
    return piece * this.pieceLengthBytes;
  }

  /**
   * How far a remote may ask into a piece, and what SHA-1 covers: padding included. (libtorrent 2.0 takes what follows
   * the end of a file in v2-only torrents for part of the piece, also in the last one, and gets zeros for it.)
   */
  fullBytes(piece: number): number {
    assert(piece >= 0 && piece < this.pieceCount, 'piece in range');
    if (!this.#hasV1) return this.pieceLengthBytes;
    return Math.min(this.pieceLengthBytes, this.spaceBytes - piece * this.pieceLengthBytes);
  }

  /** Bytes of a piece up to its last byte of data: what a v2 tree covers and what is worth fetching. */
  dataBytes(piece: number): number {
    return this.#dataBytes ? this.#dataBytes[piece]! : this.fullBytes(piece);
  }

  /** Length of a piece: short at the end of a file in v2-only torrents. What slots, hashes and blocks are made for. */
  pieceBytes(piece: number): number {
    return this.#hasV1 ? this.fullBytes(piece) : this.dataBytes(piece);
  }

  /** Blocks that are requested: those after the last byte of data are padding, known to be zero. */
  blockCount(piece: number): number {
    return Math.ceil(this.dataBytes(piece) / BLOCK_BYTES);
  }

  /** Length to request. The padding behind the data in a last block belongs to the block in v1 and hybrid torrents. */
  blockBytes(piece: number, block: number): number {
    return Math.min(BLOCK_BYTES, this.pieceBytes(piece) - block * BLOCK_BYTES);
  }
}

function dataBytesOf(info: TorrentInfo): Uint32Array {
  const out = new Uint32Array(info.pieceCount);
  for (const file of info.files) {
    if (file.padding || file.lengthBytes === 0) continue;
    const end = file.offsetBytes + file.lengthBytes;
    const first = Math.floor(file.offsetBytes / info.pieceLengthBytes);
    const last = Math.ceil(end / info.pieceLengthBytes) - 1;
    out.fill(info.pieceLengthBytes, first, last);
    out[last] = end - last * info.pieceLengthBytes;
  }
  return out;
}
