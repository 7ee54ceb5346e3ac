// Which block to ask which peer for. Pure: facts in (who has what, what came), decisions out.

import type { Bitfield } from '../base/bitfield.ts';
import type { Random } from '../ports/random.ts';
import { Availability } from './availability.ts';
import { type BegunPiece, NONE } from './blocks.ts';
import { Candidates } from './candidates.ts';
import { Dice } from './dice.ts';
import { pickDuplicates } from './endgame.ts';
import { PieceOrder } from './order.ts';
import type { Arrival, PickPeer } from './pick-peer.ts';
import { type PieceShape, PieceStates, type Priority } from './piece-states.ts';
import { Requests } from './requests.ts';
import { Rivals } from './rivals.ts';
import { pickFromBegun, pickOwn } from './sharing.ts';

export type { Arrival, PickPeer } from './pick-peer.ts';
export type { PieceShape, Priority } from './piece-states.ts';

/**
 * The state of all pieces and blocks of one torrent that is not complete.
 *
 * Rules of `pick`, in order: go on with the peer's own piece; finish pieces that nobody works at; slow peers share slow
 * pieces; begin the suggested, else the rarest piece; help with pieces of others; endgame.
 * A fast peer has a piece for itself while it can, and gets its blocks in order: it is asked for whole runs.
 */
export class Picker {
  /** The leeches among the connected peers: to be told who comes and goes. */
  readonly rivals: Rivals = new Rivals();
  readonly #shape: PieceShape;
  readonly #states: PieceStates;
  readonly #availability: Availability;
  readonly #order: PieceOrder;
  readonly #candidates: Candidates;
  readonly #requests: Requests;
  readonly #dice: Dice;
  #lastPickBegan = 0;

  constructor(shape: PieceShape, random: Random) {
    this.#shape = shape;
    this.#dice = new Dice(random);
    this.#states = new PieceStates(shape);
    this.#availability = new Availability(shape.pieceCount);
    this.#order = new PieceOrder(this.#availability.counts, this.#states, this.#dice);
    this.#candidates = new Candidates(this.#states, this.#availability, this.#order, this.#dice, this.rivals);
    this.#requests = new Requests(this.#states);
  }

  /** Pieces with a priority that are not verified; also those of padding alone, which the torrent verifies itself. */
  get wantedLeft(): number {
    return this.#states.wantedLeft;
  }

  /** Asked for by the user and not verified. */
  isWanted(piece: number): boolean {
    return this.#states.isWanted(piece);
  }

