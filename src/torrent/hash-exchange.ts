// Merkle hashes from peer to peer (BEP 52): piece layers for magnet links, leaf hashes to judge a failed piece.

import { equalBytes } from '../base/bytes.ts';
import { type HashRange, layerRequests, verifyHashes } from '../metainfo/hash-range.ts';
import { filePieceCount } from '../metainfo/layers.ts';
import { leafCountFor, NODE_BYTES, pieceLayerOf } from '../metainfo/merkle.ts';
import type { Peer } from '../peer/peer.ts';
import type { Hashes } from '../ports/hashes.ts';
import type { HashQuery } from '../wire/hash-query.ts';
import type { Core } from './core.ts';

/** Queries on their way to one peer. */
const MAX_OUTSTANDING = 8;
/** A query without an answer goes to another peer. */
const ANSWER_MS = 8_000;
/** Hashes that everybody has refused are asked for again after this. */
const REFUSED_MS = 5_000;
/** A failed piece waits so long for its leaf hashes; then it is fetched anew. */
const JUDGE_MS = 15_000;
/** BEP 52: no more hashes than this in one request. */
const MAX_LEAVES = 512;

export interface HashExchangeEvents {
  /** The hashes of these pieces are known now. */
  onLayer(pieces: { readonly first: number; readonly last: number }): void;
  /** The verified leaf hashes of a failed piece, or null: nobody has them. */
  onLeaves(piece: number, leaves: Uint8Array | null): void;
}

interface Want {
  readonly query: HashQuery;
  readonly root: Uint8Array;
  /** The node that the answer must lead to. */
  readonly expected: Uint8Array;
  readonly file: number;
  /** Failed piece whose leaves these are; -1 for a part of a piece layer. */
  readonly piece: number;
  readonly refusedBy: Set<Peer>;
  readonly sinceMs: number;
  peer: Peer | null;
  askedMs: number;
}

interface PartialLayer {
  readonly bytes: Uint8Array;
  missing: number;
}

export class HashExchange {
  readonly #core: Core;
  readonly #hashes: Hashes;
  readonly #events: HashExchangeEvents;
  readonly #nowMs: () => number;
  readonly #wants: Map<string, Want> = new Map();
  readonly #layers: Map<number, PartialLayer> = new Map();

  constructor(core: Core, hashes: Hashes, nowMs: () => number, events: HashExchangeEvents) {
    this.#core = core;
    this.#hashes = hashes;
    this.#nowMs = nowMs;
    this.#events = events;
    for (const file of core.checks.missingLayers()) this.#wantLayer(file);
  }

  /** Whether hashes are missing without which pieces cannot be verified. */
  get isWaiting(): boolean {
    return this.#layers.size > 0;
  }

