// The info dictionary from peer to peer (BEP 9): collected for a magnet link, served to those who ask.

import { equalBytes } from '../base/bytes.ts';
import { ENOUGH_PENDING_BYTES } from '../peer/outbox.ts';
import type { Peer } from '../peer/peer.ts';
import type { Hashes } from '../ports/hashes.ts';
import {
  decodeMetadata,
  encodeMetadataData,
  encodeMetadataReject,
  encodeMetadataRequest,
  MAX_METADATA_BYTES,
  METADATA_PIECE_BYTES,
} from '../wire/metadata.ts';

/** A piece that does not come is asked of another peer. */
const ANSWER_MS = 10_000;
/** Pieces asked of one peer at once: enough to hide the round trip, few enough that refusals cost little. */
const ASK_AT_ONCE = 8;

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

/** One try at collecting: the length that a peer claimed, its pieces, and who sent each. */
interface Attempt {
  readonly bytes: Uint8Array;
  readonly from: (Peer | null)[];
  readonly askedAtMs: Float64Array;
  readonly askedOf: (Peer | null)[];
  missing: number;
}

/** Collects an info dictionary. Attempts are kept by claimed length, so that a liar about the length harms only its own. */
export class MetadataFetch {
  readonly #wants: MetadataWants;
  readonly #hashes: Hashes;
  readonly #attempts: Map<number, Attempt> = new Map();
  readonly #refused: Set<Peer> = new Set();
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
    if (this.#done || peer.closed || this.#refused.has(peer) || peer.extensions.remoteId('ut_metadata') === 0) return;
    if (length === null || length <= 0 || length > MAX_METADATA_BYTES) return;
    const attempt = this.#attemptOf(length);
    let outstanding = 0;
    for (let i = 0; i < attempt.from.length; i++) {
      if (attempt.askedOf[i] === peer && nowMs - attempt.askedAtMs[i]! < ANSWER_MS) outstanding++;
    }
    for (let i = 0; i < attempt.from.length && outstanding < ASK_AT_ONCE; i++) {
      if (attempt.from[i]) continue;
      if (attempt.askedOf[i] && !attempt.askedOf[i]!.closed && nowMs - attempt.askedAtMs[i]! < ANSWER_MS) continue;
      attempt.askedOf[i] = peer;
      attempt.askedAtMs[i] = nowMs;
      outstanding++;
      peer.sendExtended('ut_metadata', encodeMetadataRequest(i));
    }
  }

  onMessage(peer: Peer, payload: Uint8Array): void {
    const message = decodeMetadata(payload);
    if (this.#done || message === null) return;
    if (message.kind === 'reject') this.#refused.add(peer);
    if (message.kind === 'data') this.#onData(peer, message.piece, message.totalBytes, message.data);
  }

  #onData(peer: Peer, piece: number, totalBytes: number, data: Uint8Array): void {
    const attempt = this.#attempts.get(totalBytes);
    if (!attempt || piece >= attempt.from.length || attempt.from[piece] || attempt.askedOf[piece] !== peer) return;
    const begin = piece * METADATA_PIECE_BYTES;
    if (data.length !== Math.min(METADATA_PIECE_BYTES, totalBytes - begin)) return;
    attempt.bytes.set(data, begin);
    attempt.from[piece] = peer;
    attempt.askedOf[piece] = null;
    if (--attempt.missing === 0) this.#check(totalBytes, attempt);
  }

  #check(length: number, attempt: Attempt): void {
    const { infoHashV1, infoHashV2 } = this.#wants;
    const matches =
      (infoHashV1 === null || equalBytes(this.#hashes.sha1(attempt.bytes), infoHashV1)) &&
      (infoHashV2 === null || equalBytes(this.#hashes.sha256(attempt.bytes), infoHashV2));
    this.#attempts.delete(length);
    if (matches) {
      this.#done = true;
      this.#onDone(attempt.bytes);
      return;
    }
    const senders = new Set(attempt.from.filter((peer) => peer !== null));
    // Only one sender: it lied. Several: start again, each piece from whoever answers; the first alone is tried next.
    if (senders.size === 1) for (const liar of senders) this.#onLiar(liar);
    else for (const peer of [...senders].slice(1)) this.#refused.add(peer);
  }

  #attemptOf(length: number): Attempt {
    let attempt = this.#attempts.get(length);
    if (!attempt) {
      const pieces = Math.ceil(length / METADATA_PIECE_BYTES);
      attempt = {
        bytes: new Uint8Array(length),
        from: new Array<Peer | null>(pieces).fill(null),
        askedAtMs: new Float64Array(pieces),
        askedOf: new Array<Peer | null>(pieces).fill(null),
        missing: pieces,
      };
      // At most three lengths at once: peers that agree are many, liars can claim anything.
      if (this.#attempts.size >= 3) this.#attempts.delete(this.#attempts.keys().next().value!);
      this.#attempts.set(length, attempt);
    }
    return attempt;
  }
}
