// Pieces that a new peer may fetch while it is choked (BEP 6, "Allowed Fast Set Generation").

import { readU32, writeU32 } from '../base/bytes.ts';

const HASH_BYTES = 20;

/**
 * The allowed fast set of the peer at `ip`: up to `count` different pieces, in canonical order, the same whoever offers
 * them. Empty for an IPv6 address, for which BEP 6 has no rule. `infoHash` is 20 bytes; `sha1` hashes anything.
 */
export function allowedFastSet(
  ip: Uint8Array,
  infoHash: Uint8Array,
  pieceCount: number,
  count: number,
  sha1: (bytes: Uint8Array) => Uint8Array,
): number[] {
  const pieces: number[] = [];
  if (ip.length !== 4) return pieces;
  const wanted = Math.min(count, pieceCount);
  // The network instead of the address: whoever has many addresses in one network gets one set for all of them.
  let hash = new Uint8Array(4 + HASH_BYTES);
  writeU32(hash, 0, readU32(ip, 0) & 0xffffff00);
  hash.set(infoHash.subarray(0, HASH_BYTES), 4);
  while (pieces.length < wanted) {
    hash = new Uint8Array(sha1(hash));
    for (let at = 0; at < HASH_BYTES && pieces.length < wanted; at += 4) {
      const piece = readU32(hash, at) % pieceCount;
      if (!pieces.includes(piece)) pieces.push(piece);
    }
  }
  return pieces;
}
