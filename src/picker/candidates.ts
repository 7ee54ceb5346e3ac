// Which piece to begin next with a given peer: suggested ones, else the rarest, else (sequential) the first.

import type { Bitfield } from '../base/bitfield.ts';
import type { Availability } from './availability.ts';
import { NONE } from './blocks.ts';
import type { Dice } from './dice.ts';
import type { PieceOrder } from './order.ts';
import type { PickPeer } from './pick-peer.ts';
import type { PieceStates } from './piece-states.ts';
import type { Rivals } from './rivals.ts';

/**
 * Places of the order looked at before all pieces are compared with the peer's at once, 32 a step: the walk is best
 * when the peer has many of the open pieces, the comparison when it has few.
 */
const MAX_PROBES = 512;
/** Equally rare pieces among which one is looked for that no rival has more of a claim to: of ten leeches one in ten is ours. */
const MAX_EQUALS = 24;

/** Reads the state of the pieces; begins nothing itself. */
export class Candidates {
  /** Pieces in the order of their index, within a priority. */
  isSequential = false;
  readonly #states: PieceStates;
  readonly #availability: Availability;
  readonly #order: PieceOrder;
  readonly #dice: Dice;
  readonly #rivals: Rivals;
  /** Where the last walk stopped: what is before it in the order, that peer does not have. */
  #position = 0;
  // of the comparison under way: the best piece, its level, and how many there were like it
  #best: number = NONE;
  #bestLevel = 0;
  #equals = 0;

  constructor(states: PieceStates, availability: Availability, order: PieceOrder, dice: Dice, rivals: Rivals) {
    this.#states = states;
    this.#availability = availability;
    this.#order = order;
    this.#dice = dice;
    this.#rivals = rivals;
  }

  /** The piece to begin with a peer, or NONE. A person's wish for an order comes before a peer's suggestions. */
  next({ have, suggested }: PickPeer): number {
    if (this.isSequential) return this.#first(have);
    const piece = suggested ? this.#suggested(have, suggested) : NONE;
    return piece === NONE ? this.#rarest(have) : piece;
  }

  /** Before the first of a run of {@link next} for one peer. */
  restart(): void {
    this.#order.ensure();
    this.#position = 0;
  }

  /** The first of a peer's suggestions (BEP 6) that can be begun, or NONE. */
  #suggested(have: Bitfield, suggestions: readonly number[]): number {
    for (const piece of suggestions) {
      if (piece < have.length && have.has(piece) && this.#states.isOpen(piece)) return piece;
    }
    return NONE;
  }

  /**
   * The open piece of highest priority, then fewest copies, then (of some) fewest rivals with more of a claim, then chance,
   * that the peer has; or NONE.
   */
  #rarest(have: Bitfield): number {
    const order = this.#order;
    const end = Math.min(order.size, this.#position + MAX_PROBES);
    for (let position = this.#position; position < end; position++) {
      const piece = order.at(position);
      if (!have.has(piece)) continue;
      this.#position = position;
      return this.#rivals.count === 0 ? piece : this.#ownAmongEquals(have, position);
    }
    this.#position = end;
    return end === order.size ? NONE : this.#rarestByComparison(have);
  }

  /** `position`: of a piece that the peer has. */
  #ownAmongEquals(have: Bitfield, position: number): number {
    const order = this.#order;
    let best = order.at(position);
    const level = order.levelOf(best);
    const end = Math.min(order.size, position + MAX_EQUALS);
    let bestAhead = this.#rivals.ahead(best);
    for (let at = position + 1; at < end && bestAhead > 0; at++) {
      const piece = order.at(at);
      if (order.levelOf(piece) !== level) break;
      const ahead = have.has(piece) ? this.#rivals.ahead(piece) : bestAhead;
      if (ahead < bestAhead) [best, bestAhead] = [piece, ahead];
    }
    return best;
  }

  /** The open piece of highest priority and then lowest index that the peer has; or NONE. */
  #first(have: Bitfield): number {
    const { open } = this.#states;
    const top = this.#order.topPriority();
    let best = NONE;
    let bestPriority = 0;
    for (let at = this.#skipClosed(); at < open.length; at++) {
      let both = open[at]! & have.bytes[at]!;
      while (both !== 0) {
        const piece = at * 8 + lowestIndexBit(both);
        both = withoutLowestIndex(both);
        const priority = this.#states.priorityOf(piece);
        if (priority > bestPriority) [best, bestPriority] = [piece, priority];
      }
      if (best !== NONE && bestPriority === top) break;
    }
    return best;
  }

  /** Goes over 32 pieces a step; of those that both sets have, keeps the best, each of equals with the same chance. */
  #rarestByComparison(have: Bitfield): number {
    const open = asWords(this.#states.open);
    const peers = asWords(have.bytes);
    this.#best = NONE;
    this.#bestLevel = Number.POSITIVE_INFINITY;
    for (let at = 0; at < open.length; at++) {
      if ((open[at]! & peers[at]!) !== 0) this.#compareBytes(have.bytes, 4 * at, 4 * at + 4);
    }
    this.#compareBytes(have.bytes, 4 * open.length, have.bytes.length);
    return this.#best;
  }

  #compareBytes(bytes: Uint8Array, start: number, end: number): void {
    const { open } = this.#states;
    for (let at = start; at < end; at++) {
      let both = open[at]! & bytes[at]!;
      while (both !== 0) {
        const piece = at * 8 + lowestIndexBit(both);
        both = withoutLowestIndex(both);
        const level = this.#order.levelOf(piece);
        if (level > this.#bestLevel) continue;
        this.#equals = level < this.#bestLevel ? 1 : this.#equals + 1;
        if (this.#equals === 1 || this.#dice.below(this.#equals) === 0) this.#best = piece;
        this.#bestLevel = level;
      }
    }
  }

  /** Byte of the first open piece. */
  #skipClosed(): number {
    const { open } = this.#states;
    let at = this.#states.lowestOpen >> 3;
    while (at < open.length && open[at] === 0) at++;
    this.#states.lowestOpen = at * 8;
    return at;
  }

  /** Whether some open piece is had by a connected peer: while there is, endgame has not begun. */
  anyToBegin(): boolean {
    this.#order.ensure();
    if (this.#order.size === 0) return false;
    return this.#availability.seeds > 0 || this.#order.countWithoutCopies() < this.#order.size;
  }
}

/** The whole 32-bit words of a bitfield; a view, in the machine's byte order. */
function asWords(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
}

/** In a byte of a bitfield the high bit is the lowest index. */
function lowestIndexBit(byte: number): number {
  return Math.clz32(byte) - 24;
}

function withoutLowestIndex(byte: number): number {
  return byte & ~(0x80 >> lowestIndexBit(byte));
}
