// The running swarm of one torrent: facts from peers are noted, and acted on once a turn by settle.

import type { Address } from '../base/address.ts';
import type { Bitfield } from '../base/bitfield.ts';
import type { Peer, PeerEvents } from '../peer/peer.ts';
import { MAX_WAITING_REQUESTS } from '../peer/uploads.ts';
import { Meter } from '../rates/meter.ts';
import type { BlockPlace } from '../wire/sink.ts';
import { Amounts } from './amounts.ts';
import type { TorrentHost, TorrentOptions } from './context.ts';
import { contradictionAt } from './contradiction.ts';
import type { Core } from './core.ts';
import { Exchange, type ExchangeEvents } from './exchange.ts';
import { Knowledge } from './knowledge.ts';
import { lateHaves } from './late-haves.ts';
import { Settle } from './settle.ts';
import { Swarm, type SwarmIdentity } from './swarm.ts';

export interface LiveEvents {
  /** The info dictionary of a magnet link, verified. */
  onInfo(info: Uint8Array): void;
  /** No wanted piece is missing any more. */
  onAllVerified(): void;
  /** The disk failed, or the torrent is broken. */
  onFailed(error: unknown): void;
  /** A piece was verified and written, or a peer came or went: what `changes()` tells. */
  onPiece(piece: number): void;
  onPeers(): void;
  onPeerLeft(peer: Peer): void;
}

export interface LiveIdentity extends SwarmIdentity {
  /** The whole v2 hash, 32 bytes. */
  readonly infoHashV2: Uint8Array | null;
}

export class Live implements PeerEvents, ExchangeEvents {
  readonly swarm: Swarm;
  readonly host: TorrentHost;
  readonly options: TorrentOptions;
  readonly talk: Knowledge;
  readonly amounts: Amounts = new Amounts();
  readonly down: Meter = new Meter();
  readonly up: Meter = new Meter();
  /** Null while the metadata or the content is not there, and before the first peer: nobody waits for very many torrents. */
  exchange: Exchange | null = null;
  /** The open content; null while the metadata or the content is not there. */
  core: Core | null = null;
  readonly #settle: Settle;
  readonly #events: LiveEvents;
  #closed = false;

