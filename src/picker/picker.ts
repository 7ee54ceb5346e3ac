// Which block to ask which peer for. Pure: facts in (who has what, what came), decisions out.

import type { Bitfield } from '../base/bitfield.ts';
import type { Random } from '../ports/random.ts';
import { Askers } from './askers.ts';
import { Availability } from './availability.ts';
import { ARRIVED, type BegunPiece, BegunPieces, NONE, REQUESTED } from './blocks.ts';
import { Candidates } from './candidates.ts';
import { Dice } from './dice.ts';
import { pickDuplicates } from './endgame.ts';
import { PieceOrder } from './order.ts';
import { type PieceShape, PieceStates, type Priority } from './piece-states.ts';
import { pickFromBegun, pickOwn } from './sharing.ts';

export type { PieceShape, Priority } from './piece-states.ts';

/** What the picker looks at in a peer. The object is read during the call only. */
export interface PickPeer {
  /** A small whole number, its own while it is connected, then reused. */
  readonly number: number;
  readonly have: Bitfield;
  /** Suspected of bad data: gets whole pieces for itself alone, so that the next bad one proves it. */
  readonly parole: boolean;
  /** Much slower than the others, or snubbed: shares pieces with its like instead of holding up fast peers. */
  readonly slow: boolean;
  /** Pieces it suggested (BEP 6), the one to begin first in front; they come before rarer ones. */
  readonly suggested?: readonly number[];
}

/** What a block that came was: the first copy, a further copy of one that is here, or one this peer was not asked for. */
export type Arrival = 'first' | 'duplicate' | 'unexpected';

/**
 * The state of all pieces and blocks of one torrent that is not complete.
 *
 * Rules of `pick`, in order: go on with the peer's own piece; finish pieces that nobody works at; slow peers share slow
 * pieces; begin the suggested, else the rarest piece; help with pieces of others; endgame.
 * A fast peer has a piece for itself while it can, and gets its blocks in order: it is asked for whole runs.
 */
export class Picker {
  readonly #shape: PieceShape;
  readonly #states: PieceStates;
  readonly #availability: Availability;
  readonly #order: PieceOrder;
  readonly #candidates: Candidates;
  readonly #begun: BegunPieces;
  readonly #askers = new Askers();
  readonly #dice: Dice;
  #sequential = false;
  #lastPickBegan = 0;

  constructor(shape: PieceShape, random: Random) {
    this.#shape = shape;
    this.#dice = new Dice(random);
    this.#states = new PieceStates(shape);
    this.#availability = new Availability(shape.pieceCount);
    this.#order = new PieceOrder(this.#availability.counts, this.#states, this.#dice);
    this.#candidates = new Candidates(this.#states, this.#availability, this.#order, this.#dice);
    this.#begun = new BegunPieces(this.#states.maxBlocks);
  }

  // ---- what is wanted

  /**
   * Pieces with a priority that are not verified. Pieces of padding only count too, though no block of them is ever
   * picked: the torrent verifies them itself.
   */
  get wantedLeft(): number {
    return this.#states.wantedLeft;
  }

  isVerified(piece: number): boolean {
    return this.#states.isVerified(piece);
  }

  /** The piece is known to be good: found so at the start, or committed. What was begun of it is forgotten. */
  setVerified(piece: number): void {
    this.#forget(piece);
    const wasOpen = this.#states.isOpen(piece);
    this.#states.setVerified(piece, true);
    this.#reorder(piece, wasOpen);
  }

  /** A verified piece turned out missing or bad. */
  lose(piece: number): void {
    const wasOpen = this.#states.isOpen(piece);
    this.#states.setVerified(piece, false);
    this.#reorder(piece, wasOpen);
  }

  priority(piece: number): Priority {
    return this.#states.priorityOf(piece) as Priority;
  }

