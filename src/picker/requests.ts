// What becomes of the blocks that were asked for: they arrive, are lost, are asked for again, turn out bad.

import { Askers } from './askers.ts';
import { ARRIVED, type BegunPiece, BegunPieces, NONE, REQUESTED } from './blocks.ts';
import type { Arrival } from './pick-peer.ts';
import type { PieceStates } from './piece-states.ts';

/** The begun pieces and who is asked for their blocks. A piece, block or peer that is not known changes nothing. */
export class Requests {
  readonly begun: BegunPieces;
  readonly askers: Askers = new Askers();
  readonly #states: PieceStates;

  constructor(states: PieceStates) {
    this.#states = states;
    this.begun = new BegunPieces(states.maxBlocks);
  }

  /** Puts a begun piece into the part of the list where it belongs, after a change of it. */
  place(piece: number): void {
    const begun = this.begun.get(piece);
    if (!begun) return;
    begun.pickable = this.#states.isPickable(piece);
    this.begun.setOpen(begun, begun.pickable && begun.missing > 0);
  }

  expects(piece: number, block: number, peer: number): boolean {
    const begun = this.#find(piece, block);
    return begun !== undefined && begun.states[block] === REQUESTED && begun.isAsked(block, peer);
  }

  expectAgain(piece: number, block: number, peer: number): boolean {
    const begun = this.#find(piece, block);
    if (!begun || begun.exclusive || begun.states[block] === ARRIVED || begun.isAsked(block, peer)) return false;
    const requested = begun.states[block] === REQUESTED;
    if (requested && begun.second[block] !== NONE) return false;
    this.askers.reserve(peer);
    if (requested) begun.double(block, peer);
    else begun.request(block, peer);
    this.askers.outstanding[peer]!++;
    this.place(piece);
    return true;
  }

  arrived(piece: number, block: number, peer: number): Arrival {
    const begun = this.#find(piece, block);
    if (!begun) return this.#states.isVerified(piece) ? 'duplicate' : 'unexpected';
    const here = begun.states[block] === ARRIVED;
    if (!begun.isAsked(block, peer)) return here ? 'duplicate' : 'unexpected';
    this.askers.outstanding[peer]!--;
    if (here) begun.lose(block, peer);
    else begun.arrive(block, peer);
    return here ? 'duplicate' : 'first';
  }

  lost(piece: number, block: number, peer: number): void {
    const begun = this.#find(piece, block);
    if (!begun?.lose(block, peer)) return;
    this.askers.outstanding[peer]!--;
    if (begun.owner === peer && begun.requested === 0) disown(begun);
    this.place(piece);
  }

  allLost(peer: number): void {
    const nothingOut = (this.askers.outstanding[peer] ?? 0) === 0;
    for (let i = 0; i < this.begun.count; i++) {
      const begun = this.begun.at(i);
      if (begun.owner === peer) disown(begun);
      if (nothingOut) continue;
      for (let block = 0; block < begun.blockCount; block++) begun.lose(block, peer);
    }
    if (!nothingOut) for (const piece of this.begun.pieces()) this.place(piece);
    this.askers.forget(peer);
  }

  requesters(piece: number, block: number, out: Int32Array): number {
    const begun = this.#find(piece, block);
    if (!begun) return 0;
    let count = 0;
    if (begun.states[block] === REQUESTED) out[count++] = begun.first[block]!;
    if (begun.second[block] !== NONE) out[count++] = begun.second[block]!;
    return count;
  }

  /** The whole piece is missing again, or (`badBlocks` given) only these blocks of it. */
  failed(piece: number, badBlocks: readonly number[] | null): void {
    const begun = this.begun.get(piece);
    if (!begun) return;
    begun.owner = NONE;
    if (badBlocks) {
      for (const block of badBlocks) if (this.#find(piece, block)) this.#spoil(begun, block);
    } else {
      this.#release(begun);
      begun.missAll();
      begun.exclusive = true;
    }
    this.place(piece);
  }

  /** Forgets a begun piece; false where it was none. */
  end(piece: number): boolean {
    const begun = this.begun.get(piece);
    if (!begun) return false;
    this.#release(begun);
    this.begun.end(begun);
    return true;
  }

  #find(piece: number, block: number): BegunPiece | undefined {
    const begun = this.begun.get(piece);
    return begun && block >= 0 && block < begun.blockCount ? begun : undefined;
  }

  #spoil(begun: BegunPiece, block: number): void {
    if (begun.states[block] !== ARRIVED) return;
    const late = begun.second[block]!;
    if (late !== NONE) this.askers.outstanding[late]!--;
    begun.spoil(block);
  }

  /** The piece's requests do not count as outstanding any more. */
  #release(begun: BegunPiece): void {
    const { outstanding } = this.askers;
    for (let block = 0; block < begun.blockCount; block++) {
      if (begun.states[block] === REQUESTED) outstanding[begun.first[block]!]!--;
      if (begun.second[block] !== NONE) outstanding[begun.second[block]!]!--;
    }
  }
}

/** Others may go on with the piece; when some of it came, its owner would not be to blame alone any more. */
function disown(begun: BegunPiece): void {
  begun.owner = NONE;
  if (begun.arrived > 0) begun.exclusive = false;
}
