// Keeps the trackers of one torrent informed and brings its peers: `started` first, `completed` once, `stopped` at the end.

import type { Address } from '../../base/address.ts';
import { describeError, ShoalError } from '../../base/errors.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Random } from '../../ports/random.ts';
import type { AnnounceEvent, AnnounceReply, AnnounceRequest } from '../protocol/announce.ts';
import type { Announces } from './client.ts';
import { Tiers } from './tiers.ts';
import { Tracked, type TrackerState } from './tracked.ts';
import { Walk } from './walk.ts';

/** Peers asked for: enough to choose from, and every tracker gives as many. */
const PEERS_WANTED = 100;

/** Bytes since the announcer was started; `left` counts what is missing. */
export interface AnnouncedProgress {
  readonly uploaded: number;
  readonly downloaded: number;
  readonly left: number;
}

export interface AnnouncerOptions {
  readonly client: Announces;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  readonly tiers: readonly (readonly string[])[];
  /** Every tracker is always told, not just the first that answers (`.mtorrent`). */
  readonly everyTracker: boolean;
  readonly key: number;
  port(): number;
  progress(): AnnouncedProgress;
  /** Whether more peers are wanted now: trackers are asked for some more often than they are told to be. */
  wantsPeers(): boolean;
  /** Whether addresses of peers are of use when an announce is due anyway. */
  takesPeers(): boolean;
  /** The peers of a reply, ours perhaps among them. */
  onPeers(peers: readonly Address[], tracker: string): void;
  /** Every good reply. */
  onReply?(reply: AnnounceReply, tracker: string): void;
}

