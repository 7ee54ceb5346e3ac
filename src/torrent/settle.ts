// Collect, then act once: peers that something happened to are noted, and dealt with together at the end of the turn.

import type { Peer } from '../peer/peer.ts';
import type { Clock } from '../ports/clock.ts';

export interface SettleActs {
  peers(): readonly Peer[];
  /** Asks and serves a peer; what it is sent goes out right after. */
  attend(peer: Peer, nowMs: number): void;
  /** A piece is new: what a peer is told about it. */
  tellHave(peer: Peer, piece: number): void;
  /** All new pieces were told. */
  toldHaves(peer: Peer): void;
  /** A rate limit has nothing left: `tokensArrived` is wanted when it has. */
  wantTokens(): void;
  /** It has: who waits for it is attended to right after. */
  tokensArrived(): void;
}

export class Settle {
  readonly #clock: Clock;
  readonly #acts: SettleActs;
  #touched: Peer[] = [];
  #haves: number[] = [];
  #scheduled = false;
  #starved = false;
  #turn = 0;
  #closed = false;

  constructor(clock: Clock, acts: SettleActs) {
    this.#clock = clock;
    this.#acts = acts;
  }

  /** A peer wants attention this turn. */
  touch(peer: Peer): void {
    if (peer.touched || peer.closed) return;
    peer.touched = true;
    this.#touched.push(peer);
    this.#schedule();
  }

  touchAll(): void {
    for (const peer of this.#acts.peers()) this.touch(peer);
  }

  /** We have a new piece: everybody is told this turn. */
  have(piece: number): void {
    this.#haves.push(piece);
    this.#schedule();
  }

  /** Somebody waits for a rate limit. */
  starved(): void {
    if (this.#starved) return;
    this.#starved = true;
    this.#acts.wantTokens();
  }

  /** Another peer is the first each time: who comes first may take all there is. */
  tokensArrived(): void {
    this.#starved = false;
    this.#acts.tokensArrived();
    const peers = this.#acts.peers();
    const first = this.#turn++ % Math.max(1, peers.length);
    for (let i = first; i < peers.length; i++) this.touch(peers[i]!);
    for (let i = 0; i < first; i++) this.touch(peers[i]!);
  }

  close(): void {
    this.#closed = true;
    this.#touched = [];
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    this.#clock.defer(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#settle();
    });
  }

  #settle(): void {
    const nowMs = this.#clock.nowMs();
    if (this.#haves.length > 0) this.#tellHaves();
    const touched = this.#touched;
    this.#touched = [];
    for (const peer of touched) {
      peer.touched = false;
      if (peer.closed) continue;
      this.#acts.attend(peer, nowMs);
      peer.flush(nowMs);
    }
  }

  #tellHaves(): void {
    const haves = this.#haves;
    this.#haves = [];
    for (const peer of this.#acts.peers()) {
      for (const piece of haves) this.#acts.tellHave(peer, piece);
      this.#acts.toldHaves(peer);
      this.touch(peer);
    }
  }
}
