// A hybrid torrent has two hashes of every piece (BEP 52). Where they are not of the same bytes, nobody can bring the piece.

import { equalBytes } from '../base/bytes.ts';
import { ShoalError } from '../base/errors.ts';
import type { Geometry } from '../metainfo/geometry.ts';
import { merkleRoot } from '../metainfo/merkle.ts';
import type { Hashes } from '../ports/hashes.ts';
import type { PieceCheck } from '../ports/piece-io.ts';

/**
 * Whether a piece failed although it is what one of its two hashes says: then the torrent is at fault, and whoever sent
 * it is not. `bytes` are as they came, `leaves` those of the failed commit.
 */
export function isContradiction(
  piece: number,
  bytes: Uint8Array,
  leaves: Uint8Array | null,
  check: PieceCheck,
  geometry: Geometry,
  hashes: Hashes,
): boolean {
  const { sha1, root, leafCount } = check;
  if (sha1 === null || root === null || leaves === null) return false;
  if (!equalBytes(merkleRoot(leaves, leafCount, hashes.sha256), root)) return equalBytes(hashes.sha1(bytes), sha1);
  // Only SHA-1 covers the padding, which a liar may send as well.
  for (let at = geometry.dataBytes(piece); at < bytes.length; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** What a torrent fails with that has such a piece. */
export function contradictionAt(piece: number): ShoalError {
  const what = `the v1 and v2 hashes of piece ${piece} are not of the same bytes: nobody can have it`;
  return new ShoalError('METAINFO_INVALID', `${what}; get a torrent file that was made rightly`);
}
