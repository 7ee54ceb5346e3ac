// One tracker of one torrent: what it was told, what it said, when it is due.

import { describeError } from '../../base/errors.ts';
import type { Random } from '../../ports/random.ts';
import type { AnnounceEvent, AnnounceReply } from '../protocol/announce.ts';
import { AskSchedule } from './schedule.ts';
import { TrackerError } from './tracker-error.ts';

/** For people: how it stands with a tracker. */
export interface TrackerState {
  readonly url: string;
  readonly tier: number;
  /** `unused`: never asked, as one before it answers. `waiting`: due, but not asked yet. */
  readonly state: 'waiting' | 'asking' | 'working' | 'failed' | 'unused';
  readonly seeds: number | null;
  readonly leeches: number | null;
  /** Peers in its last reply. */
  readonly peers: number;
  readonly lastError: string | null;
  /** What the tracker wants the user to know. */
  readonly warning: string | null;
  /** Milliseconds until it is asked again; null where that is not planned. */
  readonly nextInMs: number | null;
  /** Clock time of its last good reply. */
  readonly lastOkMs: number | null;
}

export class Tracked {
  readonly url: string;
  readonly tier: number;
  readonly schedule: AskSchedule = new AskSchedule();
  /** It has heard `started` and not `stopped`. */
  told = false;
  /** It was told before the content was complete, and has not heard of that yet. */
  completedDue = false;
  trackerId: string | null = null;
  /** The announce under way; true when it succeeds. */
  asking: Promise<boolean> | null = null;
  #seeds: number | null = null;
  #leeches: number | null = null;
  #peers = 0;
  #warning: string | null = null;
  #lastError: string | null = null;
  #lastOkMs: number | null = null;

  constructor(url: string, tier: number) {
    this.url = url;
    this.tier = tier;
  }

  /** What the next announce says. */
  get event(): AnnounceEvent {
    if (!this.told) return 'started';
    return this.completedDue ? 'completed' : 'none';
  }

  succeeded(reply: AnnounceReply, nowMs: number, wantsMore: boolean, random: Random): void {
    this.told = true;
    this.trackerId = reply.trackerId ?? this.trackerId;
    this.#seeds = reply.seeds;
    this.#leeches = reply.leeches;
    this.#peers = reply.peers.length;
    this.#warning = reply.warning;
    this.#lastError = null;
    this.#lastOkMs = nowMs;
    this.schedule.succeeded(nowMs, reply, wantsMore, random);
  }

  failed(error: unknown, nowMs: number, random: Random): void {
    this.#lastError = describeError(error);
    this.schedule.failed(nowMs, error instanceof TrackerError ? error.retryInS : null, random);
  }

  /** `planned`: whether its schedule is what it will be asked by. */
  snapshot(nowMs: number, planned: boolean): TrackerState {
    const nextInMs = Math.max(0, this.schedule.nextAtMs - nowMs);
    return {
      url: this.url,
      tier: this.tier,
      state: this.#state(planned),
      seeds: this.#seeds,
      leeches: this.#leeches,
      peers: this.#peers,
      lastError: this.#lastError,
      warning: this.#warning,
      nextInMs: planned && this.asking === null && Number.isFinite(nextInMs) ? nextInMs : null,
      lastOkMs: this.#lastOkMs,
    };
  }

  #state(planned: boolean): TrackerState['state'] {
    if (this.asking !== null) return 'asking';
    if (this.#lastError !== null) return 'failed';
    if (this.#lastOkMs !== null) return 'working';
    return planned ? 'waiting' : 'unused';
  }
}
