// Getting pieces: slots for those begun, requests to peers, blocks into slots, slots to the disk, and who is to blame.

import type { Address } from '../base/address.ts';
import { assert } from '../base/assert.ts';
import { isSnubbed } from '../choker/snub.ts';
import { BLOCK_BYTES, type Geometry } from '../metainfo/geometry.ts';
import type { PieceChecks } from '../metainfo/piece-check.ts';
import type { Peer } from '../peer/peer.ts';
import { blockAt } from '../peer/requests.ts';
import type { Picker } from '../picker/picker.ts';
import type { Hashes } from '../ports/hashes.ts';
import type { Content, PieceIo, PieceSlot } from '../ports/piece-io.ts';
import type { Limits } from '../rates/limits.ts';
import type { Layout } from '../storage/layout.ts';
import type { BlockPlace } from '../wire/sink.ts';
import { Blame, differing } from './blame.ts';

/** Blocks picked by one call. */
const PICK_BATCH = 256;
/** A peer that stops in the middle of a block loses its place to another that brings the same block. */
const WRITER_SILENT_MS = 1000;
/** What a remote takes that did not say how many requests may wait (BEP 10, `reqq`): the least that clients allow. */
const UNSAID_QUEUE = 250;

export interface DownloadDeps {
  readonly pieceIo: PieceIo;
  readonly hashes: Hashes;
  readonly content: Content;
  readonly geometry: Geometry;
  readonly layout: Layout;
  readonly checks: PieceChecks;
  readonly picker: Picker;
  readonly limits: Limits;
  peer(number: number): Peer | null;
  /** Whether a peer is much slower than the others. */
  isSlow(peer: Peer): boolean;
}

/** What the torrent hears of its download. */
export interface DownloadEvents {
  /** Verified and written. */
  onPieceGood(piece: number): void;
  /** These sent bad data, for certain. */
  onLiars(liars: readonly Address[]): void;
  /** A v2 piece failed and its leaf hashes would tell which blocks: ask for them; `judge` or `giveUp` is called later. */
  onWantLeaves(piece: number): boolean;
  /** The disk failed: nothing more can be written. */
  onDownloadFailed(error: unknown): void;
  /** A request could not be made now because a rate limit is used up. */
  onStarved(): void;
  /** Something changed that may let requests be made. */
  onRoom(): void;
}

interface Begun {
  readonly slot: PieceSlot;
  /** While it is hashed and written its blocks may not be touched. */
  committing: boolean;
  /** SHA-256 of its blocks, while its leaf hashes are awaited. */
  onTrial: Uint8Array | null;
}

export class Download {
  readonly #deps: DownloadDeps;
  readonly #events: DownloadEvents;
  readonly #begun: Map<number, Begun> = new Map();
  readonly #blame: Blame;
  readonly #picked: Int32Array = new Int32Array(2 * PICK_BATCH);
  readonly #others: Int32Array = new Int32Array(64);
  readonly #place: BlockPlace = { bytes: new Uint8Array(0), offset: 0 };
  #spare: PieceSlot | null = null;
  readonly #writing: Set<Promise<void>> = new Set();
  #stopped = false;
  /** Payload that was of no use: duplicates, dropped blocks, failed pieces. */
  wastedBytes = 0;

  constructor(deps: DownloadDeps, events: DownloadEvents) {
    this.#deps = deps;
    this.#events = events;
    this.#blame = new Blame(deps.hashes);
  }

  /** Pieces being hashed and written now. */
  get committing(): number {
    return this.#writing.size;
  }

  get begunCount(): number {
    return this.#begun.size;
  }

  // ---- asking

  /** Fills a peer's pipeline. The requests go into its outbox. */
  request(peer: Peer, nowMs: number): void {
    if (this.#stopped || peer.isChoking || peer.have === null || peer.closed) return;
    for (let room = this.#roomOf(peer); room > 0; ) {
      const granted = this.#grant(room, nowMs);
      if (granted === 0) break;
      const asked = this.#pickFor(peer, granted);
      if (!this.#deps.limits.isUnlimited) this.#deps.limits.spend((asked - granted) * BLOCK_BYTES);
      if (asked === 0) break;
      if (peer.requests.count === asked) peer.lastBlockMs = nowMs;
      peer.pipeline.onRequest(asked, nowMs);
      room -= asked;
    }
  }

  #roomOf(peer: Peer): number {
    peer.pipeline.setLimit(peer.extensions.requestQueue ?? UNSAID_QUEUE);
    const target = peer.snubbed ? 1 : peer.pipeline.target;
    const room = target - peer.requests.count;
    // Asking in runs keeps the remote's reads and our writes large; a queue that is nearly empty is filled at once.
    return room * 4 >= target ? Math.min(room, PICK_BATCH) : 0;
  }

  /** How many of `blocks` the rate limits allow to be asked for now; they are counted. */
  #grant(blocks: number, nowMs: number): number {
    const { limits } = this.#deps;
    if (limits.isUnlimited) return blocks;
    const granted = limits.take(blocks * BLOCK_BYTES, nowMs);
    if (granted < blocks * BLOCK_BYTES) this.#events.onStarved();
    const whole = Math.ceil(granted / BLOCK_BYTES);
    limits.spend(whole * BLOCK_BYTES - granted);
    return whole;
  }