  /** 0: not wanted; 4 unless set; higher ones are begun first. A begun piece keeps its blocks. */
  setPriority(piece: number, priority: Priority): void {
    if (this.#states.priorityOf(piece) === priority) return;
    const wasOpen = this.#states.isOpen(piece);
    this.#states.setPriority(piece, priority);
    // the pieces of a file change together: one new order is cheaper than as many moves
    if (wasOpen || this.#states.isOpen(piece)) this.#order.invalidate();
    this.#place(piece);
  }

  /** On: pieces are begun in the order of their index, within a priority. */
  setSequential(on: boolean): void {
    this.#sequential = on;
  }

  /** A v2 piece whose hash is not here yet (BEP 52) cannot be verified and is not picked. Known unless told. */
  setHashKnown(piece: number, known: boolean): void {
    const wasOpen = this.#states.isOpen(piece);
    this.#states.setHashKnown(piece, known);
    this.#reorder(piece, wasOpen);
    this.#place(piece);
  }

  // ---- who has what

  /** A peer came with these pieces. Later changes of the bitfield are told by `peerHas` and `peerLost`. */
  peerJoined(have: Bitfield): void {
    this.#countAll(have, 1);
  }

  /** A peer left; `have` is what it had at the end. */
  peerLeft(have: Bitfield): void {
    this.#countAll(have, -1);
  }

  /** A peer got a piece (HAVE). */
  peerHas(piece: number): void {
    if (this.#availability.add(piece) && this.#states.isOpen(piece)) this.#order.raised(piece);
  }

  /** A peer has a piece no more (BEP 54). */
  peerLost(piece: number): void {
    const before = this.#availability.counts[piece]!;
    if (this.#availability.remove(piece)) this.#order.invalidate();
    else if (this.#availability.counts[piece] !== before && this.#states.isOpen(piece)) this.#order.lowered(piece);
    this.#states.openRevision++;
  }

  /** How many connected peers have the piece. */
  availability(piece: number): number {
    return this.#availability.of(piece);
  }

  /** Copies of the whole torrent among connected peers: of the rarest piece, plus the share of pieces above that. */
  distributedCopies(): number {
    return this.#availability.distributedCopies();
  }

  /** Whether a peer with these pieces has one that is wanted and not verified. */
  isInteresting(have: Bitfield): boolean {
    const wanted = this.#states.wanted;
    const bytes = have.bytes;
    for (let at = 0; at < wanted.length; at++) if ((wanted[at]! & bytes[at]!) !== 0) return true;
    return false;
  }

  // ---- requests

  /**
   * Chooses up to `count` blocks to ask `peer` for, marks them, and writes them into `out` as pairs (piece, block).
   * At most `maxNewPieces` pieces are begun; `lastPickBegan` tells how many were. Returns the number of blocks.
   */
  pick(peer: PickPeer, count: number, maxNewPieces: number, out: Int32Array): number {
    const { number, have } = peer;
    const wanted = Math.min(count, out.length >> 1);
    this.#lastPickBegan = 0;
    this.#askers.meet(number, peer.slow);
    let taken = pickOwn(this.#begun, peer, wanted, out);
    if (taken < wanted) taken += pickFromBegun(this.#begun, peer, 'idle', wanted - taken, out, taken);
    if (taken < wanted && peer.slow && !peer.parole) {
      taken += pickFromBegun(this.#begun, peer, 'slow', wanted - taken, out, taken);
    }
    if (taken < wanted && maxNewPieces > 0) taken += this.#pickNew(peer, wanted - taken, maxNewPieces, out, taken);
    if (taken < wanted && !peer.parole) {
      taken += pickFromBegun(this.#begun, peer, 'any', wanted - taken, out, taken);
    }
    this.#askers.outstanding[number]! += taken;
    if (taken < wanted && !peer.parole && this.isEndgame && have.count > 0) {
      const doubled = pickDuplicates(this.#begun, this.#askers, this.#dice, peer, wanted - taken, out, taken);
      this.#askers.outstanding[number]! += doubled;
      taken += doubled;
    }
    return taken;
  }

  /** Pieces begun by the last `pick`: as many new slots are needed. */
  get lastPickBegan(): number {
    return this.#lastPickBegan;
  }

  /** Every wanted block that some connected peer has is asked for (or kept for one peer alone) or here. */
  get isEndgame(): boolean {
    for (let i = 0; i < this.#begun.openCount; i++) {
      const begun = this.#begun.at(i);
      if (!begun.exclusive && this.#availability.of(begun.piece) > 0) return false;
    }
    return !this.#candidates.anyToBegin();
  }

  /** Whether the peer was asked for a block that is still missing: whether its bytes may go into the slot. */
  expects(piece: number, block: number, peer: number): boolean {
    const begun = this.#begunBlock(piece, block);
    return begun !== undefined && begun.states[block] === REQUESTED && begun.isAsked(block, peer);
  }

  /** A block that was given up for lost comes after all: asked for again of this peer where it is still missing. */
  expectAgain(piece: number, block: number, peer: number): boolean {
    const begun = this.#begunBlock(piece, block);
    if (!begun || begun.exclusive || begun.states[block] === ARRIVED || begun.isAsked(block, peer)) return false;
    if (begun.states[block] === REQUESTED && begun.second[block] !== NONE) return false;
    this.#askers.meet(peer, true);
    if (begun.states[block] === REQUESTED) begun.double(block, peer);
    else begun.request(block, peer);
    this.#askers.outstanding[peer]!++;
    this.#place(piece);
    return true;
  }

  /** A block's bytes are in the slot. An unexpected one changes nothing. */
  blockArrived(piece: number, block: number, peer: number): Arrival {
    const begun = this.#begunBlock(piece, block);
    if (!begun) return this.#states.isVerified(piece) ? 'duplicate' : 'unexpected';
    const here = begun.states[block] === ARRIVED;
    if (!begun.isAsked(block, peer)) return here ? 'duplicate' : 'unexpected';
    this.#askers.outstanding[peer]!--;
    if (here) begun.lose(block, peer);
    else begun.arrive(block, peer);
    return here ? 'duplicate' : 'first';
  }

  /** All blocks of a begun piece are here. */
  isPieceComplete(piece: number): boolean {
    const begun = this.#begun.get(piece);
    return begun !== undefined && begun.arrived === begun.blockCount;
  }

  /** The peer will not bring the block: it choked us, rejected, was too slow, was told to cancel. */
  requestLost(piece: number, block: number, peer: number): void {
    const begun = this.#begunBlock(piece, block);
    if (!begun?.lose(block, peer)) return;
    this.#askers.outstanding[peer]!--;
    if (begun.owner === peer && begun.requested === 0) disown(begun);
    this.#place(piece);
  }

  /** The peer left or choked us: all its requests are lost, and its pieces are free for others. */
  peerGone(peer: number): void {
    for (const piece of this.#begun.pieces()) {
      const begun = this.#begun.get(piece)!;
      if (begun.owner === peer) disown(begun);
      for (let block = 0; block < begun.blockCount; block++) begun.lose(block, peer);
      this.#place(piece);
    }
    this.#askers.forget(peer);
  }

  /** Writes the peers that are asked for a block and have not delivered it into `out`; returns how many (at most 2). */
  requesters(piece: number, block: number, out: Int32Array): number {
    const begun = this.#begunBlock(piece, block);
    if (!begun) return 0;
    let count = 0;
    if (begun.states[block] === REQUESTED) out[count++] = begun.first[block]!;
    if (begun.second[block] !== NONE) out[count++] = begun.second[block]!;
    return count;
  }

  /** Who delivered each block of a complete piece, -1 where missing. Borrowed: until the piece is verified or failed. */
  contributors(piece: number): Int32Array {
    const begun = this.#begun.get(piece);
    return begun ? begun.first.subarray(0, begun.blockCount) : new Int32Array(0);
  }

  // ---- what becomes of begun pieces

  /**
   * The complete piece did not match its hash. `badBlocks` known (BEP 52): only these are missing again. Null: all are,
   * and the piece goes to one peer alone next time, so that a second failure has one author.
   */
  pieceFailed(piece: number, badBlocks: readonly number[] | null): void {
    const begun = this.#begun.get(piece);
    if (!begun) return;
    begun.owner = NONE;
    if (badBlocks) {
      for (const block of badBlocks) {
        if (block >= 0 && block < begun.blockCount) this.#spoil(begun, block);
      }
    } else {
      this.#releaseRequests(begun);
      begun.missAll();
      begun.exclusive = true;
    }
    this.#place(piece);
  }

  /** Forgets what is here of a begun piece, its slot being taken away. */
  dropPiece(piece: number): void {
    this.#forget(piece);
  }

  get begunCount(): number {
    return this.#begun.count;
  }

  begunPieces(): IterableIterator<number> {
    return this.#begun.pieces();
  }

  /** Blocks of a begun piece that are here, for a snapshot. */
  arrivedCount(piece: number): number {
    return this.#begun.get(piece)?.arrived ?? 0;
  }

  // ---- inside

  #pickNew(peer: PickPeer, count: number, maxNewPieces: number, out: Int32Array, at: number): number {
    const { number, have } = peer;
    if (this.#askers.isDry(number, this.#states.openRevision, have.count)) return 0;
    this.#candidates.restart();
    let taken = 0;
    while (taken < count && this.#lastPickBegan < maxNewPieces) {
      let piece = peer.suggested ? this.#candidates.suggested(have, peer.suggested) : NONE;
      if (piece === NONE) piece = this.#sequential ? this.#candidates.first(have) : this.#candidates.rarest(have);
      if (piece === NONE) {
        this.#askers.setDry(number, this.#states.openRevision, have.count);
        break;
      }
      const begun = this.#begin(piece);
      begun.owner = number;
      begun.slow = peer.slow;
      begun.exclusive = peer.parole;
      taken += begun.take(number, count - taken, out, at + taken, false);
      if (begun.missing === 0) this.#begun.setOpen(begun, false);
    }
    return taken;
  }

  #begin(piece: number): BegunPiece {
    this.#order.remove(piece);
    this.#states.setBegun(piece, true);
    this.#lastPickBegan++;
    return this.#begun.begin(piece, this.#shape.blockCount(piece));
  }

  #forget(piece: number): void {
    const begun = this.#begun.get(piece);
    if (!begun) return;
    this.#releaseRequests(begun);
    this.#begun.end(begun);
    this.#states.setBegun(piece, false);
    this.#reorder(piece, false);
  }

  /** Puts a piece into the order, or takes it out, after its state changed. */
  #reorder(piece: number, wasOpen: boolean): void {
    const isOpen = this.#states.isOpen(piece);
    if (isOpen && !wasOpen) this.#order.insert(piece);
    else if (wasOpen && !isOpen) this.#order.remove(piece);
  }

  /** Puts a begun piece into the part of the list where it belongs. */
  #place(piece: number): void {
    const begun = this.#begun.get(piece);
    if (begun) this.#begun.setOpen(begun, begun.missing > 0 && this.#states.isPickable(piece));
  }

  #countAll(have: Bitfield, by: 1 | -1): void {
    if (have.isFull) {
      if (by === 1) this.#availability.addSeed();
      else if (this.#availability.removeSeed()) this.#order.invalidate();
    } else if (have.count * 8 < have.length) {
      have.forEach((piece) => {
        if (by === 1) this.peerHas(piece);
        else this.peerLost(piece);
      });
    } else {
      this.#availability.addAll(have, by);
      this.#order.invalidate();
    }
  }

  #begunBlock(piece: number, block: number): BegunPiece | undefined {
    const begun = this.#begun.get(piece);
    return begun && block >= 0 && block < begun.blockCount ? begun : undefined;
  }

  #spoil(begun: BegunPiece, block: number): void {
    if (begun.states[block] !== ARRIVED) return;
    const late = begun.second[block]!;
    if (late !== NONE) this.#askers.outstanding[late]!--;
    begun.spoil(block);
  }

  /** The piece's requests do not count as outstanding any more. */
  #releaseRequests(begun: BegunPiece): void {
    const outstanding = this.#askers.outstanding;
    for (let block = 0; block < begun.blockCount; block++) {
      if (begun.states[block] === REQUESTED) outstanding[begun.first[block]!]!--;
      if (begun.second[block] !== NONE) outstanding[begun.second[block]!]!--;
    }
  }
}

/** Others may go on with the piece; when some of it came, they may not be blamed alone for it. */
function disown(begun: BegunPiece): void {
  begun.owner = NONE;
  if (begun.arrived > 0) begun.exclusive = false;
}
