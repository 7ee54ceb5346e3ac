// A seed of a young swarm gets every piece out once before it sends any a second time: rules in picker/spread, acts here.

import type { Bitfield } from '../base/bitfield.ts';
import type { Peer } from '../peer/peer.ts';
import { Spread } from '../picker/spread.ts';
import type { Random } from '../ports/random.ts';

/**
 * A request for a piece that is promised to another peer waits no longer than this. It is time for a piece at rates
 * where waiting helps; where it is not, the other peer is slow, and would hold everybody up.
 */
const MOST_WAIT_MS = 2000;

/** Requests of a queue that are looked at: a leech at the rates of a young swarm has no more on the way. */
const MOST_LOOKED_AT = 64;

export class Spreading {
  /** Null when every piece is out. */
  #spread: Spread | null;
  /** Peers whose next request waits, and since when. */
  readonly #held: Map<Peer, number> = new Map();

  constructor(pieceCount: number, random: Random) {
    this.#spread = new Spread(pieceCount, random);
  }

  onPieces(have: Bitfield): void {
    this.#spread?.peerJoined(have);
    this.#dropIfDone();
  }

  onHas(piece: number): void {
    this.#spread?.peerHas(piece);
    this.#dropIfDone();
  }

  /** It left, or we choke it: what it was promised is free for others. */
  onGone(peer: Peer): void {
    this.#spread?.peerGone(peer.number);
    this.#held.delete(peer);
  }

  /** Promises pieces to an unchoked peer and tells it so (SUGGEST, BEP 6). */
  suggest(peer: Peer): void {
    if (!this.#spread || peer.amChoking || !peer.isInterested || !peer.fast) return;
    for (let piece = this.#spread.promise(peer.number); piece >= 0; piece = this.#spread.promise(peer.number)) {
      peer.sendSuggest(piece);
    }
  }

  /**
   * Whether a peer's next request is served now; else it waits, and `held` has the peer. Of the requests in its queue one
   * that helps to get the content out is made the next.
   */
  mayServe(peer: Peer, peers: readonly Peer[], nowMs: number): boolean {
    const spread = this.#spread;
    if (spread === null || this.#bringFirst(spread, peer) || !this.#othersComeFirst(spread, peer, peers)) {
      this.#held.delete(peer);
      return true;
    }
    const sinceMs = this.#held.get(peer) ?? nowMs;
    this.#held.set(peer, sinceMs);
    return nowMs - sinceMs > MOST_WAIT_MS;
  }

  #bringFirst(spread: Spread, peer: Peer): boolean {
    const { uploads } = peer;
    const count = Math.min(uploads.count, MOST_LOOKED_AT);
    for (let i = 0; i < count; i++) {
      if (!spread.isFirst(peer.number, uploads.peek(i)!.piece)) continue;
      uploads.promote(i);
      return true;
    }
    return false;
  }

  /** Peers whose request waits: to be looked at again when others have been served. */
  get held(): Iterable<Peer> {
    return this.#held.keys();
  }

  /** Those that got more do not: else a peer whose queue is full of other pieces would never come to ask for its own. */
  #othersComeFirst(spread: Spread, peer: Peer, peers: readonly Peer[]): boolean {
    return peers.some((other) => {
      if (other === peer || other.amChoking || other.up.total > peer.up.total) return false;
      const wish = other.uploads.peek();
      return wish !== null && spread.isFirst(other.number, wish.piece);
    });
  }

  #dropIfDone(): void {
    if (this.#spread?.isDone) this.#spread = null;
  }
}
