// One connected peer: its state, its messages as calls to the torrent, and what it is sent. No rules: those decide above.

import type { Address, Nearness } from '../base/address.ts';
import { Bitfield } from '../base/bitfield.ts';
import { EMPTY } from '../base/bytes.ts';
import { clientName } from '../base/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { ByteStream, StreamSink } from '../ports/sockets.ts';
import { Meter } from '../rates/meter.ts';
import { Pipeline } from '../rates/pipeline.ts';
import { Decoder } from '../wire/decoder.ts';
import * as encoder from '../wire/encoder.ts';
import type { Handshake } from '../wire/handshake.ts';
import type { HashQuery } from '../wire/hash-query.ts';
import type { BlockPlace, WireSink } from '../wire/sink.ts';
import { type ExtensionOffer, Extensions } from './extensions.ts';
import { Outbox } from './outbox.ts';
import { Requests } from './requests.ts';
import { Uploads } from './uploads.ts';

/** What the torrent is told by its peers. Calls come while a chunk is read: the torrent notes them and settles later. */
export interface PeerEvents {
  onPeerClosed(peer: Peer, why: string): void;
  /** Its whole set of pieces is there, or changed as a whole; `before` was counted until now (null: nothing). */
  onPeerPieces(peer: Peer, before: Bitfield | null): void;
  onPeerHas(peer: Peer, piece: number): void;
  onPeerLost(peer: Peer, piece: number): void;
  onPeerChoked(peer: Peer): void;
  onPeerUnchoked(peer: Peer): void;
  onPeerInterest(peer: Peer): void;
  /** It has asked for something: `peer.uploads` is not empty. */
  onPeerAsks(peer: Peer): void;
  onPeerRejected(peer: Peer, piece: number, begin: number): void;
  /** Where a block that arrives belongs; null drops it. */
  placeBlock(peer: Peer, piece: number, begin: number, length: number): BlockPlace | null;
  onBlock(peer: Peer, piece: number, begin: number, length: number, placed: boolean): void;
  onPeerWritable(peer: Peer): void;
  onPeerExtended(peer: Peer): void;
  onMetadata(peer: Peer, payload: Uint8Array): void;
  onHashRequest(peer: Peer, query: HashQuery): void;
  onHashReject(peer: Peer, query: HashQuery): void;
  onHashes(peer: Peer, query: HashQuery, hashes: Uint8Array): void;
  /** Who it was connected to is ourselves, or broke the rules: the peer is closed with `why`; `ban` says whether for good. */
  onPeerFault(peer: Peer, why: string): void;
}

export interface PeerIdentity {
  /** Small number, unique among the torrent's peers, used again after it left. */
  readonly number: number;
  readonly address: Address;
  readonly outgoing: boolean;
  readonly nearness: Nearness;
  readonly handshake: Handshake;
}

/** Without metadata there is no piece count: so many early HAVEs are remembered at most (a bitfield says the same). */
const MAX_EARLY_HAVES = 10_000;
const MAX_BLOCK_BYTES = 16384;
/** Generous while the piece count is unknown: 2 MiB of bitfield are 16 million pieces. */
const MAX_EARLY_BITFIELD_BYTES = 2 << 20;
const MAX_EXTENDED_BYTES = 1 << 20;
/** A remote may ask for up to 128 KiB at once; most never ask for more than a block. */
const MAX_REQUEST_BYTES = 131_072;

export class Peer implements WireSink, StreamSink {
  readonly number: number;
  readonly address: Address;
  readonly outgoing: boolean;
  readonly nearness: Nearness;
  readonly peerId: Uint8Array;
  readonly fast: boolean;
  /** It speaks BEP 52 on this connection. */
  readonly v2: boolean;
  readonly connectedMs: number;
  readonly stream: ByteStream;
  readonly outbox: Outbox;
  readonly extensions: Extensions;
  readonly requests: Requests = new Requests();
  readonly uploads: Uploads = new Uploads();
  readonly pipeline: Pipeline;
  readonly down: Meter = new Meter();
  readonly up: Meter = new Meter();

  /** We choke it; it chokes us; who is interested. All begin choked and not interested (BEP 3). */
  amChoking = true;
  amInterested = false;
  isChoking = true;
  isInterested = false;
  /** Which pieces it has; null until both its bitfield and the piece count are known. */
  have: Bitfield | null = null;
  closed = false;

