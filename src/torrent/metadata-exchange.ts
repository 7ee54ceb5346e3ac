// The info dictionary from peer to peer (BEP 9): collected for a magnet link, served to those who ask.

import { concatBytes, equalBytes } from '../base/bytes.ts';
import { ENOUGH_PENDING_BYTES } from '../peer/outbox.ts';
import type { Peer } from '../peer/peer.ts';
import type { Hashes } from '../ports/hashes.ts';
import {
  decodeMetadata,
  encodeMetadataData,
  encodeMetadataReject,
  encodeMetadataRequest,
  METADATA_PIECE_BYTES,
} from '../wire/metadata.ts';

/** A piece that does not come is asked of another peer. */
const ANSWER_MS = 10_000;
/** Pieces asked of one peer at once: enough to hide the round trip, few enough that refusals cost little. */
const ASK_AT_ONCE = 8;
/** A peer that refused is asked again after this: it may have the metadata by then. */
const REFUSED_MS = 20_000;
/** Tries under way. Peers that agree about the length share one; liars can claim any length. */
const MAX_ATTEMPTS = 8;
/** A try that got nothing for so long gives its place to another. */
const STALLED_MS = 10_000;

export interface MetadataWants {
  /** Info hashes of the magnet link: what arrives must match all that are given. */
  readonly infoHashV1: Uint8Array | null;
  readonly infoHashV2: Uint8Array | null;
}

/** Serves metadata that is known. */
export function answerMetadata(peer: Peer, payload: Uint8Array, info: Uint8Array | null): void {
  const message = decodeMetadata(payload);
  if (message === null || message.kind !== 'request') return;
  const begin = message.piece * METADATA_PIECE_BYTES;
  if (info === null || begin >= info.length || peer.outbox.pendingBytes > ENOUGH_PENDING_BYTES) {
    peer.sendExtended('ut_metadata', encodeMetadataReject(message.piece));
    return;
  }
  const data = info.subarray(begin, begin + METADATA_PIECE_BYTES);
  peer.sendExtended('ut_metadata', encodeMetadataData(message.piece, info.length, data));
}

/** One try at collecting: the length that a peer claimed, its pieces as they came, and who sent each. */
interface Attempt {
  readonly lengthBytes: number;
  readonly pieces: (Uint8Array | null)[];
  readonly from: (Peer | null)[];
  readonly askedAtMs: Float64Array;
  readonly askedOf: (Peer | null)[];
  missing: number;
  /** When it began, or got something. */
  lastMs: number;
}

/**
 * Collects an info dictionary. Attempts are kept by claimed length, so that a liar about the length harms only its own.
 * When pieces of several peers together are wrong, nobody knows whose: from then on each peer has to bring it all alone.
 */
export class MetadataFetch {
  readonly #wants: MetadataWants;
  readonly #hashes: Hashes;
  /** By length or, once pieces of several peers were wrong, by peer. */
  readonly #attempts: Map<number | Peer, Attempt> = new Map();
  #alone = false;
  /** When a peer refused. */
  readonly #refused: Map<Peer, number> = new Map();
  /** When a peer brought a piece. */
  readonly #gaveMs: Map<Peer, number> = new Map();
  readonly #onDone: (info: Uint8Array) => void;
  readonly #onLiar: (peer: Peer) => void;
  #done = false;

  /** `onDone` gets the verified bytes once; `onLiar` a peer whose metadata alone was wrong. */
  constructor(wants: MetadataWants, hashes: Hashes, onDone: (info: Uint8Array) => void, onLiar: (peer: Peer) => void) {
    this.#wants = wants;
    this.#hashes = hashes;
    this.#onDone = onDone;
    this.#onLiar = onLiar;
  }

