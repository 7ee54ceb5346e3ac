// One torrent from its start to its stop: metadata, check, exchange, completion. What happens in between lives below.

import type { Address } from '../base/address.ts';
import type { Bitfield } from '../base/bitfield.ts';
import { ChangeFeed, type Lagged } from '../base/change-feed.ts';
import { describeError, isShoalError, ShoalError } from '../base/errors.ts';
import { metainfoFromInfo } from '../metainfo/parse.ts';
import type { Magnet, Metainfo } from '../metainfo/types.ts';
import type { Greeting, GreetingAnswer } from '../peer/greeting.ts';
import { joinPath } from '../storage/safe-path.ts';
import type { Handshake } from '../wire/handshake.ts';
import { completeLayers } from './complete-layers.ts';
import type { TorrentEvents, TorrentHost, TorrentOptions } from './context.ts';
import { type Core, openCore } from './core.ts';
import type { Live } from './live.ts';
import { Milestones } from './milestones.ts';
import { Presence } from './presence.ts';
import {
  type PeerSnapshot,
  peerSnapshot,
  type TorrentIdentity,
  type TorrentSnapshot,
  type TorrentState,
  takeSnapshot,
} from './snapshot.ts';
import { FINISHING, type StallReason, stallReasons } from './stall.ts';

/** When a torrent has failed trackers get this long to hear of it: a stop that comes meanwhile waits for no more. */
const FAREWELL_MS = 2000;

/** What a listener is told; details are in the snapshot. */
export type TorrentChange =
  | { readonly kind: 'state'; readonly state: TorrentState }
  | { readonly kind: 'piece'; readonly piece: number }
  | { readonly kind: 'peers'; readonly peers: number }
  /** Its last figures: what was exchanged over this connection. */
  | { readonly kind: 'peer-left'; readonly peer: PeerSnapshot }
  | Lagged;

export class Torrent {
  readonly identity: TorrentIdentity;
  readonly #host: TorrentHost;
  readonly #options: TorrentOptions;
  readonly #events: TorrentEvents;
  readonly #source: Metainfo | Magnet;
  readonly #abort: AbortController = new AbortController();
  readonly #reached: Milestones = new Milestones();
  readonly #feed: ChangeFeed<TorrentChange> = new ChangeFeed();
  readonly #presence: Presence;
  #state: TorrentState = 'metadata';
  #error: ShoalError | null = null;
  #metainfo: Metainfo | null = null;
  #core: Core | null = null;
  #checked = { done: 0, total: 0 };
  #running: Promise<void> | null = null;
  #finishing: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;

