// Blocks become pieces: into their slot, hashed and written when whole, and who is to blame when a piece is bad.

import type { Address } from '../base/address.ts';
import { assert } from '../base/assert.ts';
import type { CopyBytes } from '../base/block-copy.ts';
import { EMPTY } from '../base/bytes.ts';
import { BLOCK_BYTES, type Geometry } from '../metainfo/geometry.ts';
import type { PieceChecks } from '../metainfo/piece-check.ts';
import type { Peer } from '../peer/peer.ts';
import { blockAt } from '../peer/requests.ts';
import type { Picker } from '../picker/picker.ts';
import type { Hashes } from '../ports/hashes.ts';
import type { Content } from '../ports/piece-io.ts';
import type { Layout } from '../storage/layout.ts';
import type { BlockPlace } from '../wire/sink.ts';
import type { Asking } from './asking.ts';
import { Blame, differing } from './blame.ts';
import { isContradiction } from './contradiction.ts';
import type { BegunPiece, Slots } from './slots.ts';

export interface DownloadDeps {
  readonly hashes: Hashes;
  readonly content: Content;
  readonly geometry: Geometry;
  readonly layout: Layout;
  readonly checks: PieceChecks;
  readonly picker: Picker;
  readonly slots: Slots;
  readonly asking: Asking;
  /** Into slots. */
  readonly copy: CopyBytes;
  peer(number: number): Peer | null;
}

/** What the torrent hears of its download. */
export interface DownloadEvents {
  /** Verified and written. */
  onPieceGood(piece: number): void;
  /** The hashes of a hybrid torrent's piece cannot both be matched. */
  onContradiction(piece: number): void;
  /** These sent bad data, for certain. */
  onLiars(liars: readonly Address[]): void;
  /** A v2 piece failed and its leaf hashes would tell which blocks: ask for them; `judge` or `giveUp` is called later. */
  onWantLeaves(piece: number): boolean;
  /** The disk failed: nothing more can be written, or what was good cannot be read. */
  onDiskFailed(error: unknown): void;
  /** Something changed that may let requests be made. */
  onRoom(): void;
}

export class Download {
  readonly #deps: DownloadDeps;
  readonly #events: DownloadEvents;
  readonly #blame: Blame;
  readonly #others: Int32Array = new Int32Array(64);
  readonly #place: BlockPlace;
  readonly #writing: Set<Promise<void>> = new Set();
  /**
   * Blocks that arrive while another peer is in the middle of the same, by the number of who brings them. The first that
   * is whole counts: else one that sends a byte now and then could keep a block from everybody.
   */
  readonly #aside: Map<number, Uint8Array> = new Map();
  /** Who has delivered blocks, by peer number; also those who have left. */
  readonly #senders: Map<number, Address> = new Map();
  #stopped = false;
  /** Payload that was of no use: duplicates, dropped blocks, failed pieces. */
  wastedBytes = 0;

  constructor(deps: DownloadDeps, events: DownloadEvents) {
    this.#deps = deps;
    this.#events = events;
    this.#blame = new Blame(deps.hashes);
    this.#place = { bytes: EMPTY, offset: 0, copy: deps.copy };
  }

  /** Pieces being hashed and written now. */
  get committing(): number {
    return this.#writing.size;
  }

  // ---- blocks

  /** Where a block goes, if it is missing: into its slot or, while another peer is writing it there, aside. */
  placeBlock(peer: Peer, piece: number, begin: number, length: number): BlockPlace | null {
    const begun = this.#deps.slots.get(piece);
    const block = blockAt(begin);
    if (!begun || begun.committing || begun.onTrial || block < 0) return null;
    const { geometry, picker } = this.#deps;
    if (block >= geometry.blockCount(piece) || length !== geometry.blockBytes(piece, block)) return null;
    const { number } = peer;
    if (!picker.expects(piece, block, number) && !picker.expectAgain(piece, block, number)) return null;
    this.#aside.delete(number);
    const aside = this.#otherWriter(peer, piece, begin, block) ? new Uint8Array(length) : null;
    if (aside) this.#aside.set(number, aside);
    this.#place.bytes = aside ?? begun.slot.bytes;
    this.#place.offset = aside ? 0 : begin;
    return this.#place;
  }

