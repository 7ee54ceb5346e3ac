// The running swarm of one torrent: facts from peers are noted, and acted on once a turn by settle.

import type { Address } from '../base/address.ts';
import type { Bitfield } from '../base/bitfield.ts';
import type { Peer, PeerEvents } from '../peer/peer.ts';
import { MAX_WAITING_REQUESTS } from '../peer/uploads.ts';
import { Limits } from '../rates/limits.ts';
import { Meter } from '../rates/meter.ts';
import type { HashQuery } from '../wire/hash-query.ts';
import type { BlockPlace } from '../wire/sink.ts';
import type { TorrentHost, TorrentOptions } from './context.ts';
import type { Core } from './core.ts';
import { Download, type DownloadEvents } from './download.ts';
import { HashAnswers } from './hash-answers.ts';
import { HashExchange } from './hash-exchange.ts';
import { answerMetadata, MetadataFetch } from './metadata-exchange.ts';
import { Swarm, type SwarmIdentity } from './swarm.ts';
import { Upload } from './upload.ts';

/** What the torrent above hears. */
export interface LiveEvents {
  /** The info dictionary of a magnet link, verified. */
  onInfo(info: Uint8Array): void;
  /** No wanted piece is missing any more. */
  onAllVerified(): void;
  /** The disk failed. */
  onFailed(error: unknown): void;
  /** A piece was verified and written, or a peer came or went: what `changes()` tells. */
  onPiece(piece: number): void;
  onPeers(): void;
}

export interface LiveIdentity extends SwarmIdentity {
  /** The whole v2 hash, 32 bytes. */
  readonly infoHashV2: Uint8Array | null;
}

/** A peer with less than this share of the fastest one's rate shares pieces with its like. */
const SLOW_SHARE = 8;

export class Live implements PeerEvents, DownloadEvents {
  readonly swarm: Swarm;
  readonly host: TorrentHost;
  readonly options: TorrentOptions;
  /** Null while the metadata or the content is not there. */
  core: Core | null = null;
  download: Download | null = null;
  upload: Upload | null = null;
  hashExchange: HashExchange | null = null;
  hashAnswers: HashAnswers | null = null;
  readonly metadata: MetadataFetch | null;
  readonly #events: LiveEvents;
  #touched: Peer[] = [];
  #haves: number[] = [];
  #scheduled = false;
  #starved = false;
  /** Rate of the fastest peer, as of the last tick. */
  #fastest = 0;
  #closed = false;
  readonly down: Meter = new Meter();
  readonly up: Meter = new Meter();
  /** Data bytes of the pieces that are wanted, of those of them that are verified, and of all that are verified. */
  wantedBytes = 0;
  verifiedWantedBytes = 0;
  verifiedBytes = 0;

  constructor(host: TorrentHost, options: TorrentOptions, identity: LiveIdentity, known: boolean, events: LiveEvents) {
    this.host = host;
    this.options = options;
    this.#events = events;
    this.metadata = known
      ? null
      : new MetadataFetch(
          { infoHashV1: identity.hashV1, infoHashV2: identity.infoHashV2 },
          host.env.hashes,
          (info) => events.onInfo(info),
          (liar) => this.swarm.ban(liar, 'its metadata was wrong'),
        );
    const { env } = host;
    this.swarm = new Swarm(
      identity,
      {
        sockets: env.sockets,
        clock: env.clock,
        log: env.log,
        networks: host.networks,
        from: host.from,
        maxPeers: options.maxPeers,
        takeConnection: () => host.takeConnection(),
        giveConnection: () => host.giveConnection(),
        pieceCount: () => this.core?.geometry.pieceCount ?? null,
        onPeerOpened: (peer) => this.#opened(peer),
      },
      this,
    );
  }

  /** The content is open and checked: from here on pieces are exchanged. */
  begin(core: Core): void {
    this.core = core;
    const { env } = this.host;
    this.download = new Download(
      {
        pieceIo: env.pieceIo,
        hashes: env.hashes,
        content: core.content,
        geometry: core.geometry,
        layout: core.layout,
        checks: core.checks,
        picker: core.picker,
        limits: new Limits(this.host.down, this.options.down),
        peer: (number) => this.swarm.byNumber(number),
        isSlow: (peer) => peer.pipeline.bytesPerSecond < this.#fastest / SLOW_SHARE,
      },
      this,
    );
    this.upload = new Upload(this.host, core, new Limits(this.host.up, this.options.up), {
      isSeeding: () => this.isDone,
      onSent: (bytes) => this.up.add(bytes, env.clock.nowMs()),
      onReadFailed: (error) => this.#events.onFailed(error),
      onReady: (peer) => this.touch(peer),
      onStarved: () => this.onStarved(),
    });
    this.hashAnswers = new HashAnswers(core, env.hashes);
    this.hashExchange = new HashExchange(core, env.hashes, () => env.clock.nowMs(), {
      onLayer: (pieces) => this.#layerArrived(pieces),
      onLeaves: (piece, leaves) => this.download?.judge(piece, leaves),
    });
    this.#countBytes(core);
    for (const peer of [...this.swarm.peers]) {
      if (peer.learnPieceCount(core.geometry.pieceCount)) this.#announceWhatWeHave(peer);
    }
    this.touchAll();
  }

