// Giving pieces: whom to unchoke, and what each has asked for, in runs of blocks lent from the reader's memory.

import type { Bitfield } from '../base/bitfield.ts';
import { type ChokePeer, Choker, RECHOKE_MS } from '../choker/choker.ts';
import { uploadSlots } from '../choker/slots.ts';
import { BLOCK_BYTES } from '../metainfo/geometry.ts';
import type { Peer } from '../peer/peer.ts';
import type { Upload as Wish } from '../peer/uploads.ts';
import type { Limits } from '../rates/limits.ts';
import { type ContentReader, messageEnd, messageStart, type ReadyUnit } from '../storage/read.ts';
import { putPieceHeader } from '../wire/encoder.ts';
import { PIECE_HEADER_BYTES } from '../wire/messages.ts';
import type { TorrentHost } from './context.ts';
import type { Core } from './core.ts';
import { ReadFaults } from './read-faults.ts';
import { Spreading } from './spreading.ts';

/** Bytes on their way to a peer before more are added: half a second of its rate, within these. */
const LEAST_AHEAD_BYTES = 256 * 1024;
const MOST_AHEAD_BYTES = 4 * 1024 * 1024;
/** A slot of a seed goes round after so much: some pieces, so that what was given can be passed on. */
const LEAST_QUOTA_BYTES = 8 * 1024 * 1024;

export interface UploadEvents {
  peers(): readonly Peer[];
  isSeeding(): boolean;
  /** Payload was handed to a peer's connection. */
  onSent(bytes: number): void;
  /** Content that was good cannot be read any more. */
  onReadFailed(error: unknown): void;
  /** What a peer waits for is in memory now. */
  onReady(peer: Peer): void;
}

export class Upload {
  readonly #core: Core;
  readonly #limits: Limits;
  readonly #events: UploadEvents;
  readonly #reader: ContentReader;
  readonly #faults: ReadFaults;
  readonly #choker: Choker;
  /** One function a peer, for the reader to call. */
  readonly #ready: Map<Peer, () => void> = new Map();
  /** Bytes that are being read for odd requests: they are not in the outbox yet. */
  readonly #readingOdd: Map<Peer, number> = new Map();
  /** Only in a seed from the start: who fetched the content himself is not the one who has it alone. */
  readonly #spreading: Spreading | null;
  #nextRechokeMs = 0;
  /** Peers that may be unchoked at one time, as of the last tick, and those that are. */
  #slots: number;
  #unchoked = 0;

