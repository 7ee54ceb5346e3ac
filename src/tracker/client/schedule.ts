// When to ask a tracker next. Pure: time and chance are arguments.

import type { Random } from '../../ports/random.ts';
import type { AnnounceReply } from '../protocol/announce.ts';

/** Bounds of what a tracker may tell us: below, we would flood it; above, it would forget us or we it. */
const SHORTEST_INTERVAL_MS = 5_000;
const LONGEST_INTERVAL_MS = 6 * 3600_000;

/** First extra announce of a torrent that wants more peers, where the tracker names no minimum; then twice as long. */
const FIRST_EXTRA_MS = 30_000;

/** Back-off after failures: 5, 10, 20 s and so on up to half an hour, each a quarter more or less. */
const FIRST_BACKOFF_MS = 5_000;
const LONGEST_BACKOFF_MS = 30 * 60_000;
/** Shortest wait that a tracker can ask for by `retry in`, and the longest that is obeyed. */
const SHORTEST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 24 * 3600_000;

/** Announces are spread by up to a twentieth of the interval, so that those who met in a crowd drift apart. */
const SPREAD = 20;

export class AskSchedule {
  /** When the next announce is due; Infinity: never. */
  nextAtMs = 0;
  /** Failures since the last success. */
  failures = 0;
  #okAtMs = Number.NEGATIVE_INFINITY;
  #intervalMs = SHORTEST_INTERVAL_MS;
  #minIntervalMs: number | null = null;
  /** Replies in a row after which more peers were wanted. */
  #extras = 0;

  /** Before this a tracker wants to hear nothing but events, or is left alone because it failed. */
  get mayAskAtMs(): number {
    return this.failures > 0 ? this.nextAtMs : this.#okAtMs + (this.#minIntervalMs ?? SHORTEST_INTERVAL_MS);
  }

  /** `wantsMore`: the torrent wants more peers than it knows now. */
  succeeded(nowMs: number, reply: AnnounceReply, wantsMore: boolean, random: Random): void {
    this.failures = 0;
    this.#okAtMs = nowMs;
    this.#intervalMs = clamp(reply.intervalS * 1000, SHORTEST_INTERVAL_MS, LONGEST_INTERVAL_MS);
    const min = reply.minIntervalS;
    this.#minIntervalMs = min === null ? null : clamp(min * 1000, SHORTEST_INTERVAL_MS, LONGEST_INTERVAL_MS);
    const interval = Math.max(this.#intervalMs, this.#minIntervalMs ?? 0);
    this.nextAtMs = nowMs + interval + random.below(Math.ceil(interval / SPREAD));
    if (wantsMore) {
      this.wantMore();
      this.#extras++;
    } else this.#extras = 0;
  }

  /** `retryInS`: as the tracker says (BEP 31), null where it does not. */
  failed(nowMs: number, retryInS: number | null, random: Random): void {
    this.failures++;
    if (retryInS === Number.POSITIVE_INFINITY) {
      this.nextAtMs = retryInS;
      return;
    }
    const backoff = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(this.failures - 1, 20));
    const wait =
      retryInS === null
        ? backoff * 0.75 + random.below(Math.ceil(backoff / 2))
        : clamp(retryInS * 1000, SHORTEST_RETRY_MS, LONGEST_RETRY_MS);
    this.nextAtMs = nowMs + wait;
  }

  /** The next announce as soon as the tracker allows; after a failure the back-off stays. */
  wantMore(): void {
    if (this.failures > 0) return;
    const extra = FIRST_EXTRA_MS * 2 ** Math.min(this.#extras, 20);
    const wait = this.#minIntervalMs ?? Math.min(this.#intervalMs, extra);
    this.nextAtMs = Math.min(this.nextAtMs, this.#okAtMs + wait);
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