  constructor(host: TorrentHost, options: TorrentOptions, source: Metainfo | Magnet, events: TorrentEvents) {
    this.#host = host;
    this.#options = options;
    this.#events = events;
    this.#source = source;
    this.#metainfo = 'info' in source ? source : null;
    const { infoHashV1, infoHashV2 } = 'info' in source ? source.info : source;
    this.identity = { infoHashV1, infoHashV2 };
    const tiers = 'info' in source ? source.trackers : source.trackers.map((url) => [url]);
    this.#presence = new Presence(
      host,
      options,
      { identity: this.identity, tiers },
      {
        onInfo: (info) => this.#infoArrived(info),
        onAllVerified: () => void this.#finish(true),
        onFailed: (error) => this.#fail(error),
        onPiece: (piece) => this.#feed.tell({ kind: 'piece', piece }),
        onPeers: (peers) => this.#feed.tell({ kind: 'peers', peers }),
        onPeerLeft: (peer) => this.#feed.tell({ kind: 'peer-left', peer: peerSnapshot(peer, host.env.clock.nowMs()) }),
        onTick: () => this.#onTick(),
        lengthBytes: () => this.#metainfo?.info.lengthBytes ?? null,
      },
    );
  }

  // ---- life

  /** Begins, unless it was stopped before. `opened` tells when the content is open and checked. */
  start(): void {
    if (this.#stopping) return;
    this.#running = this.#run().catch((error: unknown) => this.#fail(error));
  }

  /** Resolves when the content is open and checked, or the search for metadata has begun; rejects with what prevents it. */
  opened(): Promise<void> {
    return this.#reached.opened.wait();
  }

  async #run(): Promise<void> {
    let metainfo = this.#metainfo;
    if (metainfo === null) {
      this.#presence.join(null);
      this.#reached.opened.open();
      metainfo = await this.#reached.metadata.wait({ signal: this.#abort.signal });
    }
    this.#reached.metadata.open(metainfo);
    this.#setState('checking');
    const contentPath = this.#options.contentPath ?? joinPath(this.#options.saveFolder, [metainfo.info.name]);
    const progress = {
      onChecked: (done: number, total: number) => {
        this.#checked = { done, total };
      },
      onJournalFault: (error: unknown) => this.#journalFault(error),
    };
    const core = await openCore(this.#host, this.#options, metainfo, contentPath, progress, this.#abort.signal);
    this.#core = core;
    this.#checked = { done: 0, total: 0 };
    if (this.#abort.signal.aborted) return;
    const joined = this.#presence.live;
    joined?.begin(core);
    const live = joined ?? this.#presence.join(core);
    this.#setState(live.isDone() ? 'seeding' : 'downloading');
    if (live.isDone()) await this.#finish(false);
    this.#reached.opened.open();
    this.#presence.wake();
  }

  #infoArrived(bytes: Uint8Array): void {
    try {
      const magnet = this.#source as Magnet;
      const { files, hashes } = this.#host.env;
      const tiers = magnet.trackers.map((url) => [url]);
      const options = { caseSensitive: files.caseSensitive };
      this.#metainfo = metainfoFromInfo(bytes, tiers, magnet.webSeeds, hashes, options);
      this.#reached.metadata.open(this.#metainfo);
      const path = this.#options.contentPath ?? joinPath(this.#options.saveFolder, [this.#metainfo.info.name]);
      this.#events.onMetadata(this.#metainfo, path);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Everything wanted is there: files get their final form, the journal its checkpoint, then the world is told. */
  #finish(whileRunning: boolean): Promise<void> {
    // A last piece that is written while it stops or after it failed is recorded; the next run does the rest.
    if (this.#stopping || this.#error) return Promise.resolve();
    this.#finishing ??= (async () => {
      const core = this.#core!;
      try {
        if (this.#options.mode === 'get') await core.content.finish(core.layout.symlinks);
        // A checkpoint that fails is told and lived with; content that is not on the disk is not complete.
        await core.content.sync();
        await core.journal.checkpoint();
        if (core.have.isFull) await completeLayers(core, this.#abort.signal);
      } catch (error) {
        this.#fail(error);
        return;
      }
      if (this.#stopping) return;
      this.#keepLayers(core);
      this.#setState('seeding');
      if (whileRunning) this.#presence.completed();
      this.#reached.completed.open();
      this.#events.onCompleted(core.contentPath);
    })();
    return this.#finishing;
  }

  /** A magnet link brought the info dictionary alone: with the layers the torrent file is whole. */
  #keepLayers(core: Core): void {
    if ('info' in this.#source || !core.info.hasV2 || !core.have.isFull) return;
    this.#events.onMetadata({ ...core.metainfo, pieceLayers: core.checks.layers() }, core.contentPath);
  }

  #journalFault(error: unknown): void {
    this.#host.env.log.write('warn', 'progress cannot be recorded', { why: describeError(error) });
    if (isShoalError(error, 'DISK_FULL') && this.#state === 'downloading') this.#fail(error);
  }

  #fail(error: unknown): void {
    if (this.#stopping || this.#error) return;
    this.#error = isShoalError(error) ? error : new ShoalError('INTERNAL', describeError(error), error);
    this.#setState('failed');
    this.#reached.fail(this.#error);
    void this.#presence.close('the torrent has failed');
    void this.#presence.farewell(FAREWELL_MS);
  }

  /**
   * Ends it: peers are closed, what is verified is recorded, trackers are told, all by `deadlineMs` from now at the
   * latest. Idempotent; never rejects.
   */
  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#stop(deadlineMs);
    return this.#stopping;
  }

  async #stop(deadlineMs: number): Promise<void> {
    const stopped = new ShoalError('STOPPED', 'the torrent was stopped');
    if (this.#state !== 'failed') this.#setState('stopped');
    this.#abort.abort(stopped);
    const quiet = this.#presence.close('stopping');
    const farewell = this.#presence.farewell(deadlineMs);
    this.#reached.fail(stopped);
    await this.#running;
    await this.#finishing;
    const core = this.#core;
    if (core) {
      this.#saveCounters();
      await quiet;
      // After a failure, too, what is verified is kept.
      await core.journal.flush();
      await core.journal.close(this.#error === null);
      await core.content.close();
    }
    await farewell;
    this.#feed.close();
  }

  // ---- peers

  /** A connection that came for this torrent. */
  accept(greeting: Greeting, handshake: Handshake): GreetingAnswer {
    return this.#presence.accept(greeting, handshake);
  }

  /** More addresses to try, from a user. */
  addPeers(addresses: readonly Address[]): void {
    this.#presence.addPeers(addresses);
  }

  #onTick(): void {
    this.#saveCounters();
    if (this.#live?.exchange?.isFetching) this.#core!.journal.willWrite();
  }

  get #live(): Live | null {
    return this.#presence.live;
  }

  // ---- what is told

  /** The metadata, at once or when peers have sent it; rejects with what prevents it. */
  metadata(options: { readonly signal?: AbortSignal } = {}): Promise<Metainfo> {
    return this.#reached.metadata.wait(options);
  }

  /** Everything that was selected is verified, written and synced; rejects with what prevents it. */
  completed(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#reached.completed.wait(options);
  }

  /** Changes from now on; the snapshot has the details. Says `lagged` where it lost some. */
  changes(options: { readonly signal: AbortSignal }): AsyncIterable<TorrentChange> {
    return this.#feed.listen(options);
  }

  /** Why it is slow or stuck, the most telling reason first; empty while all is well. */
  why(): readonly StallReason[] {
    if (this.#finishing && this.#state === 'downloading') return [FINISHING];
    const limited = !this.#options.down.isUnlimited || !this.#host.down.isUnlimited;
    return this.#live ? stallReasons(this.#live, this.#presence.trackers(), limited) : [];
  }

  /** A copy of the pieces that are verified and written; null while the content is not open. */
  verifiedPieces(): Bitfield | null {
    return this.#core?.have.copy() ?? null;
  }

  snapshot(): TorrentSnapshot {
    return takeSnapshot({
      identity: this.identity,
      state: this.#state,
      error: this.#error,
      name: 'name' in this.#source ? this.#source.name : null,
      info: this.#metainfo?.info ?? null,
      path: this.#core?.contentPath ?? this.#options.contentPath,
      have: this.#core?.have ?? null,
      checked: this.#checked,
      uploadedBytes: this.#uploadedBytes(),
      trackers: this.#presence.trackers(),
      live: this.#live,
      nowMs: this.#host.env.clock.nowMs(),
    });
  }

  #uploadedBytes(): number {
    return (this.#core?.uploadedBefore ?? 0) + (this.#live?.up.total ?? 0);
  }

  #saveCounters(): void {
    const downloaded = this.#live?.down.total ?? 0;
    this.#core?.journal.counters(this.#uploadedBytes(), this.#core.downloadedBefore + downloaded);
  }

  #setState(state: TorrentState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#feed.tell({ kind: 'state', state });
  }
}