  /** Share of the pieces collected, of the attempt that is furthest; 0 to 1. */
  get progress(): number {
    let best = 0;
    for (const attempt of this.#attempts.values()) best = Math.max(best, 1 - attempt.missing / attempt.from.length);
    return best;
  }

  /** Asks a peer for what is missing. Call when it has named the extension, and once a second. */
  ask(peer: Peer, nowMs: number): void {
    const length = peer.extensions.metadataBytes;
    if (this.#done || peer.closed || peer.extensions.remoteId('ut_metadata') === 0) return;
    if (length === null || nowMs - (this.#refused.get(peer) ?? Number.NEGATIVE_INFINITY) < REFUSED_MS) return;
    const attempt = this.#attemptOf(peer, length, nowMs);
    if (attempt === null) return;
    let outstanding = 0;
    for (let i = 0; i < attempt.from.length; i++) {
      if (attempt.askedOf[i] !== peer) continue;
      if (!this.#isAwaited(attempt, i, nowMs)) {
        this.#refuses(peer, nowMs);
        return;
      }
      outstanding++;
    }
    for (let i = 0; i < attempt.from.length && outstanding < ASK_AT_ONCE; i++) {
      if (attempt.from[i] || this.#isAwaited(attempt, i, nowMs)) continue;
      attempt.askedOf[i] = peer;
      attempt.askedAtMs[i] = nowMs;
      outstanding++;
      peer.sendExtended('ut_metadata', encodeMetadataRequest(i));
    }
  }

  /** It was asked of somebody who may still send it: a slow line brings one piece after the other. */
  #isAwaited({ askedOf, askedAtMs }: Attempt, piece: number, nowMs: number): boolean {
    const peer = askedOf[piece];
    if (!peer) return false;
    return nowMs - Math.max(askedAtMs[piece]!, this.#gaveMs.get(peer) ?? 0) < ANSWER_MS;
  }

  onMessage(peer: Peer, payload: Uint8Array, nowMs: number): void {
    const message = decodeMetadata(payload);
    if (this.#done || message === null) return;
    if (message.kind === 'reject') this.#refuses(peer, nowMs);
    if (message.kind === 'data') this.#onData(peer, message.piece, message.totalBytes, message.data, nowMs);
  }

  /** It said so, or has not answered: others are asked for what it was asked. */
  #refuses(peer: Peer, nowMs: number): void {
    if (this.#refused.has(peer) && nowMs - this.#refused.get(peer)! < REFUSED_MS) return;
    this.#refused.set(peer, nowMs);
    this.#forgetRequests(peer);
  }

  onPeerGone(peer: Peer): void {
    this.#refused.delete(peer);
    this.#gaveMs.delete(peer);
    this.#attempts.delete(peer);
    this.#forgetRequests(peer);
  }

  #forgetRequests(peer: Peer): void {
    for (const { askedOf } of this.#attempts.values()) {
      for (let i = 0; i < askedOf.length; i++) if (askedOf[i] === peer) askedOf[i] = null;
    }
  }

  #onData(peer: Peer, piece: number, totalBytes: number, data: Uint8Array, nowMs: number): void {
    const attempt = this.#attempts.get(this.#alone ? peer : totalBytes);
    if (attempt?.lengthBytes !== totalBytes || attempt.from[piece] || attempt.askedOf[piece] !== peer) return;
    attempt.pieces[piece] = data.slice();
    attempt.from[piece] = peer;
    attempt.askedOf[piece] = null;
    attempt.lastMs = nowMs;
    this.#gaveMs.set(peer, nowMs);
    if (--attempt.missing === 0) this.#check(attempt);
  }

  #check(attempt: Attempt): void {
    const bytes = concatBytes(attempt.pieces as Uint8Array[]);
    const { infoHashV1, infoHashV2 } = this.#wants;
    const matches =
      (infoHashV1 === null || equalBytes(this.#hashes.sha1(bytes), infoHashV1)) &&
      (infoHashV2 === null || equalBytes(this.#hashes.sha256(bytes), infoHashV2));
    const senders = new Set(attempt.from as Peer[]);
    if (matches || senders.size > 1) {
      this.#attempts.clear();
      this.#refused.clear();
      this.#gaveMs.clear();
    }
    if (matches) {
      this.#done = true;
      this.#onDone(bytes);
    } else if (senders.size > 1) {
      this.#alone = true;
    } else {
      const [liar] = senders;
      this.#attempts.delete(this.#alone ? liar! : attempt.lengthBytes);
      this.#onLiar(liar!);
    }
  }

  /** The attempt that a peer takes part in; null while all places are taken by others. */
  #attemptOf(peer: Peer, lengthBytes: number, nowMs: number): Attempt | null {
    const key = this.#alone ? peer : lengthBytes;
    const known = this.#attempts.get(key);
    if (known) return known;
    for (const [other, { lastMs }] of this.#attempts) {
      if (this.#attempts.size < MAX_ATTEMPTS) break;
      if (nowMs - lastMs > STALLED_MS) this.#attempts.delete(other);
    }
    if (this.#attempts.size >= MAX_ATTEMPTS) return null;
    const count = Math.ceil(lengthBytes / METADATA_PIECE_BYTES);
    const attempt: Attempt = {
      lengthBytes,
      pieces: new Array<Uint8Array | null>(count).fill(null),
      from: new Array<Peer | null>(count).fill(null),
      askedAtMs: new Float64Array(count),
      askedOf: new Array<Peer | null>(count).fill(null),
      missing: count,
      lastMs: nowMs,
    };
    this.#attempts.set(key, attempt);
    return attempt;
  }
}