  /** The piece is known to be good: found so at the start, or committed. What was begun of it is forgotten. */
  setVerified(piece: number): void {
    const wasOpen = this.#states.isOpen(piece);
    this.#states.setVerified(piece, true);
    if (this.#requests.end(piece)) this.#states.setBegun(piece, false);
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
    this.#requests.place(piece);
  }

  /** On: pieces are begun in the order of their index, within a priority. */
  setSequential(on: boolean): void {
    this.#candidates.isSequential = on;
  }

  /** A v2 piece whose hash is not here yet (BEP 52) cannot be verified and is not picked. Known unless told. */
  setHashKnown(piece: number, known: boolean): void {
    const wasOpen = this.#states.isOpen(piece);
    this.#states.setHashKnown(piece, known);
    this.#reorder(piece, wasOpen);
    this.#requests.place(piece);
  }

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

  /** Copies of the whole among connected peers: of the rarest piece, plus the share of pieces above that. */
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

  /**
   * Chooses up to `count` blocks to ask `peer` for, marks them, and writes them into `out` as pairs (piece, block).
   * At most `maxNewPieces` pieces are begun; `lastPickBegan` tells how many were. Returns the number of blocks.
   */
  pick(peer: PickPeer, count: number, maxNewPieces: number, out: Int32Array): number {
    const { begun, askers } = this.#requests;
    const wanted = Math.min(count, out.length >> 1);
    this.#lastPickBegan = 0;
    askers.meet(peer.number, peer.slow);
    let taken = pickOwn(begun, peer, wanted, out);
    if (taken < wanted) taken += pickFromBegun(begun, peer, 'idle', wanted - taken, out, taken);
    if (taken < wanted && peer.slow && !peer.parole) {
      taken += pickFromBegun(begun, peer, 'slow', wanted - taken, out, taken);
    }
    if (taken < wanted && maxNewPieces > 0) taken += this.#pickNew(peer, wanted - taken, maxNewPieces, out, taken);
    if (taken < wanted && !peer.parole) taken += pickFromBegun(begun, peer, 'any', wanted - taken, out, taken);
    askers.outstanding[peer.number]! += taken;
    if (taken === wanted || peer.parole || !this.isEndgame) return taken;
    const doubled = pickDuplicates(begun, askers, this.#dice, peer, wanted - taken, out, taken);
    askers.outstanding[peer.number]! += doubled;
    return taken + doubled;
  }

  /** Pieces begun by the last `pick`: as many new slots are needed. */
  get lastPickBegan(): number {
    return this.#lastPickBegan;
  }

  /** About how many blocks are wanted and asked of nobody. */
  get unaskedBlocks(): number {
    const { begun } = this.#requests;
    return Math.max(0, this.wantedLeft - begun.count) * this.#states.maxBlocks + begun.missing;
  }

  /** Every wanted block that some connected peer has is asked for (or kept for one peer alone) or here. */
  get isEndgame(): boolean {
    const { begun } = this.#requests;
    for (let i = 0; i < begun.openCount; i++) {
      const piece = begun.at(i);
      if (!piece.exclusive && this.#availability.of(piece.piece) > 0) return false;
    }
    return !this.#candidates.anyToBegin();
  }

  /** Whether the peer was asked for a block that is still missing: whether its bytes may go into the slot. */
  expects(piece: number, block: number, peer: number): boolean {
    return this.#requests.expects(piece, block, peer);
  }

  /** A block that was given up for lost comes after all: asked for again of this peer where it is still missing. */
  expectAgain(piece: number, block: number, peer: number): boolean {
    return this.#requests.expectAgain(piece, block, peer);
  }

  /** A block's bytes are in the slot. An unexpected one changes nothing. */
  blockArrived(piece: number, block: number, peer: number): Arrival {
    return this.#requests.arrived(piece, block, peer);
  }

  /** All blocks of a begun piece are here. */
  isPieceComplete(piece: number): boolean {
    const begun = this.#requests.begun.get(piece);
    return begun !== undefined && begun.arrived === begun.blockCount;
  }

  /** The peer will not bring the block: it rejected, was too slow, was told to cancel. */
  requestLost(piece: number, block: number, peer: number): void {
    this.#requests.lost(piece, block, peer);
  }

  /** The peer left or choked us: all its requests are lost, and its pieces are free for others. */
  peerGone(peer: number): void {
    this.#requests.allLost(peer);
  }

  /** Writes the peers that are asked for a block and have not delivered it into `out`; returns how many (at most 2). */
  requesters(piece: number, block: number, out: Int32Array): number {
    return this.#requests.requesters(piece, block, out);
  }

  /** Who delivered each block of a complete piece, -1 where missing. Borrowed: until the piece is verified or failed. */
  contributors(piece: number): Int32Array {
    const begun = this.#requests.begun.get(piece);
    return begun ? begun.first.subarray(0, begun.blockCount) : new Int32Array(0);
  }

  /**
   * The complete piece did not match its hash. `badBlocks` known (BEP 52): only these are missing again. Null: all are,
   * and the piece goes to one peer alone next time, so that a second failure has one author.
   */
  pieceFailed(piece: number, badBlocks: readonly number[] | null): void {
    this.#requests.failed(piece, badBlocks);
  }

  /** Forgets what is here of a begun piece, its slot being taken away. */
  dropPiece(piece: number): void {
    if (!this.#requests.end(piece)) return;
    this.#states.setBegun(piece, false);
    this.#reorder(piece, false);
  }

  begunPieces(): IterableIterator<number> {
    return this.#requests.begun.pieces();
  }

  #pickNew(peer: PickPeer, count: number, maxNewPieces: number, out: Int32Array, at: number): number {
    const { number, have } = peer;
    const { begun, askers } = this.#requests;
    if (askers.isDry(number, this.#states.openRevision, have.count)) return 0;
    this.#candidates.restart();
    let taken = 0;
    while (taken < count && this.#lastPickBegan < maxNewPieces) {
      const piece = this.#candidates.next(peer);
      if (piece === NONE) {
        askers.setDry(number, this.#states.openRevision, have.count);
        break;
      }
      const fresh = this.#begin(piece);
      fresh.owner = number;
      fresh.slow = peer.slow;
      fresh.exclusive = peer.parole;
      taken += fresh.take(number, count - taken, out, at + taken, false);
      if (fresh.missing === 0) begun.setOpen(fresh, false);
    }
    return taken;
  }

  #begin(piece: number): BegunPiece {
    this.#order.remove(piece);
    this.#states.setBegun(piece, true);
    this.#lastPickBegan++;
    return this.#requests.begun.begin(piece, this.#shape.blockCount(piece));
  }

  /** Puts a piece into the order, or takes it out, after its state changed. */
  #reorder(piece: number, wasOpen: boolean): void {
    const isOpen = this.#states.isOpen(piece);
    if (isOpen && !wasOpen) this.#order.insert(piece);
    else if (wasOpen && !isOpen) this.#order.remove(piece);
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
}
