// What a peer is told: messages are collected in its outbox, and go out in one write when the turn is settled.

import type { Bitfield } from '../base/bitfield.ts';
import { EMPTY } from '../base/bytes.ts';
import * as encoder from '../wire/encoder.ts';
import type { HashQuery } from '../wire/hash-query.ts';
import type { ExtensionName, ExtensionOffer } from './extensions.ts';
import { PeerState } from './state.ts';

export abstract class Speaker extends PeerState {
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

  /** Only BEP 6 has a word for it. */
  sendSuggest(piece: number): void {
    this.outbox.wrote(encoder.putSuggest(this.outbox.buffer, this.outbox.room(), piece));
  }

  sendKeepAlive(): void {
    this.outbox.wrote(encoder.putKeepAlive(this.outbox.buffer, this.outbox.room()));
  }

  /** A message of an extension that the remote has named; nothing where it has not. */
  sendExtended(name: ExtensionName, payload: Uint8Array = EMPTY): void {
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
  flush(nowMs: number): void {
    if (this.closed || this.outbox.isEmpty) return;
    this.lastSentMs = nowMs;
    this.outbox.flush();
  }
}
