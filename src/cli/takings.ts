// Counts while a torrent is fetched: how long it takes, and how many peers sent something.

import type { Torrent } from '../torrent/torrent.ts';

/** Peers that come and go between two looks with less than a look's worth of blocks are missed; nothing hangs on them. */
const LOOK_MS = 250;

export class Takings {
  readonly #torrent: Torrent;
  readonly #beginMs: number = performance.now();
  #endMs: number | null = null;
  readonly #senders: Set<string> = new Set();
  readonly #timer: NodeJS.Timeout;

  /** Counts from now on. */
  constructor(torrent: Torrent) {
    this.#torrent = torrent;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** Looks a last time and stops the watch. Idempotent. */
  stop(): void {
    if (this.#endMs !== null) return;
    clearInterval(this.#timer);
    this.#look();
    this.#endMs = performance.now();
  }

  get seconds(): number {
    return ((this.#endMs ?? performance.now()) - this.#beginMs) / 1000;
  }

  /** Peers that were seen to send blocks, told apart by address and port. */
  get senders(): number {
    const none = this.#torrent.snapshot().downloadedBytes === 0;
    return Math.max(this.#senders.size, none ? 0 : 1);
  }

  #look(): void {
    for (const peer of this.#torrent.snapshot().peerList) {
      if (peer.downloadedBytes > 0) this.#senders.add(peer.address);
    }
  }
}
