// Picking from pieces that are begun already: one's own, those nobody works at, those one may help with.

import { type BegunPiece, type BegunPieces, NONE } from './blocks.ts';
import type { PickPeer } from './pick-peer.ts';

/**
 * Which begun pieces to take from:
 * `idle`: those without an owner, which the peer then owns, fewest missing blocks first;
 * `slow`: those of slow peers, fewest missing blocks first;
 * `any`: those of anybody, most missing blocks first, since there help saves most.
 */
export type Share = 'idle' | 'slow' | 'any';

/** Goes on with the pieces that `peer` owns. Returns the pairs written from the start of `out` on. */
export function pickOwn(begun: BegunPieces, peer: PickPeer, count: number, out: Int32Array): number {
  let taken = 0;
  for (let i = 0; i < begun.openCount && taken < count; ) {
    const piece = begun.at(i);
    if (piece.owner !== peer.number || (peer.parole && !piece.exclusive) || !peer.have.has(piece.piece)) {
      i++;
      continue;
    }
    piece.slow = peer.slow;
    taken += piece.take(peer.number, count - taken, out, taken, false);
    // closing moves another piece to place i
    if (piece.missing === 0) begun.setOpen(piece, false);
    else i++;
  }
  return taken;
}

/** Takes from begun pieces of one kind. Returns the pairs written behind pair `at`. */
export function pickFromBegun(
  begun: BegunPieces,
  peer: PickPeer,
  share: Share,
  count: number,
  out: Int32Array,
  at: number,
): number {
  let taken = 0;
  while (taken < count) {
    const piece = best(begun, peer, share);
    if (!piece) break;
    if (share === 'idle') {
      piece.owner = peer.number;
      piece.slow = peer.slow;
      piece.exclusive ||= peer.parole;
    }
    taken += piece.take(peer.number, count - taken, out, at + taken, share !== 'idle');
    if (piece.missing === 0) begun.setOpen(piece, false);
  }
  return taken;
}

function best(begun: BegunPieces, peer: PickPeer, share: Share): BegunPiece | null {
  let found: BegunPiece | null = null;
  for (let i = 0; i < begun.openCount; i++) {
    const piece = begun.at(i);
    if (!isAllowed(piece, peer, share) || !peer.have.has(piece.piece)) continue;
    if (!found || (share === 'any' ? piece.missing > found.missing : piece.missing < found.missing)) found = piece;
  }
  return found;
}

function isAllowed(piece: BegunPiece, peer: PickPeer, share: Share): boolean {
  if (share === 'idle') {
    return piece.owner === NONE && (piece.isUntouched || !(peer.parole || piece.exclusive));
  }
  return !piece.exclusive && (share === 'any' || piece.slow);
}