  #wantLayer(file: number): void {
    const { info } = this.#core;
    const { piecesRoot, lengthBytes } = info.files[file]!;
    const pieces = filePieceCount(info.files[file]!, info.pieceLengthBytes);
    const ranges = layerRequests(pieceLayerOf(info.pieceLengthBytes), pieces, leafCountFor(lengthBytes));
    this.#layers.set(file, { bytes: new Uint8Array(pieces * NODE_BYTES), missing: ranges.length });
    for (const range of ranges) this.#want(range, piecesRoot!, piecesRoot!, file, -1);
  }

  /** A v2 piece failed: wants its leaves. False where no connected peer could tell. */
  wantLeaves(piece: number, peers: readonly Peer[]): boolean {
    const { checks, info } = this.#core;
    const { root, leafCount } = checks.of(piece);
    const file = checks.fileOf(piece);
    if (root === null || file === null || leafCount < 2 || leafCount > MAX_LEAVES) return false;
    if (!peers.some((peer) => peer.v2 && !peer.parole)) return false;
    const index = (piece - checks.firstPieceOf(file)!) * leafCount;
    this.#want(
      { baseLayer: 0, index, length: leafCount, proofLayers: 0 },
      info.files[file]!.piecesRoot!,
      root,
      file,
      piece,
    );
    return true;
  }

  #want(range: HashRange, root: Uint8Array, expected: Uint8Array, file: number, piece: number): void {
    const query: HashQuery = { ...range, piecesRoot: root };
    const want = {
      query,
      root,
      expected,
      file,
      piece,
      refusedBy: new Set<Peer>(),
      sinceMs: this.#nowMs(),
      peer: null,
      askedMs: 0,
    };
    this.#wants.set(keyOf(query), want);
  }

  /** Sends what can be sent. Call when something changed, and once a second. */
  ask(peers: readonly Peer[], nowMs: number): void {
    if (this.#wants.size === 0) return;
    const outstanding = new Map<Peer, number>();
    for (const peer of peers) if (peer.v2) outstanding.set(peer, 0);
    let free = outstanding.size * MAX_OUTSTANDING;
    for (const want of this.#wants.values()) {
      if (free <= 0) return;
      if (want.piece >= 0 && nowMs - want.sinceMs > JUDGE_MS) {
        this.#giveUp(want);
        continue;
      }
      if (want.peer && nowMs - want.askedMs < ANSWER_MS) {
        outstanding.set(want.peer, (outstanding.get(want.peer) ?? 0) + 1);
        free--;
        continue;
      }
      const peer = this.#choose(want, outstanding, nowMs);
      if (!peer) continue;
      want.peer = peer;
      want.askedMs = nowMs;
      outstanding.set(peer, outstanding.get(peer)! + 1);
      free--;
      peer.sendHashRequest(want.query);
    }
  }

  #choose(want: Want, outstanding: ReadonlyMap<Peer, number>, nowMs: number): Peer | null {
    let best: Peer | null = null;
    let least = MAX_OUTSTANDING;
    for (const [peer, count] of outstanding) {
      if (want.refusedBy.has(peer) || count >= least || (want.piece >= 0 && peer.parole)) continue;
      [best, least] = [peer, count];
    }
    // Everybody has refused: after a while those who were asked may know more.
    if (best === null && want.piece < 0 && nowMs - want.askedMs > REFUSED_MS) want.refusedBy.clear();
    return best;
  }

  #giveUp(want: Want): void {
    this.#wants.delete(keyOf(want.query));
    this.#events.onLeaves(want.piece, null);
  }

  /** False: nobody asked it. */
  onReject(peer: Peer, query: HashQuery): boolean {
    const want = this.#wants.get(keyOf(query));
    if (want?.peer !== peer) return false;
    want.peer = null;
    want.refusedBy.add(peer);
    return true;
  }

  onPeerGone(peer: Peer): void {
    for (const want of this.#wants.values()) {
      if (want.peer === peer) want.peer = null;
      want.refusedBy.delete(peer);
    }
  }

  /** `wrong`: the hashes do not lead to the root, the peer lied. `unasked`: nothing has changed. */
  onHashes(peer: Peer, query: HashQuery, hashes: Uint8Array): 'good' | 'wrong' | 'unasked' {
    const want = this.#wants.get(keyOf(query));
    if (want?.peer !== peer || !equalBytes(want.root, query.piecesRoot)) return 'unasked';
    want.peer = null;
    if (!verifyHashes(query, hashes, want.expected, this.#hashes.sha256)) return 'wrong';
    this.#wants.delete(keyOf(query));
    if (want.piece >= 0) this.#events.onLeaves(want.piece, hashes.slice(0, query.length * NODE_BYTES));
    else this.#addToLayer(want, hashes);
    return 'good';
  }

  #addToLayer(want: Want, hashes: Uint8Array): void {
    const layer = this.#layers.get(want.file)!;
    const at = want.query.index * NODE_BYTES;
    const wanted = Math.min(want.query.length * NODE_BYTES, layer.bytes.length - at);
    layer.bytes.set(hashes.subarray(0, wanted), at);
    if (--layer.missing > 0) return;
    this.#layers.delete(want.file);
    const { checks } = this.#core;
    if (!checks.addLayer(want.file, layer.bytes)) {
      this.#wantLayer(want.file);
      return;
    }
    const first = checks.firstPieceOf(want.file)!;
    this.#events.onLayer({ first, last: first + layer.bytes.length / NODE_BYTES - 1 });
  }
}

function keyOf(query: HashQuery): string {
  let root = '';
  for (let i = 0; i < 12; i++) root += String.fromCharCode(query.piecesRoot[i]!);
  return `${root}/${query.baseLayer}/${query.index}/${query.length}/${query.proofLayers}`;
}
