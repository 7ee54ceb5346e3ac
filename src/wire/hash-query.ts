// The five fields that hash request, hashes and hash reject begin with (BEP 52, "peer messages").

import { readU32, writeU32 } from '../base/bytes.ts';

/** Bytes of a SHA-256 node of a merkle tree. */
export const HASH_BYTES = 32;

/** Bytes of a {@link HashQuery} on the wire: the root and four numbers. */
export const HASH_QUERY_BYTES: number = HASH_BYTES + 4 * 4;

/**
 * Which hashes of a file's merkle tree are meant. All numbers are from 0 to 2^32 - 1 and, from a remote, as it sent
 * them: whoever answers checks them against the tree.
 */
export interface HashQuery {
  /** Root of the file's tree, 32 bytes. */
  readonly piecesRoot: Uint8Array;
  /** Layer of the hashes, counted up from the leaves (0). */
  readonly baseLayer: number;
  /** First hash in that layer, a multiple of `length`. */
  readonly index: number;
  /** Number of hashes, a power of two from 2 on. */
  readonly length: number;
  /** Layers above the base layer whose uncles are wanted; those that follow from the hashes themselves count too. */
  readonly proofLayers: number;
}

/** Reads 48 bytes; the root is copied. */
export function readHashQuery(bytes: Uint8Array, at: number): HashQuery {
  const numbers = at + HASH_BYTES;
  return {
    piecesRoot: new Uint8Array(bytes.subarray(at, numbers)),
    baseLayer: readU32(bytes, numbers),
    index: readU32(bytes, numbers + 4),
    length: readU32(bytes, numbers + 8),
    proofLayers: readU32(bytes, numbers + 12),
  };
}

/** Writes 48 bytes. */
export function writeHashQuery(bytes: Uint8Array, at: number, query: HashQuery): void {
  const numbers = at + HASH_BYTES;
  bytes.set(query.piecesRoot, at);
  writeU32(bytes, numbers, query.baseLayer);
  writeU32(bytes, numbers + 4, query.index);
  writeU32(bytes, numbers + 8, query.length);
  writeU32(bytes, numbers + 12, query.proofLayers);
}