  #pickFor(peer: Peer, room: number): number {
    const { picker, geometry } = this.#deps;
    this.#spare ??= this.#deps.pieceIo.acquire(geometry.pieceLengthBytes);
    const slow = peer.snubbed || this.#deps.isSlow(peer);
    const wish = { number: peer.number, have: peer.have!, parole: peer.parole, slow };
    const count = picker.pick(wish, room, this.#spare ? 1 : 0, this.#picked);
    let asked = 0;
    for (let i = 0; i < count; i++) {
      const piece = this.#picked[2 * i]!;
      const block = this.#picked[2 * i + 1]!;
      if (!this.#begun.has(piece) && !this.#begin(piece)) {
        picker.requestLost(piece, block, peer.number);
        continue;
      }
      const length = geometry.blockBytes(piece, block);
      peer.sendRequest(piece, block, block * BLOCK_BYTES, length);
      asked++;
    }
    return asked;
  }

  /** A slot for a piece; false where memory is used up. */
  #begin(piece: number): boolean {
    const length = this.#deps.geometry.pieceBytes(piece);
    let slot = this.#spare;
    this.#spare = null;
    if (slot && slot.bytes.length !== length) {
      this.#deps.pieceIo.release(slot);
      slot = null;
    }
    slot ??= this.#deps.pieceIo.acquire(length);
    if (!slot) {
      this.#deps.picker.dropPiece(piece);
      return false;
    }
    this.#begun.set(piece, { slot, committing: false, onTrial: null });
    return true;
  }

  // ---- blocks

  /** Where a block goes: into its slot, if it is missing there and nobody else is writing it. */
  placeBlock(peer: Peer, piece: number, begin: number, length: number): BlockPlace | null {
    const begun = this.#begun.get(piece);
    const block = blockAt(begin);
    if (!begun || begun.committing || begun.onTrial || block < 0) return null;
    const { geometry, picker } = this.#deps;
    if (block >= geometry.blockCount(piece) || length !== geometry.blockBytes(piece, block)) return null;
    const { number } = peer;
    if (!picker.expects(piece, block, number) && !picker.expectAgain(piece, block, number)) return null;
    if (this.#someoneElseWrites(peer, piece, begin, block)) return null;
    this.#place.bytes = begun.slot.bytes;
    this.#place.offset = begin;
    return this.#place;
  }

  #someoneElseWrites(peer: Peer, piece: number, begin: number, block: number): boolean {
    const count = this.#deps.picker.requesters(piece, block, this.#others);
    for (let i = 0; i < count; i++) {
      const other = this.#others[i]! === peer.number ? null : this.#deps.peer(this.#others[i]!);
      if (other?.receivingPiece !== piece || other.receivingBegin !== begin) continue;
      if (peer.lastHeardMs - other.lastHeardMs < WRITER_SILENT_MS) return true;
      other.dropBlock();
    }
    return false;
  }

  /** A block is whole, in its place or dropped. */
  onBlock(peer: Peer, piece: number, begin: number, length: number, placed: boolean, nowMs: number): void {
    const block = blockAt(begin);
    if (block >= 0 && peer.requests.remove(piece, block)) peer.pipeline.onBlock(nowMs, length);
    peer.snubbed = false;
    if (!placed) {
      this.wastedBytes += length;
      if (block >= 0) this.#deps.picker.requestLost(piece, block, peer.number);
      return;
    }
    const count = this.#deps.picker.requesters(piece, block, this.#others);
    for (let i = 0; i < count; i++) this.#cancel(this.#others[i]!, peer, piece, block);
    if (this.#deps.picker.blockArrived(piece, block, peer.number) !== 'first') this.wastedBytes += length;
    if (this.#deps.picker.isPieceComplete(piece)) this.#commit(piece);
  }

  #cancel(number: number, deliverer: Peer, piece: number, block: number): void {
    const other = number === deliverer.number ? null : this.#deps.peer(number);
    if (!other?.requests.has(piece, block)) return;
    other.sendCancel(piece, block * BLOCK_BYTES, this.#deps.geometry.blockBytes(piece, block));
    this.#deps.picker.requestLost(piece, block, number);
    // With BEP 6 an answer, block or refusal, still comes and takes the request out; else it is out now.
    if (other.fast) return;
    other.requests.remove(piece, block);
    other.pipeline.onLost(1);
  }

  onRejected(peer: Peer, piece: number, begin: number): void {
    const block = blockAt(begin);
    if (block < 0 || !peer.requests.remove(piece, block)) return;
    peer.pipeline.onLost(1);
    if (peer.credit > 0) peer.credit--;
    this.#deps.picker.requestLost(piece, block, peer.number);
  }

  /** It chokes us: without BEP 6 what was asked will not come; with it, refusals follow one by one. */
  onChoked(peer: Peer): void {
    if (!peer.fast) this.#forgetRequests(peer);
  }

  onPeerGone(peer: Peer): void {
    this.#forgetRequests(peer);
  }

  #forgetRequests(peer: Peer): void {
    peer.requests.clear();
    peer.pipeline.reset();
    this.#deps.picker.peerGone(peer.number);
  }

  /** Once a second: a peer that owes blocks and sends none is snubbed, and what it owes is asked of others. */
  checkSnubbed(peer: Peer, nowMs: number): void {
    const waitingSinceMs = peer.requests.count > 0 ? peer.lastBlockMs : null;
    if (peer.snubbed || !isSnubbed(waitingSinceMs, peer.lastBlockMs, nowMs)) return;
    peer.snubbed = true;
    peer.dropBlock();
    peer.requests.forEach((piece, block) => {
      this.#deps.picker.requestLost(piece, block, peer.number);
    });
    this.#events.onRoom();
  }

  // ---- pieces

  #commit(piece: number): void {
    const begun = this.#begun.get(piece);
    assert(begun && !begun.committing, 'a complete piece has its slot');
    begun.committing = true;
    const check = this.#deps.checks.of(piece);
    const writing = this.#deps.content.commit(begun.slot, check, this.#deps.layout.pieceSpans(piece)).then(
      (outcome) => {
        begun.committing = false;
        if (this.#stopped) this.#release(piece, begun);
        else if (outcome.good) this.#good(piece, begun);
        else this.#bad(piece, begun, outcome.leaves);
      },
      (error: unknown) => {
        this.#release(piece, begun);
        if (!this.#stopped) this.#events.onDownloadFailed(error);
      },
    );
    this.#writing.add(writing);
    void writing.finally(() => this.#writing.delete(writing));
  }

  #good(piece: number, begun: Begun): void {
    const { picker, geometry } = this.#deps;
    if (this.#blame.isSuspect(piece)) {
      const truth = this.#blame.digests(begun.slot.bytes, geometry.blockCount(piece));
      this.#tellLiars(this.#blame.settle(piece, truth));
    }
    this.#pardon(picker.contributors(piece));
    picker.setVerified(piece);
    this.#release(piece, begun);
    this.#events.onPieceGood(piece);
  }

  /** A peer on parole that delivered a whole good piece alone is trusted again. */
  #pardon(contributors: Int32Array): void {
    const first = contributors[0] ?? -1;
    if (!contributors.every((number) => number === first)) return;
    const peer = this.#deps.peer(first);
    if (peer) peer.parole = false;
  }

  #bad(piece: number, begun: Begun, leaves: Uint8Array | null): void {
    const { picker, geometry } = this.#deps;
    const contributors = picker.contributors(piece);
    const peers = [...contributors].map((number) => this.#deps.peer(number));
    const senders = peers.map((peer) => peer?.address ?? null);
    this.wastedBytes += geometry.pieceBytes(piece);
    const digests = leaves ?? this.#blame.digests(begun.slot.bytes, geometry.blockCount(piece));
    this.#blame.failed(piece, senders, digests);
    if (senders[0] && senders.every((sender) => sender?.key === senders[0]!.key)) {
      picker.pieceFailed(piece, null);
      this.#release(piece, begun);
      this.#tellLiars([senders[0]]);
      return;
    }
    for (const peer of peers) if (peer) peer.parole = true;
    if (leaves && this.#deps.checks.of(piece).root && this.#events.onWantLeaves(piece)) {
      begun.onTrial = leaves;
      return;
    }
    picker.pieceFailed(piece, null);
    this.#release(piece, begun);
  }

  /** The true leaf hashes of a failed v2 piece, or null where nobody has them: only its bad blocks are fetched again. */
  judge(piece: number, truth: Uint8Array | null): void {
    const begun = this.#begun.get(piece);
    if (!begun?.onTrial) return;
    const badBlocks = truth ? differing(begun.onTrial, truth) : [];
    begun.onTrial = null;
    if (truth === null || badBlocks.length === 0) {
      this.#deps.picker.pieceFailed(piece, null);
      this.#release(piece, begun);
    } else {
      this.wastedBytes -= (this.#deps.geometry.blockCount(piece) - badBlocks.length) * BLOCK_BYTES;
      this.#deps.picker.pieceFailed(piece, badBlocks);
      for (const number of this.#deps.picker.contributors(piece)) {
        const peer = this.#deps.peer(number);
        if (peer) peer.parole = false;
      }
      this.#tellLiars(this.#blame.settle(piece, truth));
    }
    this.#events.onRoom();
  }

  #tellLiars(liars: readonly Address[]): void {
    if (liars.length > 0) this.#events.onLiars(liars);
  }

  #release(piece: number, begun: Begun): void {
    this.#begun.delete(piece);
    this.#deps.pieceIo.release(begun.slot);
  }

  /** Resolves when no piece is being written any more. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#writing]);
  }

  /** Makes no more requests and gives back all memory that is not being written. */
  stop(): void {
    this.#stopped = true;
    if (this.#spare) this.#deps.pieceIo.release(this.#spare);
    this.#spare = null;
    for (const [piece, begun] of this.#begun) {
      if (begun.committing) continue;
      this.#deps.picker.dropPiece(piece);
      this.#release(piece, begun);
    }
  }
}
