// Endgame: when every block is asked for, a peer with nothing to do asks for blocks that others are slow to bring.

import type { Askers } from './askers.ts';
import { type BegunPiece, type BegunPieces, NONE, REQUESTED } from './blocks.ts';
import type { Dice } from './dice.ts';
import type { PickPeer } from './pick-peer.ts';

/**
 * Requests that a peer may have out for it to help: a busy peer is left alone, and the waste is bounded. 128 KiB keep
 * a peer busy until the next turn even at 50 MB/s with 2 ms delay.
 */
const MAX_OUTSTANDING = 8;

/**
 * Asks `peer` for blocks that one other peer is to bring: first those of slow peers, then (unless it is slow itself)
 * those of fast ones. Pieces are gone through from a random one on, their blocks from the last: it is the one its
 * requester gets last, so that both meet in the middle. Returns the number of pairs written behind pair `at`.
 */
export function pickDuplicates(
  begun: BegunPieces,
  askers: Askers,
  dice: Dice,
  peer: PickPeer,
  count: number,
  out: Int32Array,
  at: number,
): number {
  const limit = Math.min(count, MAX_OUTSTANDING - askers.outstanding[peer.number]!);
  if (limit <= 0 || begun.count === 0) return 0;
  const start = dice.below(begun.count);
  let taken = 0;
  for (let holders = 1; holders >= (peer.slow ? 1 : 0) && taken < limit; holders--) {
    for (let i = 0; i < begun.count && taken < limit; i++) {
      const piece = begun.at((start + i) % begun.count);
      if (piece.exclusive || !piece.pickable || piece.doubled === piece.requested) continue;
      if (!peer.have.has(piece.piece)) continue;
      taken += doubleFromBack(piece, askers, holders, peer.number, limit - taken, out, at + taken);
    }
  }
  return taken;
}

function doubleFromBack(
  piece: BegunPiece,
  askers: Askers,
  holdersSlow: number,
  peer: number,
  limit: number,
  out: Int32Array,
  at: number,
): number {
  let taken = 0;
  for (let block = piece.blockCount - 1; block >= 0 && taken < limit; block--) {
    if (piece.states[block] !== REQUESTED || piece.second[block] !== NONE) continue;
    const holder = piece.first[block]!;
    if (holder === peer || askers.slow[holder] !== holdersSlow) continue;
    piece.double(block, peer);
    out[2 * (at + taken)] = piece.piece;
    out[2 * (at + taken) + 1] = block;
    taken++;
  }
  return taken;
}
