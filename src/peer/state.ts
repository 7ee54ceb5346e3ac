// What is known of one connected peer: who it is, what it has, which marks the rules have put on it, what is under way.

import type { Address, Nearness } from '../base/address.ts';
import type { Bitfield } from '../base/bitfield.ts';
import { clientName } from '../base/ids.ts';
import type { ByteStream } from '../ports/sockets.ts';
import { Meter } from '../rates/meter.ts';
import { Pipeline } from '../rates/pipeline.ts';
import type { Handshake } from '../wire/handshake.ts';
import { Extensions } from './extensions.ts';
import { Outbox } from './outbox.ts';
import { Patience } from './patience.ts';
import { Requests } from './requests.ts';
import { Uploads } from './uploads.ts';

export interface PeerIdentity {
  /** Small number, unique among the torrent's peers, used again after it left. */
  readonly number: number;
  readonly address: Address;
  readonly outgoing: boolean;
  readonly nearness: Nearness;
  readonly handshake: Handshake;
}

/** Data with one writer each: the wire for what the remote says, the torrent's rules for their marks. */
export abstract class PeerState {
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
  readonly pipeline: Pipeline = new Pipeline();
  readonly down: Meter = new Meter();
  readonly up: Meter = new Meter();
  readonly patience: Patience;

  /** We choke it; it chokes us; who is interested. All begin choked and not interested (BEP 3). */
  amChoking = true;
  amInterested = false;
  isChoking = true;
  isInterested = false;
  /** Which pieces it has; null until both its bitfield and the piece count are known. */
  have: Bitfield | null = null;
  /** Pieces it suggested (BEP 6), oldest first. Not checked. */
  suggested: number[] = [];
  closed = false;

  /** Rules keep their marks here. `touched`: settle has something to do for it. */
  touched = false;
  /** Whether its interest is other than when settle last looked. */
  interestChanged = false;
  optimistic = false;
  snubbed = false;
  parole = false;
  uploadOnly = false;
  /** When we last unchoked it, and what it had been sent by then. */
  lastUnchokedMs: number | null = null;
  sentBeforeUnchoke = 0;
  /** When it was last given payload. */
  lastServedMs: number;
  lastBlockMs: number;
  /** When bytes of a block came last, whole or not. */
  lastBlockBytesMs: number;
  lastSentMs: number;
  lastHeardMs: number;
  lastAskedMs = 0;
  /** The block being received now, or -1: who else must not write there. */
  receivingPiece = -1;
  receivingBegin = -1;
  /** Blocks asked and blocks got or refused: a block that was never asked for is dropped. */
  credit = 0;

  constructor(identity: PeerIdentity, stream: ByteStream, nowMs: number) {
    this.number = identity.number;
    this.address = identity.address;
    this.outgoing = identity.outgoing;
    this.nearness = identity.nearness;
    this.peerId = identity.handshake.peerId;
    this.fast = identity.handshake.fast;
    this.v2 = identity.handshake.v2;
    this.stream = stream;
    this.outbox = new Outbox(stream);
    this.patience = new Patience(nowMs);
    this.extensions = new Extensions(identity.handshake.extended);
    this.connectedMs = this.lastHeardMs = this.lastSentMs = nowMs;
    this.lastBlockMs = this.lastBlockBytesMs = this.lastServedMs = nowMs;
  }

  /** What it calls itself: the extended handshake's word, or what its peer id tells. */
  get client(): string {
    return this.extensions.client ?? clientName(this.peerId) ?? 'unknown';
  }

  get isSeed(): boolean {
    return this.have?.isFull ?? false;
  }
}
