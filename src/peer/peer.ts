// One connected peer: what it sends becomes state, and calls to the torrent. No rules: those decide above.

import { Bitfield } from '../base/bitfield.ts';
import type { Clock } from '../ports/clock.ts';
import type { ByteStream, StreamSink } from '../ports/sockets.ts';
import { Decoder } from '../wire/decoder.ts';
import type { HashQuery } from '../wire/hash-query.ts';
import type { BlockPlace, WireSink } from '../wire/sink.ts';
import * as limits from './limits.ts';
import { MOST_PENDING_BYTES } from './outbox.ts';
import { PRICES } from './patience.ts';
import { Speaker } from './speaker.ts';
import type { PeerIdentity } from './state.ts';

/** Metadata (BEP 9) and merkle hashes (BEP 52). Bytes are borrowed. */
export interface PeerTalk {
  onMetadata(peer: Peer, payload: Uint8Array): void;
  onHashRequest(peer: Peer, query: HashQuery): void;
  onHashReject(peer: Peer, query: HashQuery): void;
  onHashes(peer: Peer, query: HashQuery, hashes: Uint8Array): void;
}

/** What the torrent is told by its peers. Calls come while a chunk is read: the torrent notes them and settles later. */
export interface PeerEvents {
  onPeerClosed(peer: Peer, why: string): void;
  /** Its whole set of pieces is there, or changed as a whole; `before` was counted until now (null: nothing). */
  onPeerPieces(peer: Peer, before: Bitfield | null): void;
  onPeerHas(peer: Peer, piece: number): void;
  onPeerLost(peer: Peer, piece: number): void;
  onPeerChoked(peer: Peer): void;
  onPeerInterest(peer: Peer): void;
  /** It lets us ask, or has asked for something itself: worth a look when the turn is settled. */
  touch(peer: Peer): void;
  onPeerRejected(peer: Peer, piece: number, begin: number): void;
  /** Where a block that arrives belongs; null drops it. */
  placeBlock(peer: Peer, piece: number, begin: number, length: number): BlockPlace | null;
  onBlock(peer: Peer, piece: number, begin: number, length: number, placed: boolean): void;
  onPeerWritable(peer: Peer): void;
  onPeerExtended(peer: Peer): void;
  /** What is exchanged besides blocks. */
  readonly talk: PeerTalk;
  /** Who it was connected to is ourselves, or broke the rules: the peer is closed with `why`; `ban` says whether for good. */
  onPeerFault(peer: Peer, why: string): void;
}

export class Peer extends Speaker implements WireSink, StreamSink {
  readonly #clock: Clock;
  readonly #events: PeerEvents;
  readonly #decoder: Decoder;
  #pieceCount: number | null;
  /** Times that it said to have all pieces, or none. */
  #wholeSets = 0;
  /** What it said about its pieces while nobody knew how many there are. */
  #early: { wire: Uint8Array | 'all' | null; haves: number[] } | null = null;