  constructor(host: TorrentHost, options: TorrentOptions, identity: LiveIdentity, known: boolean, events: LiveEvents) {
    this.host = host;
    this.options = options;
    this.#events = events;
    this.#settle = new Settle(host.env.clock, {
      peers: () => this.swarm.peers,
      attend: (peer, nowMs) => this.exchange?.attend(peer, nowMs),
      tellHave: (peer, piece) => peer.sendHave(piece),
      toldHaves: (peer) => this.updateInterest(peer),
      wantTokens: () => host.wantTokens(this.#settle),
      tokensArrived: () => this.exchange?.refilled(),
    });
    const wants = { infoHashV1: identity.hashV1, infoHashV2: identity.infoHashV2 };
    this.talk = new Knowledge(host.env, known ? null : wants, {
      peers: () => this.swarm.peers,
      touch: (peer) => this.touch(peer),
      onLiar: (peer, why) => this.swarm.ban(peer, why),
      onInfo: (info) => events.onInfo(info),
      onLayer: (pieces) => this.#layerArrived(pieces),
      onLeaves: (piece, leaves) => this.exchange?.download.judge(piece, leaves),
    });
    this.swarm = new Swarm(
      identity,
      {
        sockets: host.env.sockets, // not spread: a copy has a shape of its own, half a KiB for each torrent
        clock: host.env.clock,
        log: host.env.log,
        networks: host.networks,
        from: host.from,
        maxPeers: options.maxPeers,
        connections: host.connections,
        pieceCount: () => this.core?.geometry.pieceCount ?? null,
        isDone: () => this.isDone(),
        onPeerOpened: (peer) => this.#opened(peer),
      },
      this,
    );
  }

  /** The content is open and checked: from here on pieces are exchanged. */
  begin(core: Core): void {
    this.core = core;
    this.talk.begin(core);
    if (this.swarm.peers.length > 0) this.exchange = new Exchange(this.host, this.options, core, this);
    this.amounts.begin(core);
    const haves = lateHaves(core.have);
    for (const peer of [...this.swarm.peers]) {
      if (!peer.learnPieceCount(core.geometry.pieceCount)) continue;
      if (haves.length > 0) peer.outbox.message(haves.slice());
      this.updateInterest(peer);
    }
    this.onRoom();
  }

  /** Nothing that is wanted is missing. */
  isDone(): boolean {
    return this.core?.isDone() ?? false;
  }

  /** A peer wants attention at the end of this turn. */
  touch(peer: Peer): void {
    this.#settle.touch(peer);
  }

  /** Something changed that may let requests be made. */
  onRoom(): void {
    this.#settle.touchAll();
  }

  // ---- peers come and go

  #opened(peer: Peer): void {
    const core = this.core;
    peer.sendOpening(core?.have ?? null, {
      client: this.host.clientName,
      port: this.host.listenPort(),
      requestQueue: MAX_WAITING_REQUESTS,
      metadataBytes: core?.info.bytes.length ?? null,
      uploadOnly: this.isDone(),
      yourIp: peer.address.ip,
    });
    if (core) this.exchange ??= new Exchange(this.host, this.options, core, this);
    core?.picker.peerJoined(peer.have!);
    core?.picker.rivals.note(peer);
    this.host.env.log.write('debug', 'peer connected', { peer: peer.address.key, outgoing: peer.outgoing });
    this.touch(peer);
    this.#events.onPeers();
  }

  onPeerClosed(peer: Peer, why: string): void {
    if (this.core && peer.have) this.core.picker.peerLeft(peer.have);
    this.core?.picker.rivals.leave(peer.number);
    this.exchange?.onPeerGone(peer);
    this.talk.onPeerGone(peer);
    this.swarm.forget(peer);
    this.#events.onPeerLeft(peer);
    this.host.env.log.write('debug', 'peer closed', { peer: peer.address.key, why });
    if (!this.#closed) {
      this.onRoom();
      this.#events.onPeers();
    }
  }

  onPeerFault(peer: Peer, why: string): void {
    this.swarm.ban(peer, `broke the protocol: ${why}`);
  }

  onLiars(liars: readonly Address[]): void {
    for (const address of liars) {
      if (this.swarm.book.isBanned(address)) continue;
      this.host.env.log.write('warn', 'banned: it sent bad data', { peer: address.key });
      this.swarm.banAddress(address);
      const peer = this.swarm.peers.find((candidate) => candidate.address.key === address.key);
      if (peer) this.swarm.ban(peer, 'it sent bad data');
    }
  }

  /** Who has all pieces fetches none beside us; two that want nothing of each other part. */
  #reconsider(peer: Peer): void {
    this.core?.picker.rivals.note(peer);
    if (this.isDone() && (peer.isSeed || (peer.uploadOnly && !peer.isInterested))) peer.close('both are seeds');
  }

  // ---- what peers have, and who wants what

  onPeerPieces(peer: Peer, before: Bitfield | null): void {
    if (this.core) {
      if (before) this.core.picker.peerLeft(before);
      this.core.picker.peerJoined(peer.have!);
      this.exchange!.upload.onPeerPieces(peer.have!);
    }
    this.updateInterest(peer);
    this.#reconsider(peer);
  }

  onPeerHas(peer: Peer, piece: number): void {
    const core = this.core;
    if (!core) return;
    core.picker.peerHas(piece);
    this.exchange!.upload.onPeerHas(peer, piece);
    if (!peer.amInterested && core.picker.isWanted(piece)) this.updateInterest(peer);
    else if (peer.amInterested && peer.requests.count === 0) this.touch(peer);
    if (peer.isSeed) this.#reconsider(peer);
  }

  onPeerLost(_peer: Peer, piece: number): void {
    this.core?.picker.peerLost(piece);
  }

  /** Says whether it has something we want, where that changed. */
  updateInterest(peer: Peer): void {
    if (!this.core || peer.have === null || peer.closed) return;
    const interested = this.core.picker.isInteresting(peer.have);
    if (interested === peer.amInterested) return;
    peer.sendInterested(interested);
    this.touch(peer);
  }

  onPeerChoked(peer: Peer): void {
    this.exchange?.asking.forget(peer);
    this.onRoom();
  }

  onPeerInterest(peer: Peer): void {
    peer.interestChanged = true;
    this.touch(peer);
  }

  // ---- blocks

  onPeerWritable(peer: Peer): void {
    if (peer.uploads.count > 0) this.touch(peer);
  }

  onPeerRejected(peer: Peer, piece: number, begin: number): void {
    this.exchange?.asking.onRejected(peer, piece, begin);
    this.touch(peer);
  }

  placeBlock(peer: Peer, piece: number, begin: number, length: number): BlockPlace | null {
    return this.exchange?.download.placeBlock(peer, piece, begin, length) ?? null;
  }

  onBlock(peer: Peer, piece: number, begin: number, length: number, placed: boolean): void {
    this.down.add(length, peer.lastHeardMs);
    this.exchange?.download.onBlock(peer, piece, begin, length, placed, peer.lastHeardMs);
    this.touch(peer);
  }

  onPieceGood(piece: number): void {
    const core = this.core!;
    const bytes = core.geometry.dataBytes(piece);
    core.have.set(piece);
    core.journal.pieceVerified(piece, bytes);
    this.amounts.add(bytes);
    this.#settle.have(piece);
    this.#events.onPiece(piece);
    if (this.isDone()) this.#becameDone();
  }

  #becameDone(): void {
    for (const peer of [...this.swarm.peers]) {
      this.updateInterest(peer);
      this.#reconsider(peer);
    }
    this.#events.onAllVerified();
  }

  onContradiction(piece: number): void {
    this.#events.onFailed(contradictionAt(piece));
  }

  onDiskFailed(error: unknown): void {
    this.#events.onFailed(error);
  }

  onPeerExtended(peer: Peer): void {
    this.talk.onExtended(peer);
    this.#reconsider(peer);
    this.touch(peer);
  }

  onWantLeaves(piece: number): boolean {
    return this.talk.wantLeaves(piece);
  }

  #layerArrived(pieces: { first: number; last: number }): void {
    for (let piece = pieces.first; piece <= pieces.last; piece++) this.core!.picker.setHashKnown(piece, true);
    for (const peer of this.swarm.peers) this.updateInterest(peer);
    this.onRoom();
  }

  onSent(bytes: number): void {
    this.up.add(bytes, this.host.env.clock.nowMs());
  }

  onStarved(): void {
    this.#settle.starved();
  }

  /** Closes all peers; resolves when nothing is being read or written any more. */
  async close(why: string): Promise<void> {
    this.#closed = true;
    this.#settle.close();
    this.swarm.close(why);
    await this.exchange?.close();
  }
}