/** Nothing is called back after `close()`, nor after `stop()` has begun. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #trackers: readonly Tracked[];
  readonly #walks: readonly Walk[];
  readonly #order: () => readonly Tracked[];
  /** Aborts what is under way; null while nothing is, for it weighs a kilobyte. A new one for the farewells. */
  #abort: AbortController | null = null;
  #timer: Timer | null = null;
  #running = false;
  #stopping: Promise<void> | null = null;

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    const tiers = new Tiers(options.tiers, options.random);
    const byUrl = new Map(tiers.order().map(({ url, tier }) => [url, new Tracked(url, tier)]));
    this.#trackers = [...byUrl.values()];
    this.#order = () => tiers.order().map(({ url }) => byUrl.get(url)!);
    const actions = {
      ask: (tracker: Tracked) => this.#ask(tracker),
      answered: (tracker: Tracked) => tiers.promote(tracker.url),
      ended: () => this.#arm(),
    };
    const walk = (order: () => readonly Tracked[]): Walk => new Walk(order, actions, options.clock);
    if (options.everyTracker) this.#walks = this.#trackers.map((each) => walk(() => [each]));
    else this.#walks = this.#trackers.length === 0 ? [] : [walk(this.#order)];
  }

  /** Announces for the first time, at once. Only once. */
  start(): void {
    if (this.#running || this.#stopping !== null) return;
    this.#running = true;
    for (const walk of this.#walks) walk.begin();
  }

  /** The content is complete. To be called when that happens while we run, not for content that was there before. */
  completed(): void {
    if (!this.#running) return;
    for (const tracker of this.#trackers) {
      // Not told yet: its `started` will say that nothing is left.
      if (!tracker.told && tracker.asking === null) continue;
      tracker.completedDue = true;
      if (tracker.asking === null) this.#askAside(tracker);
    }
  }

  /** More peers are wanted; asks as soon as the trackers allow. */
  moreSoon(): void {
    if (!this.#running) return;
    for (const walk of this.#walks) walk.wantMore();
    this.#arm();
  }

  /** Tells `stopped` to every tracker that knows us; resolves when they are told, at the latest after `timeoutMs`. */
  stop(timeoutMs: number): Promise<void> {
    this.#stopping ??= this.#farewell(timeoutMs);
    return this.#stopping;
  }

  /** Ends everything at once without telling anyone. Idempotent. */
  close(): void {
    this.#halt();
    this.#stopping ??= Promise.resolve();
  }

  /** In the order in which they are asked. */
  snapshot(): readonly TrackerState[] {
    const nowMs = this.#options.clock.nowMs();
    return this.#order().map((tracker) => {
      const planned = this.#running && this.#walks.some((walk) => walk.covers(tracker) && walk.plans(tracker));
      return tracker.snapshot(nowMs, planned);
    });
  }

  #halt(): void {
    this.#running = false;
    this.#timer?.cancel();
    for (const walk of this.#walks) walk.close();
    this.#abort ??= new AbortController();
    this.#abort.abort(new ShoalError('STOPPED', 'the torrent was stopped'));
  }

  async #farewell(timeoutMs: number): Promise<void> {
    // A tracker that is just being asked may have noted us already.
    const told = this.#trackers.filter((each) => each.told || each.asking !== null);
    this.#halt();
    const abort = new AbortController();
    this.#abort = abort;
    const { signal } = abort;
    const timer = this.#options.clock.after(timeoutMs, () => abort.abort(new ShoalError('STOPPED', 'out of time')));
    await Promise.all(told.map((tracker) => this.#announce(tracker, 'stopped', signal).catch(() => null)));
    timer.cancel();
  }

  /** One timer for whichever walk is due first. */
  #arm(): void {
    this.#timer?.cancel();
    if (!this.#running) return;
    const atMs = Math.min(...this.#walks.map((walk) => walk.nextAtMs));
    if (!Number.isFinite(atMs)) return;
    const { clock } = this.#options;
    this.#timer = clock.after(Math.max(0, atMs - clock.nowMs()), () => {
      const nowMs = clock.nowMs();
      for (const walk of this.#walks) if (walk.nextAtMs <= nowMs) walk.begin();
      this.#arm();
    });
  }

  /** An announce that is due by itself, whatever the walk does. Where it fails another tracker is asked at once. */
  #askAside(tracker: Tracked): void {
    void this.#ask(tracker).then((answered) => {
      if (!this.#running) return;
      for (const walk of this.#walks) {
        if (!walk.covers(tracker)) continue;
        if (answered) walk.reschedule();
        else walk.begin();
      }
      this.#arm();
    });
  }

  /** True when the tracker answered. Joins an announce under way. */
  #ask(tracker: Tracked): Promise<boolean> {
    tracker.asking ??= this.#askNow(tracker).finally(() => {
      tracker.asking = null;
      if (this.#running && this.#trackers.every((each) => each.asking === null)) this.#abort = null;
      if (this.#running && tracker.told && tracker.completedDue && tracker.schedule.failures === 0)
        this.#askAside(tracker);
    });
    return tracker.asking;
  }

  async #askNow(tracker: Tracked): Promise<boolean> {
    const { clock, random, log } = this.#options;
    this.#abort ??= new AbortController();
    const { signal } = this.#abort;
    const event = tracker.event;
    const completedKnown = tracker.completedDue;
    try {
      const reply = await this.#announce(tracker, event, signal);
      if (signal.aborted) return false;
      // A first announce made after completion has said so by its `left`: it takes no `completed` (BEP 3).
      if (completedKnown) tracker.completedDue = false;
      tracker.succeeded(reply, clock.nowMs(), this.#options.wantsPeers(), random);
      this.#options.onReply?.(reply, tracker.url);
      this.#options.onPeers(reply.peers, tracker.url);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      tracker.failed(error, clock.nowMs(), random);
      log.write('debug', 'a tracker could not be asked', { tracker: tracker.url, error: describeError(error) });
      return false;
    }
  }

  #announce(tracker: Tracked, event: AnnounceEvent, signal: AbortSignal): Promise<AnnounceReply> {
    const { client, infoHash, peerId, key } = this.#options;
    const request: AnnounceRequest = {
      infoHash,
      peerId,
      key,
      event,
      port: this.#options.port(),
      ...this.#options.progress(),
      numWant: event === 'stopped' || !this.#options.takesPeers() ? 0 : PEERS_WANTED,
      trackerId: tracker.trackerId,
    };
    return client.announce(tracker.url, request, { signal });
  }
}
