// How a seed gets every piece out once before it sends any a second time.
//
// In a young swarm the seed's upload is what everybody waits for, and a piece sent twice is a piece later for all.
// Leeches cannot know what the others are fetching; the seed does: it promises each piece to one peer, tells the peer
// so (SUGGEST, BEP 6), and serves requests for pieces promised to others only when nothing else is asked for.
//
//   fresh --promise--> promised to a peer --its request--> asked for --HAVE of any peer--> out
//     ^  `----------------any peer's first request-------------^   |
//     `------------- peer left --------------------------------------'

import type { Bitfield } from '../base/bitfield.ts';
import type { Random } from '../ports/random.ts';
import { NONE } from './blocks.ts';

const FRESH = -1;
const OUT = -2;

/**
 * Pieces promised ahead to one peer: the one it fetches and the next, so that its queue never runs dry, and no more,
 * since a slow peer keeps what it was promised from all others.
 */
const PROMISES_A_PEER = 2;

/** What became of each piece of a seeded torrent. Peer numbers are small, as in `PickPeer`. */
export class Spread {
  readonly #random: Random;
  /** By piece: FRESH, OUT, or the number of the peer it is promised to. */
  readonly #holders: Int32Array;
  /** By piece: 1 when the holder asked for it, so that no other can have the promise any more. */
  readonly #asked: Uint8Array;
  /** The fresh pieces in front, in no order; others behind. */
  readonly #pool: Uint32Array;
  readonly #places: Uint32Array;
  #freshCount: number;
  #outCount = 0;
  /** Pieces promised and not yet out, by peer number. */
  readonly #promises: (Set<number> | undefined)[] = [];

  constructor(pieceCount: number, random: Random) {
    this.#random = random;
    this.#holders = new Int32Array(pieceCount).fill(FRESH);
    this.#asked = new Uint8Array(pieceCount);
    this.#pool = Uint32Array.from({ length: pieceCount }, (_, piece) => piece);
    this.#places = this.#pool.slice();
    this.#freshCount = pieceCount;
  }

  /** Every piece is with some other peer: from here on all requests are equal, and this object can be dropped. */
  get isDone(): boolean {
    return this.#outCount === this.#holders.length;
  }

  /** A peer has these pieces: none of them needs to be sent first. */
  peerJoined(have: Bitfield): void {
    have.forEach((piece) => {
      this.peerHas(piece);
    });
  }

  /** A peer other than us announced a piece. */
  peerHas(piece: number): void {
    const holder = this.#holders[piece]!;
    if (holder === OUT) return;
    this.#take(piece, holder, OUT);
    this.#outCount++;
  }

  /** The peer left or is choked: what it was promised and did not get is fresh again. */
  peerGone(peer: number): void {
    for (const piece of this.#promises[peer] ?? []) {
      this.#holders[piece] = FRESH;
      this.#asked[piece] = 0;
      this.#move(piece, this.#freshCount++);
    }
    this.#promises[peer] = undefined;
  }

  /** A fresh piece to suggest to an unchoked peer, or -1: it has enough, or none is left. Call until it is -1. */
  promise(peer: number): number {
    if (this.#freshCount === 0 || (this.#promises[peer]?.size ?? 0) >= PROMISES_A_PEER) return NONE;
    const piece = this.#pool[this.#random.below(this.#freshCount)]!;
    this.#take(piece, FRESH, peer);
    return piece;
  }

  /**
   * Whether a request helps to get the content out: for a piece that this peer was promised or asked for first. A
   * promise that was not taken up passes to who asks. Other requests wait while any peer has one of these.
   */
  isFirst(peer: number, piece: number): boolean {
    const holder = this.#holders[piece];
    // A remote may ask for a piece that there is not.
    if (holder === OUT || holder === undefined) return false;
    if (holder !== peer) {
      if (this.#asked[piece] === 1) return false;
      this.#take(piece, holder, peer);
    }
    this.#asked[piece] = 1;
    return true;
  }

  #take(piece: number, from: number, to: number): void {
    if (from === FRESH) this.#move(piece, --this.#freshCount);
    else this.#promises[from]!.delete(piece);
    this.#holders[piece] = to;
    if (to === OUT) return;
    this.#promises[to] ??= new Set();
    this.#promises[to].add(piece);
  }

  #move(piece: number, place: number): void {
    const other = this.#pool[place]!;
    const from = this.#places[piece]!;
    this.#pool[from] = other;
    this.#places[other] = from;
    this.#pool[place] = piece;
    this.#places[piece] = place;
  }
}