  constructor(host: TorrentHost, core: Core, limits: Limits, events: UploadEvents) {
    this.#core = core;
    this.#limits = limits;
    this.#events = events;
    this.#choker = new Choker(host.env.random);
    this.#slots = uploadSlots(limits.bytesPerSecond, 0);
    const alone = core.have.isFull && core.geometry.pieceCount > 0;
    this.#spreading = alone ? new Spreading(core.geometry.pieceCount, host.env.random) : null;
    this.#faults = new ReadFaults(host.env.clock, host.env.log, (error) => events.onReadFailed(error));
    this.#reader = host.reader.open({
      content: core.content,
      layout: core.layout,
      geometry: core.geometry,
      onFault: (_piece, error) => this.#faults.failed(error),
    });
  }

  // ---- serving

  /** Puts into a peer's outbox what it has asked for, as far as memory, its connection and the limits allow. */
  serve(peer: Peer, nowMs: number): void {
    if (peer.uploads.count === 0 || peer.amChoking || this.#faults.isResting(nowMs)) return;
    const rate = peer.up.bytesPerSecond(nowMs);
    const ahead = Math.min(MOST_AHEAD_BYTES, Math.max(LEAST_AHEAD_BYTES, rate / 2));
    while (peer.uploads.count > 0 && peer.outbox.pendingBytes + (this.#readingOdd.get(peer) ?? 0) < ahead) {
      if (this.#spreading?.mayServe(peer, this.#events.peers(), nowMs) === false) return;
      const wish = peer.uploads.peek()!;
      if (!this.#isServable(wish)) {
        peer.sendReject(wish.piece, wish.begin, wish.length);
        peer.uploads.shift();
      } else if (!this.#reader.isBlock(wish.piece, wish.begin, wish.length)) {
        if (!this.#serveOdd(peer, wish, nowMs)) return;
      } else if (!this.#serveRun(peer, wish, nowMs)) {
        return;
      }
    }
  }

  /** Something was sent: those whose requests waited for that are looked at again. */
  #wakeHeld(): void {
    if (this.#spreading) for (const held of this.#spreading.held) this.#events.onReady(held);
  }

  #isServable({ piece, begin, length }: Wish): boolean {
    const { geometry, have } = this.#core;
    return piece < geometry.pieceCount && have.has(piece) && begin + length <= geometry.fullBytes(piece);
  }

  /** Consecutive blocks of one unit in one part. False where nothing can be sent now: no memory, or a rate limit. */
  #serveRun(peer: Peer, wish: Wish, nowMs: number): boolean {
    const { piece } = wish;
    const first = wish.begin / BLOCK_BYTES;
    const unit = this.#reader.get(piece, first, this.#readyOf(peer));
    if (unit === null) return false;
    const count = this.#limits.takeBlocks(this.#runLength(peer, unit, first), nowMs);
    if (count === 0) {
      unit.release();
      return false;
    }
    const last = first + count - 1;
    peer.outbox.lent(unit.bytes.subarray(messageStart(unit, first), messageEnd(unit, last)), unit.release);
    const bytes = last * BLOCK_BYTES + this.#core.geometry.blockBytes(piece, last) - first * BLOCK_BYTES;
    peer.uploads.shift(count);
    this.#limits.giveBack(count * BLOCK_BYTES - bytes);
    this.#count(peer, bytes, nowMs);
    const next = peer.uploads.peek();
    if (next && this.#isServable(next)) this.#reader.prefetch(next.piece, Math.floor(next.begin / BLOCK_BYTES));
    return true;
  }

  #runLength(peer: Peer, unit: ReadyUnit, first: number): number {
    const { geometry } = this.#core;
    const end = unit.firstBlock + unit.blockCount;
    let count = 1;
    for (let block = first + 1; block < end; block++, count++) {
      const wish = peer.uploads.peek(count);
      if (wish?.piece !== unit.piece || wish.begin !== block * BLOCK_BYTES) break;
      if (wish.length !== geometry.blockBytes(unit.piece, block)) break;
    }
    return count;
  }

  /** What is no block of ours: padding, or other sizes than 16 KiB, copied into a message of its own. */
  #serveOdd(peer: Peer, wish: Wish, nowMs: number): boolean {
    const { piece, begin, length } = wish;
    if (!this.#limits.takeAll(length, nowMs)) return false;
    peer.uploads.shift();
    this.#readsOdd(peer, length);
    this.#reader.readRange(piece, begin, length).then(
      (bytes) => {
        this.#readsOdd(peer, -length);
        if (peer.closed) return;
        this.#events.onReady(peer);
        if (peer.amChoking) {
          peer.sendReject(piece, begin, length);
          return;
        }
        const message = new Uint8Array(PIECE_HEADER_BYTES + length);
        putPieceHeader(message, 0, piece, begin, length);
        message.set(bytes, PIECE_HEADER_BYTES);
        peer.outbox.message(message);
        this.#count(peer, length, peer.lastHeardMs);
      },
      () => {
        this.#readsOdd(peer, -length);
        peer.close('its pieces cannot be read');
      },
    );
    return true;
  }

  #readsOdd(peer: Peer, bytes: number): void {
    const reading = (this.#readingOdd.get(peer) ?? 0) + bytes;
    if (reading > 0) this.#readingOdd.set(peer, reading);
    else this.#readingOdd.delete(peer);
  }

  #count(peer: Peer, bytes: number, nowMs: number): void {
    this.#faults.worked();
    peer.up.add(bytes, nowMs);
    peer.lastServedMs = nowMs;
    this.#events.onSent(bytes);
    this.#wakeHeld();
  }

  #readyOf(peer: Peer): () => void {
    let ready = this.#ready.get(peer);
    if (!ready) {
      ready = () => this.#events.onReady(peer);
      this.#ready.set(peer, ready);
    }
    return ready;
  }

  // ---- choking

  /** Once a second: a choking round every ten. */
  tick(peers: readonly Peer[], nowMs: number): void {
    this.#wakeHeld();
    const rate = peers.reduce((sum, peer) => sum + peer.up.bytesPerSecond(nowMs), 0);
    this.#slots = uploadSlots(this.#limits.bytesPerSecond, rate);
    if (nowMs < this.#nextRechokeMs) return;
    this.#nextRechokeMs = nowMs + RECHOKE_MS;
    const terms = {
      nowMs,
      seeding: this.#events.isSeeding(),
      slots: this.#slots,
      quotaBytes: Math.max(LEAST_QUOTA_BYTES, 4 * this.#core.geometry.pieceLengthBytes),
    };
    const { unchoked, optimistic } = this.#choker.rechoke(
      peers.map((peer) => chokePeer(peer, nowMs)),
      terms,
    );
    for (const peer of peers) {
      peer.optimistic = optimistic.includes(peer.number);
      this.#setChoke(peer, !unchoked.has(peer.number), nowMs);
    }
  }

  /** A peer's interest has changed since the last turn: a free slot is given at once. */
  onInterest(peer: Peer, nowMs: number): void {
    peer.interestChanged = false;
    if (this.#choker.mayUnchokeNow(chokePeer(peer, nowMs), this.#unchoked, this.#slots)) {
      this.#setChoke(peer, false, nowMs);
    } else if (!peer.isInterested && !peer.amChoking) {
      this.#setChoke(peer, true, nowMs);
      this.#nextRechokeMs = Math.min(this.#nextRechokeMs, nowMs);
    }
  }

  /** What a peer has, as a whole. */
  onPeerPieces(have: Bitfield): void {
    this.#spreading?.onPieces(have);
  }

  /** A peer has one more piece. */
  onPeerHas(peer: Peer, piece: number): void {
    if (!this.#spreading) return;
    this.#spreading.onHas(piece);
    this.#spreading.suggest(peer);
    this.#events.onReady(peer);
  }

  onPeerGone(peer: Peer): void {
    this.#ready.delete(peer);
    this.#spreading?.onGone(peer);
    if (peer.amChoking) return;
    this.#unchoked--;
    this.#nextRechokeMs = 0;
  }

  #setChoke(peer: Peer, choke: boolean, nowMs: number): void {
    if (peer.amChoking === choke || peer.closed) return;
    peer.sendChoke(choke);
    this.#unchoked += choke ? -1 : 1;
    if (choke) {
      this.#spreading?.onGone(peer);
      return;
    }
    peer.lastUnchokedMs = nowMs;
    peer.sentBeforeUnchoke = peer.up.total;
    this.#spreading?.suggest(peer);
  }

  stop(): Promise<void> {
    return this.#reader.close();
  }
}

function chokePeer(peer: Peer, nowMs: number): ChokePeer {
  return {
    number: peer.number,
    interested: peer.isInterested,
    choked: peer.amChoking,
    snubbed: peer.snubbed,
    downBytesPerSecond: peer.down.bytesPerSecond(nowMs),
    upBytesPerSecond: peer.up.bytesPerSecond(nowMs),
    sentSinceUnchokedBytes: peer.up.total - peer.sentBeforeUnchoke,
    connectedMs: peer.connectedMs,
    lastUnchokedMs: peer.lastUnchokedMs,
  };
}
