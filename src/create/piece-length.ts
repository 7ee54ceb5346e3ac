// How long pieces should be for content of a given size.

import { ShoalError } from '../base/errors.ts';

const SHORTEST_BYTES = 16 * 1024;
/** What is chosen at most: a piece is the unit of trust, and a peer sends none of it on before all of it has come. */
const LONGEST_CHOSEN_BYTES = 16 * 1024 * 1024;
/** What is taken at most: other clients refuse longer ones. */
const LONGEST_GIVEN_BYTES = 128 * 1024 * 1024;

/**
 * More pieces than this make torrent files large (20 bytes each in v1) and peers chatty (a `have` each, to everyone).
 * Fewer than half of it make a swarm slow to spread: each piece is long in coming before it can be passed on.
 */
const MOST_PIECES = 2000;

/** The power of two that makes 1000 to 2000 pieces, as far as 16 KiB to 16 MiB allow that. */
export function choosePieceLength(contentBytes: number): number {
  let pieceBytes = SHORTEST_BYTES;
  while (contentBytes / pieceBytes > MOST_PIECES && pieceBytes < LONGEST_CHOSEN_BYTES) pieceBytes *= 2;
  return pieceBytes;
}

/** Throws USAGE for a length that not all clients take, or that BEP 52 forbids. */
export function checkPieceLength(pieceBytes: number): void {
  const isPower = Number.isInteger(Math.log2(pieceBytes));
  if (isPower && pieceBytes >= SHORTEST_BYTES && pieceBytes <= LONGEST_GIVEN_BYTES) return;
  throw new ShoalError('USAGE', `a piece length of ${pieceBytes} bytes: give a power of two from 16 KiB to 128 MiB`);
}
