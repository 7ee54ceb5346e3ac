// The exchange of blocks in one swarm: asking, receiving and giving, over one open content.

import { BLOCK_BYTES } from '../metainfo/geometry.ts';
import type { Peer } from '../peer/peer.ts';
import { Limits } from '../rates/limits.ts';
import { Asking } from './asking.ts';
import type { TorrentHost, TorrentOptions } from './context.ts';
import type { Core } from './core.ts';
import { Download, type DownloadEvents } from './download.ts';
import type { SlotShares } from './slot-shares.ts';
import { Slots } from './slots.ts';
import { Stale } from './stale.ts';
import type { Swarm } from './swarm.ts';
import { Upload } from './upload.ts';

/** A peer with less than this share of the fastest one's rate shares pieces with its like. */
const SLOW_SHARE = 8;

export interface ExchangeEvents extends DownloadEvents {
  readonly swarm: Pick<Swarm, 'peers' | 'byNumber'>;
  /** Nothing that is wanted is missing. */
  isDone(): boolean;
  /** Payload was handed to a peer's connection. */
  onSent(bytes: number): void;
  touch(peer: Peer): void;
  /** A rate limit has nothing left. */
  onStarved(): void;
}

export class Exchange {
  readonly core: Core;
  readonly asking: Asking;
  readonly download: Download;
  readonly upload: Upload;
  readonly #slots: Slots;
  readonly #shares: SlotShares;
  readonly #stale: Stale = new Stale();
  readonly #down: Limits;
  readonly #up: Limits;
  /** Rates of the fastest peer and of all together, bytes a second, as of the last tick. */
  #fastest = 0;
  #total = 0;

  constructor(host: TorrentHost, options: TorrentOptions, core: Core, events: ExchangeEvents) {
    this.core = core;
    const { geometry, picker } = core;
    const slots = new Slots(host.env.pieceIo, geometry, host.slotShares, () => events.onRoom());
    this.#slots = slots;
    this.#shares = host.slotShares;
    const onDry = (): void => events.onStarved();
    this.#down = new Limits(host.down, options.down, onDry);
    this.#up = new Limits(host.up, options.up, onDry);
    const peer = (number: number): Peer | null => events.swarm.byNumber(number);
    this.asking = new Asking({
      geometry,
      picker,
      slots,
      limits: this.#down,
      peer,
      leftMs: () =>
        this.#total === 0 ? Number.POSITIVE_INFINITY : (picker.unaskedBlocks * BLOCK_BYTES * 1000) / this.#total,
      isSlow: (each) => each.pipeline.bytesPerSecond < this.#fastest / SLOW_SHARE,
      onRoom: () => events.onRoom(),
      onBegin: () => core.journal.willWrite(),
    });
    const { hashes, pieceIo } = host.env;
    const deps = { ...core, hashes, copy: pieceIo.copy, slots, asking: this.asking, peer };
    this.download = new Download(deps, events);
    this.upload = new Upload(host, core, this.#up, {
      peers: () => events.swarm.peers,
      isSeeding: () => events.isDone(),
      onSent: (bytes) => events.onSent(bytes),
      onReadFailed: (error) => events.onDiskFailed(error),
      onReady: (each) => events.touch(each),
    });
  }

  /** Pieces are under way. */
  get isFetching(): boolean {
    return this.#slots.count > 0;
  }

  /** Asks and serves a peer, as far as it allows. */
  attend(peer: Peer, nowMs: number): void {
    if (peer.interestChanged) this.upload.onInterest(peer, nowMs);
    if (peer.amInterested) this.asking.ask(peer, nowMs);
    this.upload.serve(peer, nowMs);
  }

  /** The limits have something again. */
  refilled(): void {
    this.#down.refilled();
    this.#up.refilled();
  }

  /** Once a second: choking rounds, and what rules compare with. */
  tick(peers: readonly Peer[], nowMs: number): void {
    this.#slots.trim();
    if (this.#shares.isScarce) this.#dropStale(peers, nowMs);
    else this.#stale.forget();
    this.#fastest = 0;
    this.#total = 0;
    for (const peer of peers) {
      this.#fastest = Math.max(this.#fastest, peer.pipeline.bytesPerSecond);
      this.#total += peer.pipeline.bytesPerSecond;
    }
    this.upload.tick(peers, nowMs);
  }

  #dropStale(peers: readonly Peer[], nowMs: number): void {
    const { picker } = this.core;
    const arrivedOf = (piece: number): number =>
      picker.contributors(piece).reduce((sum, by) => sum + (by < 0 ? 0 : 1), 0);
    const pieces = Array.from(this.#slots.waiting(), (piece) => [piece, arrivedOf(piece)] as const);
    const piece = this.#stale.look(pieces, nowMs);
    if (piece < 0) return;
    for (const peer of peers) if (peer.receivingPiece === piece) peer.dropBlock();
    this.download.wastedBytes += arrivedOf(piece) * BLOCK_BYTES;
    picker.dropPiece(piece);
    this.#slots.release(piece);
  }

  onPeerGone(peer: Peer): void {
    this.asking.forget(peer);
    this.download.onPeerGone(peer);
    this.upload.onPeerGone(peer);
  }

  /** Resolves when nothing is being read or written any more. The peers must be closed before. */
  async close(): Promise<void> {
    this.download.stop();
    this.#slots.close();
    await Promise.all([this.upload.stop(), this.download.idle()]);
  }
}
