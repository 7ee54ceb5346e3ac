// A torrent's presence in its swarms: announced to trackers, live among peers, ticking while there is something to wait for.

import type { Address } from '../base/address.ts';
import type { Greeting, GreetingAnswer } from '../peer/greeting.ts';
import type { Timer } from '../ports/clock.ts';
import type { TrackerState } from '../tracker/client/tracked.ts';
import type { Handshake } from '../wire/handshake.ts';
import { Announcers } from './announcers.ts';
import type { TorrentHost, TorrentOptions } from './context.ts';
import type { Core } from './core.ts';
import { Live, type LiveEvents } from './live.ts';
import type { TorrentIdentity } from './snapshot.ts';
import { TICK_MS, tick } from './tick.ts';

/** A leech with fewer connected peers asks its trackers for more, as often as they allow. */
const ENOUGH_PEERS = 20;
/** With fewer, addresses are taken along with an announce that is due: of a leech better ones, of a seed new leeches. */
const PLENTY_OF_PEERS = 100;
/** A seed without peers looks so seldom for addresses to dial again: thousands of idle torrents cost nothing. */
const IDLE_LOOK_MS = 5000;
/** While the length is unknown something is left to fetch: trackers are told of one block. */
const LEFT_UNKNOWN_BYTES = 16384;

export interface PresenceEvents extends Omit<LiveEvents, 'onPeers'> {
  onPeers(count: number): void;
  /** Once a second while there is something to wait for. */
  onTick(): void;
  /** Length of the content; null while unknown. */
  lengthBytes(): number | null;
}

export class Presence {
  readonly #host: TorrentHost;
  readonly #options: TorrentOptions;
  readonly #identity: TorrentIdentity;
  readonly #events: PresenceEvents;
  readonly #announcers: Announcers;
  #live: Live | null = null;
  #timer: Timer | null = null;
  /** When it fires. */
  #tickMs = 0;
  #closed = false;

  constructor(
    host: TorrentHost,
    options: TorrentOptions,
    source: { readonly identity: TorrentIdentity; readonly tiers: readonly (readonly string[])[] },
    events: PresenceEvents,
  ) {
    this.#host = host;
    this.#options = options;
    this.#identity = source.identity;
    this.#events = events;
    this.#announcers = new Announcers(host, {
      ...source,
      everyTracker: options.everyTracker,
      progress: () => this.#progress(),
      wantsPeers: () => this.#wantsPeers(),
      takesPeers: () => this.#live !== null && this.#live.swarm.peers.length < PLENTY_OF_PEERS,
      onPeers: (peers, v2) => this.#learn(peers, 'tracker', v2),
    });
  }

  /** Null until `join`. */
  get live(): Live | null {
    return this.#live;
  }

  /**
   * Joins the swarm: from here on peers are dialled, accepted and asked for. With `core` pieces are exchanged from the
   * first peer on, and trackers are told what is there; null while the metadata is unknown.
   */
  join(core: Core | null): Live {
    const { infoHashV1, infoHashV2 } = this.#identity;
    const identity = {
      peerId: this.#host.peerId,
      hashV1: infoHashV1,
      hashV2: infoHashV2?.slice(0, 20) ?? null,
      infoHashV2,
    };
    const live = new Live(this.#host, this.#options, identity, core !== null, {
      onInfo: (info) => this.#events.onInfo(info),
      onAllVerified: () => this.#events.onAllVerified(),
      onFailed: (error) => this.#events.onFailed(error),
      onPiece: (piece) => this.#events.onPiece(piece),
      onPeers: () => this.#peersChanged(),
      onPeerLeft: (peer) => this.#events.onPeerLeft(peer),
    });
    this.#live = live;
    // Before the first announce: trackers are told what is left.
    if (core) live.begin(core);
    for (const address of this.#options.peers) live.swarm.book.add(address, 'user', infoHashV1 === null);
    this.#announcers.start();
    live.swarm.dialMore();
    this.wake();
    return live;
  }

  /** A connection that came for this torrent. */
  accept(greeting: Greeting, handshake: Handshake): GreetingAnswer {
    if (this.#live === null || this.#closed) return { refused: 'the torrent is not ready' };
    return this.#live.swarm.accept(greeting, handshake);
  }

  /** More addresses to try, from a user. */
  addPeers(addresses: readonly Address[]): void {
    this.#learn(addresses, 'user', this.#identity.infoHashV1 === null);
  }

  /** The content has become complete in this run. */
  completed(): void {
    this.#announcers.completed();
  }

  trackers(): readonly TrackerState[] {
    return this.#announcers.snapshot();
  }

  /** Ticks within a second, if it does not already. */
  wake(): void {
    this.#tickIn(TICK_MS);
  }

  #tickIn(delayMs: number): void {
    if (this.#live === null || this.#closed) return;
    const { clock } = this.#host.env;
    const atMs = clock.nowMs() + delayMs;
    if (this.#timer && this.#tickMs <= atMs) return;
    this.#timer?.cancel();
    this.#tickMs = atMs;
    this.#timer = clock.after(delayMs, () => this.#tick(this.#live!, clock.nowMs()));
  }

  #tick(live: Live, nowMs: number): void {
    this.#timer = null;
    const again = tick(live, nowMs);
    this.#events.onTick();
    if (again) this.wake();
    else this.#lookLater(live, nowMs);
  }

  /** Nobody is here and nothing is missing: until somebody comes, only addresses that may be dialled later matter. */
  #lookLater(live: Live, nowMs: number): void {
    const dueMs = live.swarm.book.nextDueMs(nowMs, !live.isDone());
    if (dueMs !== null) this.#tickIn(Math.max(IDLE_LOOK_MS, dueMs));
  }

  /** Leaves the peers; resolves when nothing is being read or written any more. The trackers still count us. */
  async close(why: string): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#live?.close(why);
  }

  /** Tells the trackers that we are gone, within this time. */
  farewell(timeoutMs: number): Promise<void> {
    return this.#announcers.stop(timeoutMs);
  }

  #learn(addresses: readonly Address[], source: 'tracker' | 'user', v2: boolean): void {
    if (this.#live === null || this.#closed) return;
    for (const address of addresses) this.#live.swarm.book.add(address, source, v2);
    this.#live.swarm.dialMore();
    this.wake();
  }

  #wantsPeers(): boolean {
    return this.#live !== null && !this.#live.isDone() && this.#live.swarm.peers.length < ENOUGH_PEERS;
  }

  #peersChanged(): void {
    const count = this.#live!.swarm.peers.length;
    this.#events.onPeers(count);
    if (count === 0 && this.#wantsPeers()) this.#announcers.moreSoon();
    this.wake();
  }

  #progress(): { uploaded: number; downloaded: number; left: number } {
    const live = this.#live;
    const total = this.#events.lengthBytes();
    const left = total === null ? LEFT_UNKNOWN_BYTES : Math.max(0, total - (live?.amounts.verifiedBytes ?? 0));
    return {
      uploaded: live?.up.total ?? 0,
      downloaded: live?.down.total ?? 0,
      left: live?.core?.have.isFull ? 0 : left,
    };
  }
}