  #otherWriter(peer: Peer, piece: number, begin: number, block: number): Peer | null {
    const count = this.#deps.picker.requesters(piece, block, this.#others);
    for (let i = 0; i < count; i++) {
      const other = this.#others[i]! === peer.number ? null : this.#deps.peer(this.#others[i]!);
      if (other?.receivingPiece === piece && other.receivingBegin === begin) return other;
    }
    return null;
  }

  /** A block that came aside goes into its slot, if it is still missing; who is in the middle of it has lost the race. */
  #bringIn(aside: Uint8Array, peer: Peer, piece: number, begin: number, block: number): boolean {
    const begun = this.#deps.slots.get(piece);
    if (!begun || begun.committing || begun.onTrial || !this.#deps.picker.expects(piece, block, peer.number))
      return false;
    this.#otherWriter(peer, piece, begin, block)?.dropBlock();
    this.#deps.copy(begun.slot.bytes, begin, aside, 0, aside.length);
    return true;
  }

  onPeerGone(peer: Peer): void {
    this.#aside.delete(peer.number);
  }

  /** A block is whole, in its place or dropped. */
  onBlock(peer: Peer, piece: number, begin: number, length: number, arrived: boolean, nowMs: number): void {
    const block = blockAt(begin);
    const aside = this.#aside.get(peer.number);
    this.#aside.delete(peer.number);
    const placed = arrived && (aside === undefined || this.#bringIn(aside, peer, piece, begin, block));
    if (block >= 0 && peer.requests.remove(piece, block)) peer.pipeline.onBlock(nowMs, length);
    peer.snubbed = false;
    if (!placed) {
      this.wastedBytes += length;
      if (block >= 0) this.#deps.picker.requestLost(piece, block, peer.number);
      return;
    }
    this.#senders.set(peer.number, peer.address);
    const count = this.#deps.picker.requesters(piece, block, this.#others);
    for (let i = 0; i < count; i++) this.#deps.asking.cancel(this.#others[i]!, peer, piece, block);
    if (this.#deps.picker.blockArrived(piece, block, peer.number) !== 'first') this.wastedBytes += length;
    if (this.#deps.picker.isPieceComplete(piece)) this.#commit(piece);
  }

  // ---- pieces

  #commit(piece: number): void {
    const begun = this.#deps.slots.get(piece);
    assert(begun && !begun.committing, 'a complete piece has its slot');
    this.#deps.slots.setCommitting(begun, true);
    const check = this.#deps.checks.of(piece);
    const writing = this.#deps.content.commit(begun.slot, check, this.#deps.layout.pieceSpans(piece)).then(
      (outcome) => {
        this.#deps.slots.setCommitting(begun, false);
        if (outcome.good) this.#good(piece, begun);
        else if (this.#stopped) this.#deps.slots.release(piece);
        else {
          this.#bad(piece, begun, outcome.leaves);
          this.#events.onRoom();
        }
      },
      (error: unknown) => {
        this.#deps.slots.release(piece);
        if (!this.#stopped) this.#events.onDiskFailed(error);
      },
    );
    this.#writing.add(writing);
    void writing.finally(() => this.#writing.delete(writing));
  }

  #good(piece: number, begun: BegunPiece): void {
    const { picker, geometry } = this.#deps;
    if (this.#blame.isSuspect(piece)) {
      const truth = this.#blame.digests(begun.slot.bytes, geometry.blockCount(piece));
      this.#tellLiars(this.#blame.settle(piece, truth));
    }
    this.#pardon(picker.contributors(piece));
    picker.setVerified(piece);
    this.#deps.slots.release(piece);
    this.#events.onPieceGood(piece);
  }

  /** A peer on parole that delivered a whole good piece alone is trusted again. */
  #pardon(contributors: Int32Array): void {
    const first = contributors[0] ?? -1;
    if (!contributors.every((number) => number === first)) return;
    const peer = this.#deps.peer(first);
    if (peer) peer.parole = false;
  }

  #bad(piece: number, begun: BegunPiece, leaves: Uint8Array | null): void {
    const { picker, geometry, checks, hashes } = this.#deps;
    if (isContradiction(piece, begun.slot.bytes, leaves, checks.of(piece), geometry, hashes)) {
      picker.pieceFailed(piece, null);
      this.#deps.slots.release(piece);
      this.#events.onContradiction(piece);
      return;
    }
    const contributors = picker.contributors(piece);
    const senders = Array.from(contributors, (number) => this.#senders.get(number) ?? null);
    this.wastedBytes += geometry.pieceBytes(piece);
    const digests = leaves ?? this.#blame.digests(begun.slot.bytes, geometry.blockCount(piece));
    this.#blame.failed(piece, senders, digests);
    if (senders[0] && senders.every((sender) => sender?.key === senders[0]!.key)) {
      picker.pieceFailed(piece, null);
      this.#deps.slots.release(piece);
      this.#tellLiars([senders[0]]);
      return;
    }
    for (const number of contributors) {
      const peer = this.#deps.peer(number);
      if (peer) peer.parole = true;
    }
    if (leaves && this.#deps.checks.of(piece).root && this.#events.onWantLeaves(piece)) {
      begun.onTrial = leaves;
      return;
    }
    picker.pieceFailed(piece, null);
    this.#deps.slots.release(piece);
  }

  /** The true leaf hashes of a failed v2 piece, or null where nobody has them: only its bad blocks are fetched again. */
  judge(piece: number, truth: Uint8Array | null): void {
    const begun = this.#deps.slots.get(piece);
    if (!begun?.onTrial) return;
    const badBlocks = truth ? differing(begun.onTrial, truth) : [];
    begun.onTrial = null;
    if (truth === null || badBlocks.length === 0) {
      this.#deps.picker.pieceFailed(piece, null);
      this.#deps.slots.release(piece);
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

  /** Resolves when no piece is being written any more. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#writing]);
  }

  /** Gives back all memory that is not being written; what is under way goes on. */
  stop(): void {
    this.#stopped = true;
    for (const piece of this.#deps.slots.releaseIdle()) this.#deps.picker.dropPiece(piece);
  }
}