  /** Rules keep their marks here. `touched`: settle has something to do for it. */
  touched = false;
  optimistic = false;
  snubbed = false;
  parole = false;
  uploadOnly = false;
  /** When we last unchoked it, and what it had been sent by then. */
  lastUnchokedMs: number | null = null;
  sentBeforeUnchoke = 0;
  lastBlockMs: number;
  lastSentMs: number;
  lastHeardMs: number;
  lastAskedMs = 0;
  /** The block being received now, or -1: who else must not write there. */
  receivingPiece = -1;
  receivingBegin = -1;
  /** Blocks asked and blocks got or refused: a block that was never asked for is dropped. */
  credit = 0;

  readonly #clock: Clock;
  readonly #events: PeerEvents;
  readonly #decoder: Decoder;
  #pieceCount: number | null;
  #early: { wire: Uint8Array | 'all' | null; haves: number[] } | null = null;
  #why: string | null = null;

  constructor(identity: PeerIdentity, stream: ByteStream, pieceCount: number | null, clock: Clock, events: PeerEvents) {
    this.number = identity.number;
    this.address = identity.address;
    this.outgoing = identity.outgoing;
    this.nearness = identity.nearness;
    this.peerId = identity.handshake.peerId;
    this.fast = identity.handshake.fast;
    this.v2 = identity.handshake.v2;
    this.stream = stream;
    this.outbox = new Outbox(stream);
    this.extensions = new Extensions(identity.handshake.extended);
    this.#clock = clock;
    this.#events = events;
    this.connectedMs = this.lastHeardMs = this.lastSentMs = this.lastBlockMs = clock.nowMs();
    this.pipeline = new Pipeline();
    this.#pieceCount = pieceCount;
    this.#decoder = new Decoder(this, {
      maxBitfieldBytes: pieceCount === null ? MAX_EARLY_BITFIELD_BYTES : Math.ceil(pieceCount / 8),
      maxBlockBytes: MAX_BLOCK_BYTES,
      maxExtendedBytes: MAX_EXTENDED_BYTES,
    });
    if (pieceCount !== null) this.have = new Bitfield(pieceCount);
  }

  /** What it calls itself: the extended handshake's word, or what its peer id tells. */
  get client(): string {
    return this.extensions.client ?? clientName(this.peerId) ?? 'unknown';
  }

  get isSeed(): boolean {
    return this.have?.isFull ?? false;
  }

  /** Metadata has arrived: reads what the peer said about its pieces before. False: it broke a rule and is closed. */
  learnPieceCount(pieceCount: number): boolean {
    this.#pieceCount = pieceCount;
    this.#decoder.setPieceCount(pieceCount);
    const early = this.#early;
    this.#early = null;
    this.have = new Bitfield(pieceCount);
    this.#events.onPeerPieces(this, null);
    if (early === null) return !this.closed;
    if (early.wire === 'all') this.onHaveAll();
    else if (early.wire !== null) this.onBitfield(early.wire);
    for (const piece of early.haves) if (!this.closed) this.onHave(piece);
    return !this.closed;
  }

  // ---- stream

  onChunk(chunk: Uint8Array): void {
    if (this.closed) return;
    this.lastHeardMs = this.#clock.nowMs();
    const fault = this.#decoder.push(chunk);
    if (fault && !this.closed) this.#events.onPeerFault(this, fault.message);
  }

  onWritable(): void {
    if (!this.closed) this.#events.onPeerWritable(this);
  }

  onEnd(): void {
    this.close('the remote closed the connection');
  }

  onClose(error: Error | null): void {
    this.close(error ? error.message : 'the connection was closed');
  }

  /** Ends the connection and tells the torrent, once. */
  close(why: string): void {
    if (this.closed) return;
    this.closed = true;
    this.#why = why;
    this.#decoder.stop();
    this.outbox.discard();
    this.stream.destroy();
    this.#events.onPeerClosed(this, why);
  }

  get closedBecause(): string | null {
    return this.#why;
  }

  /** Stops the block that is being received from reaching its place: the rest of it is dropped. */
  dropBlock(): void {
    this.#decoder.dropBlock();
    this.receivingPiece = this.receivingBegin = -1;
  }

  // ---- messages in

  onKeepAlive(): void {}

  onChoke(): void {
    if (this.isChoking) return;
    this.isChoking = true;
    this.#events.onPeerChoked(this);
  }

  onUnchoke(): void {
    if (!this.isChoking) return;
    this.isChoking = false;
    this.#events.onPeerUnchoked(this);
  }

  onInterested(): void {
    if (this.isInterested) return;
    this.isInterested = true;
    this.#events.onPeerInterest(this);
  }

  onNotInterested(): void {
    if (!this.isInterested) return;
    this.isInterested = false;
    this.#events.onPeerInterest(this);
  }

  onHave(piece: number): void {
    const have = this.have;
    if (have === null) {
      this.#early ??= { wire: null, haves: [] };
      if (this.#early.haves.length < MAX_EARLY_HAVES) this.#early.haves.push(piece);
      return;
    }
    if (piece >= have.length) this.#events.onPeerFault(this, 'have: no such piece');
    else if (have.set(piece)) this.#events.onPeerHas(this, piece);
  }

  onBitfield(wire: Uint8Array): void {
    if (this.#pieceCount === null) {
      this.#early = { wire: wire.slice(), haves: [] };
      return;
    }
    const field = Bitfield.fromWire(this.#pieceCount, wire);
    if (field === null) this.#events.onPeerFault(this, 'bitfield: wrong size or spare bits set');
    else this.#setPieces(field);
  }

  onHaveAll(): void {
    if (this.#pieceCount === null) {
      this.#early = { wire: 'all', haves: [] };
      return;
    }
    const field = new Bitfield(this.#pieceCount);
    field.setAll();
    this.#setPieces(field);
  }

  onHaveNone(): void {
    if (this.#pieceCount !== null) this.#setPieces(new Bitfield(this.#pieceCount));
  }

  #setPieces(field: Bitfield): void {
    const before = this.have;
    this.have = field;
    this.#events.onPeerPieces(this, before);
  }

  onRequest(piece: number, begin: number, length: number): void {
    if (length === 0 || length > MAX_REQUEST_BYTES) {
      this.#events.onPeerFault(this, `request: ${length} bytes asked for at once`);
      return;
    }
    this.lastAskedMs = this.lastHeardMs;
    if (this.amChoking || !this.uploads.add(piece, begin, length)) this.sendReject(piece, begin, length);
    else this.#events.onPeerAsks(this);
  }

  onCancel(piece: number, begin: number, length: number): void {
    if (this.uploads.remove(piece, begin, length)) this.sendReject(piece, begin, length);
  }

  placeBlock(piece: number, begin: number, length: number): BlockPlace | null {
    const place = this.credit > 0 ? this.#events.placeBlock(this, piece, begin, length) : null;
    if (place) {
      this.receivingPiece = piece;
      this.receivingBegin = begin;
    }
    return place;
  }

  onBlockBytes(count: number): void {
    this.down.add(count, this.lastHeardMs);
  }

  onBlock(piece: number, begin: number, length: number, placed: boolean): void {
    if (length === 0) {
      // BitComet's way to refuse a request.
      this.onReject(piece, begin, 0);
      return;
    }
    this.receivingPiece = this.receivingBegin = -1;
    this.lastBlockMs = this.lastHeardMs;
    if (this.credit > 0) this.credit--;
    this.#events.onBlock(this, piece, begin, length, placed);
  }

  onPort(): void {}

  onSuggest(): void {}

  onReject(piece: number, begin: number, _length: number): void {
    this.#events.onPeerRejected(this, piece, begin);
  }

  onAllowedFast(): void {}

  onExtended(id: number, payload: Uint8Array): void {
    const message = this.extensions.read(id, payload);
    switch (message.kind) {
      case 'handshake':
        this.uploadOnly ||= message.uploadOnly;
        this.#events.onPeerExtended(this);
        break;
      case 'metadata':
        this.#events.onMetadata(this, message.payload);
        break;
      case 'upload-only':
        this.uploadOnly = message.on;
        this.#events.onPeerExtended(this);
        break;
      case 'dont-have':
        if (this.have && message.piece < this.have.length && this.have.clear(message.piece)) {
          this.#events.onPeerLost(this, message.piece);
        }
        break;
      case 'fault':
        this.#events.onPeerFault(this, message.why);
        break;
      case 'unknown':
        break;
    }
  }

  onHashRequest(query: HashQuery): void {
    this.#events.onHashRequest(this, query);
  }

  onHashReject(query: HashQuery): void {
    this.#events.onHashReject(this, query);
  }

  onHashes(query: HashQuery, hashes: Uint8Array): void {
    this.#events.onHashes(this, query, hashes);
  }

  onUnknown(): void {}

  // ---- messages out: collected in the outbox, sent by flush

  /** The first words after the handshake: what we have (none while the metadata is unknown), and our extensions. */
  sendOpening(have: Bitfield | null, offer: ExtensionOffer): void {
    const { outbox } = this;
    if (have && !have.isEmpty && !(this.fast && have.isFull))
      outbox.message(encoder.encodeBitfield(have.bytes.slice()));
    else if (this.fast && have?.isFull) outbox.wrote(encoder.putHaveAll(outbox.buffer, outbox.room()));
    else if (this.fast) outbox.wrote(encoder.putHaveNone(outbox.buffer, outbox.room()));
    if (this.extensions.supported) outbox.message(encoder.encodeExtended(0, this.extensions.offer(offer)));
  }

  sendHave(piece: number): void {
    const at = this.outbox.room();
    this.outbox.wrote(encoder.putHave(this.outbox.buffer, at, piece));
  }

  sendInterested(interested: boolean): void {
    if (this.amInterested === interested) return;
    this.amInterested = interested;
    const put = interested ? encoder.putInterested : encoder.putNotInterested;
    this.outbox.wrote(put(this.outbox.buffer, this.outbox.room()));
  }

  /** Choking drops what it has asked for; with BEP 6 each request is refused by name. */
  sendChoke(choke: boolean): void {
    if (this.amChoking === choke) return;
    this.amChoking = choke;
    const put = choke ? encoder.putChoke : encoder.putUnchoke;
    this.outbox.wrote(put(this.outbox.buffer, this.outbox.room()));
    if (!choke) return;
    for (let next = this.uploads.peek(); next; next = this.uploads.peek()) {
      this.sendReject(next.piece, next.begin, next.length);
      this.uploads.shift();
    }
  }

  sendRequest(piece: number, block: number, begin: number, length: number): void {
    this.requests.add(piece, block);
    this.credit++;
    const at = this.outbox.room();
    this.outbox.wrote(encoder.putRequest(this.outbox.buffer, at, piece, begin, length));
  }

  sendCancel(piece: number, begin: number, length: number): void {
    const at = this.outbox.room();
    this.outbox.wrote(encoder.putCancel(this.outbox.buffer, at, piece, begin, length));
  }

  /** Only BEP 6 has a word for it; others hear nothing. */
  sendReject(piece: number, begin: number, length: number): void {
    if (!this.fast) return;
    const at = this.outbox.room();
    this.outbox.wrote(encoder.putReject(this.outbox.buffer, at, piece, begin, length));
  }

  sendKeepAlive(): void {
    this.outbox.wrote(encoder.putKeepAlive(this.outbox.buffer, this.outbox.room()));
  }

  /** A message of an extension that the remote has named; nothing where it has not. */
  sendExtended(name: 'ut_metadata' | 'upload_only' | 'lt_donthave', payload: Uint8Array = EMPTY): void {
    const id = this.extensions.remoteId(name);
    if (id !== 0) this.outbox.message(encoder.encodeExtended(id, payload));
  }

  sendHashRequest(query: HashQuery): void {
    this.outbox.message(encoder.encodeHashRequest(query));
  }

  sendHashReject(query: HashQuery): void {
    this.outbox.message(encoder.encodeHashReject(query));
  }

  sendHashes(query: HashQuery, hashes: Uint8Array): void {
    this.outbox.message(encoder.encodeHashes(query, hashes));
  }

  /** One write for all that was collected. */
  flush(): void {
    if (this.closed || this.outbox.isEmpty) return;
    this.lastSentMs = this.#clock.nowMs();
    this.outbox.flush();
  }
}