  #countBytes(core: Core): void {
    for (let piece = 0; piece < core.geometry.pieceCount; piece++) {
      const bytes = core.geometry.dataBytes(piece);
      const wanted = core.picker.priority(piece) > 0;
      if (wanted) this.wantedBytes += bytes;
      if (!core.have.has(piece)) continue;
      this.verifiedBytes += bytes;
      if (wanted) this.verifiedWantedBytes += bytes;
    }
  }

  get isSeed(): boolean {
    return this.core?.have.isFull ?? false;
  }

  /** Nothing that is wanted is missing. */
  get isDone(): boolean {
    return this.core !== null && this.core.picker.wantedLeft === 0;
  }

  // ---- settle: act once a turn

  touch(peer: Peer): void {
    if (peer.touched || peer.closed) return;
    peer.touched = true;
    this.#touched.push(peer);
    this.#schedule();
  }

  touchAll(): void {
    for (const peer of this.swarm.peers) this.touch(peer);
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    this.host.env.clock.defer(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#settle();
    });
  }

  #settle(): void {
    const nowMs = this.host.env.clock.nowMs();
    if (this.#haves.length > 0) this.#sendHaves();
    const touched = this.#touched;
    this.#touched = [];
    for (const peer of touched) {
      peer.touched = false;
      if (peer.closed) continue;
      if (peer.amInterested) this.download?.request(peer, nowMs);
      this.upload?.serve(peer, nowMs);
      peer.flush(nowMs);
    }
  }

  #sendHaves(): void {
    const haves = this.#haves;
    this.#haves = [];
    for (const peer of this.swarm.peers) {
      for (const piece of haves) peer.sendHave(piece);
      this.updateInterest(peer);
      this.touch(peer);
    }
  }

  /** Once a second: what rules compare with. */
  measure(): void {
    this.#fastest = 0;
    for (const peer of this.swarm.peers) this.#fastest = Math.max(this.#fastest, peer.pipeline.bytesPerSecond);
  }

  /** Rate limits give new tokens. */
  tokensArrived(): void {
    this.#starved = false;
    this.touchAll();
  }

  onStarved(): void {
    if (this.#starved) return;
    this.#starved = true;
    this.host.wantTokens(this);
  }

  onRoom(): void {
    this.touchAll();
  }

  // ---- peers come and go

  #opened(peer: Peer): void {
    const core = this.core;
    peer.sendOpening(core?.have ?? null, {
      client: this.host.clientName,
      port: this.host.listenPort(),
      requestQueue: MAX_WAITING_REQUESTS,
      metadataBytes: core?.info.bytes.length ?? null,
      uploadOnly: this.isDone,
      yourIp: peer.address.ip,
    });
    core?.picker.peerJoined(peer.have!);
    this.host.env.log.write('debug', 'peer connected', { peer: peer.address.key, outgoing: peer.outgoing });
    this.touch(peer);
    this.#events.onPeers();
  }

  /** A peer that connected before the metadata was there was told nothing about pieces. */
  #announceWhatWeHave(peer: Peer): void {
    this.core!.have.forEach((piece) => {
      peer.sendHave(piece);
    });
    this.updateInterest(peer);
  }

  onPeerClosed(peer: Peer, why: string): void {
    if (this.core && peer.have) this.core.picker.peerLeft(peer.have);
    this.download?.onPeerGone(peer);
    this.hashExchange?.onPeerGone(peer);
    this.swarm.forget(peer);
    this.host.env.log.write('debug', 'peer closed', { peer: peer.address.key, why });
    if (!this.#closed) {
      this.upload?.onPeerGone(peer);
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

  /** Two that want nothing of each other part. */
  #closeIfUseless(peer: Peer): void {
    if (this.isDone && (peer.isSeed || (peer.uploadOnly && !peer.isInterested))) peer.close('both are seeds');
  }

  // ---- what peers have, and who wants what

  onPeerPieces(peer: Peer, before: Bitfield | null): void {
    if (this.core) {
      if (before) this.core.picker.peerLeft(before);
      this.core.picker.peerJoined(peer.have!);
    }
    this.updateInterest(peer);
    this.#closeIfUseless(peer);
  }

  onPeerHas(peer: Peer, piece: number): void {
    const core = this.core;
    if (!core) return;
    core.picker.peerHas(piece);
    if (!peer.amInterested && !core.have.has(piece)) this.updateInterest(peer);
    else if (peer.amInterested && peer.requests.count === 0) this.touch(peer);
    if (peer.isSeed) this.#closeIfUseless(peer);
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
    this.download?.onChoked(peer);
    this.onRoom();
  }

  onPeerUnchoked(peer: Peer): void {
    this.touch(peer);
  }

  onPeerInterest(peer: Peer): void {
    this.upload?.onInterest(peer, this.swarm.peers, peer.lastHeardMs);
    this.touch(peer);
  }

  // ---- blocks

  onPeerAsks(peer: Peer): void {
    this.touch(peer);
  }

  onPeerWritable(peer: Peer): void {
    if (peer.uploads.count > 0) this.touch(peer);
  }

  onPeerRejected(peer: Peer, piece: number, begin: number): void {
    this.download?.onRejected(peer, piece, begin);
    this.touch(peer);
  }

  placeBlock(peer: Peer, piece: number, begin: number, length: number): BlockPlace | null {
    return this.download?.placeBlock(peer, piece, begin, length) ?? null;
  }

  onBlock(peer: Peer, piece: number, begin: number, length: number, placed: boolean): void {
    this.down.add(length, peer.lastHeardMs);
    this.download?.onBlock(peer, piece, begin, length, placed, peer.lastHeardMs);
    this.touch(peer);
  }

  onPieceGood(piece: number): void {
    const core = this.core!;
    const bytes = core.geometry.dataBytes(piece);
    core.have.set(piece);
    core.journal.pieceVerified(piece, bytes);
    this.verifiedBytes += bytes;
    this.verifiedWantedBytes += bytes;
    this.#haves.push(piece);
    this.#schedule();
    this.touchAll();
    this.#events.onPiece(piece);
    if (this.isDone) this.#becameDone();
  }

  #becameDone(): void {
    for (const peer of [...this.swarm.peers]) {
      this.updateInterest(peer);
      this.#closeIfUseless(peer);
    }
    this.#events.onAllVerified();
  }

  onDownloadFailed(error: unknown): void {
    this.#events.onFailed(error);
  }

  // ---- extensions

  onPeerExtended(peer: Peer): void {
    if (this.metadata && this.core === null) this.metadata.ask(peer, this.host.env.clock.nowMs());
    this.#closeIfUseless(peer);
    this.touch(peer);
  }

  onMetadata(peer: Peer, payload: Uint8Array): void {
    if (this.core) {
      answerMetadata(peer, payload, this.core.info.bytes);
    } else {
      this.metadata?.onMessage(peer, payload);
      this.metadata?.ask(peer, this.host.env.clock.nowMs());
    }
    this.touch(peer);
  }

  onHashRequest(peer: Peer, query: HashQuery): void {
    if (!this.hashAnswers) peer.sendHashReject(query);
    else this.hashAnswers.answer(peer, query, () => this.touch(peer));
    this.touch(peer);
  }

  onHashReject(peer: Peer, query: HashQuery): void {
    this.hashExchange?.onReject(peer, query);
    this.#askHashes();
  }

  onHashes(peer: Peer, query: HashQuery, hashes: Uint8Array): void {
    const honest = this.hashExchange?.onHashes(peer, query, hashes) ?? true;
    if (!honest) this.swarm.ban(peer, 'its hashes were wrong');
    this.#askHashes();
  }

  onWantLeaves(piece: number): boolean {
    const wanted = this.hashExchange?.wantLeaves(piece, this.swarm.peers) ?? false;
    if (wanted) this.#askHashes();
    return wanted;
  }

  #askHashes(): void {
    this.hashExchange?.ask(this.swarm.peers, this.host.env.clock.nowMs());
    this.touchAll();
  }

  #layerArrived(pieces: { first: number; last: number }): void {
    for (let piece = pieces.first; piece <= pieces.last; piece++) this.core!.picker.setHashKnown(piece, true);
    for (const peer of this.swarm.peers) this.updateInterest(peer);
    this.touchAll();
  }

  /** Closes all peers; resolves when nothing is being read or written any more. */
  async close(why: string): Promise<void> {
    this.#closed = true;
    this.swarm.close(why);
    this.download?.stop();
    await Promise.all([this.upload?.stop(), this.download?.idle()]);
  }
}