  /** `pieceCount`: null while the metadata is unknown. */
  constructor(identity: PeerIdentity, stream: ByteStream, pieceCount: number | null, clock: Clock, events: PeerEvents) {
    super(identity, stream, clock.nowMs());
    this.#clock = clock;
    this.#events = events;
    this.#pieceCount = pieceCount;
    this.#decoder = new Decoder(this, {
      maxBitfieldBytes: pieceCount === null ? limits.MAX_EARLY_BITFIELD_BYTES : Math.ceil(pieceCount / 8),
      maxBlockBytes: limits.MAX_BLOCK_BYTES,
      maxExtendedBytes: limits.MAX_EXTENDED_BYTES,
    });
    if (pieceCount !== null) this.have = new Bitfield(pieceCount);
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
    if (this.closed) return;
    if (fault) this.#events.onPeerFault(this, fault.message);
    else if (this.outbox.pendingBytes > MOST_PENDING_BYTES) this.close('it asks and does not read');
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
    this.#decoder.stop();
    this.outbox.discard();
    this.stream.destroy();
    this.#events.onPeerClosed(this, why);
  }

  /** Stops the block that is being received from reaching its place: the rest of it is dropped. */
  dropBlock(): void {
    this.#decoder.dropBlock();
    this.receivingPiece = this.receivingBegin = -1;
  }

  #bears(micros: number): boolean {
    if (this.patience.bears(micros, this.lastHeardMs)) return true;
    this.#events.onPeerFault(this, 'its messages cost too much');
    return false;
  }

  // ---- messages in

  onKeepAlive(): void {}

  onChoke(): void {
    if (this.isChoking || !this.#bears(PRICES.choke)) return;
    this.isChoking = true;
    this.#events.onPeerChoked(this);
  }

  onUnchoke(): void {
    if (!this.isChoking) return;
    this.isChoking = false;
    this.#events.touch(this);
  }

  onInterested(): void {
    if (this.isInterested || !this.#bears(PRICES.interest)) return;
    this.isInterested = true;
    this.#events.onPeerInterest(this);
  }

  onNotInterested(): void {
    if (!this.isInterested || !this.#bears(PRICES.interest)) return;
    this.isInterested = false;
    this.#events.onPeerInterest(this);
  }

  onHave(piece: number): void {
    const have = this.have;
    if (have === null) {
      this.#early ??= { wire: null, haves: [] };
      if (this.#early.haves.length < limits.MAX_EARLY_HAVES) this.#early.haves.push(piece);
      return;
    }
    if (piece >= have.length) this.#events.onPeerFault(this, 'have: no such piece');
    else if (have.set(piece)) this.#events.onPeerHas(this, piece);
  }

  onBitfield(wire: Uint8Array): void {
    if (!this.#bears(wire.length * 8 * PRICES.bitfieldPiece)) return;
    if (this.#pieceCount === null) {
      this.#early = { wire: wire.slice(), haves: [] };
      return;
    }
    const field = Bitfield.fromWire(this.#pieceCount, wire);
    if (field === null) this.#events.onPeerFault(this, 'bitfield: wrong size or spare bits set');
    else this.#setPieces(field);
  }

  onHaveAll(): void {
    if (this.#saidTooOften()) return;
    if (this.#pieceCount === null) {
      this.#early = { wire: 'all', haves: [] };
      return;
    }
    const field = new Bitfield(this.#pieceCount);
    field.setAll();
    this.#setPieces(field);
  }

  onHaveNone(): void {
    if (this.#saidTooOften()) return;
    if (this.#pieceCount !== null) this.#setPieces(new Bitfield(this.#pieceCount));
  }

  #saidTooOften(): boolean {
    if (++this.#wholeSets <= limits.MAX_WHOLE_SETS) return false;
    this.#events.onPeerFault(this, 'it has all or no pieces again and again');
    return true;
  }

  #setPieces(field: Bitfield): void {
    const before = this.have;
    this.have = field;
    this.#events.onPeerPieces(this, before);
  }

  onRequest(piece: number, begin: number, length: number): void {
    if (length === 0 || length > limits.MAX_REQUEST_BYTES) {
      this.#events.onPeerFault(this, `request: ${length} bytes asked for at once`);
      return;
    }
    this.lastAskedMs = this.lastHeardMs;
    if (this.amChoking || !this.uploads.add(piece, begin, length)) this.sendReject(piece, begin, length);
    else this.#events.touch(this);
  }

  onCancel(piece: number, begin: number, length: number): void {
    if (!this.#bears(PRICES.cancel + this.uploads.count * PRICES.requestLook)) return;
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
    this.lastBlockBytesMs = this.lastHeardMs;
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
    if (!placed && !this.#bears(PRICES.stray + this.requests.count * PRICES.requestLook)) return;
    this.#events.onBlock(this, piece, begin, length, placed);
  }

  onPort(): void {}

  onSuggest(piece: number): void {
    if (this.suggested.length >= limits.MAX_SUGGESTED) this.suggested.shift();
    this.suggested.push(piece);
    this.#events.touch(this);
  }

  onReject(piece: number, begin: number, _length: number): void {
    if (this.#bears(PRICES.stray + this.requests.count * PRICES.requestLook))
      this.#events.onPeerRejected(this, piece, begin);
  }

  onAllowedFast(): void {}

  onExtended(id: number, payload: Uint8Array): void {
    if (!this.#bears(PRICES.extended)) return;
    const message = this.extensions.read(id, payload);
    switch (message.kind) {
      case 'handshake':
      case 'upload-only':
        this.uploadOnly = message.kind === 'handshake' ? this.uploadOnly || message.uploadOnly : message.on;
        this.#events.onPeerExtended(this);
        break;
      case 'metadata':
        this.#events.talk.onMetadata(this, message.payload);
        break;
      case 'dont-have':
        if (this.have && message.piece < this.have.length && this.have.clear(message.piece)) {
          this.#events.onPeerLost(this, message.piece);
        }
        break;
      case 'fault':
        this.#events.onPeerFault(this, message.why);
    }
  }

  onHashRequest(query: HashQuery): void {
    this.#events.talk.onHashRequest(this, query);
  }

  onHashReject(query: HashQuery): void {
    if (this.#bears(PRICES.hashMessage)) this.#events.talk.onHashReject(this, query);
  }

  onHashes(query: HashQuery, hashes: Uint8Array): void {
    if (this.#bears(PRICES.hashMessage)) this.#events.talk.onHashes(this, query, hashes);
  }

  onUnknown(): void {}
}
