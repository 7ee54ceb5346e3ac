// Makes the steps of the tracker's history out of its counters.

import { HISTORY_STEP_S, HistoryPoint, type HistoryRing } from './history.ts';
import type { TrackerStats } from './stats.ts';

const STEP_MS: number = HISTORY_STEP_S * 1000;
/** After a sleep of the machine no more steps are made up for than are told. */
const MAX_MISSED = 360;

export interface HistoryRecorderOptions {
  readonly ring: HistoryRing;
  stats(): TrackerStats;
  /** Milliseconds since 1970. */
  wallMs(): number;
}

export class HistoryRecorder {
  readonly #options: HistoryRecorderOptions;
  readonly #point = new HistoryPoint();
  #last: TrackerStats;
  #lastMs: number;
  /** When the current step began. */
  #stepMs: number;

  constructor(options: HistoryRecorderOptions, nowMs: number) {
    this.#options = options;
    this.#last = options.stats();
    this.#lastMs = nowMs;
    this.#stepMs = nowMs;
  }

  /** To be called about once a second. */
  tick(nowMs: number): void {
    const steps = Math.floor((nowMs - this.#stepMs) / STEP_MS);
    if (steps === 0) return;
    const { ring, stats, wallMs } = this.#options;
    const now = stats();
    this.#fill(now, (nowMs - this.#lastMs) / 1000);
    this.#last = now;
    this.#lastMs = nowMs;
    this.#stepMs += steps * STEP_MS;
    // Steps that nobody was there for are like the mean of all of them.
    const endMs = Math.round(wallMs());
    for (let missed = Math.min(steps, MAX_MISSED); missed > 0; missed--) ring.add(this.#point, endMs);
  }

  #fill(now: TrackerStats, passedS: number): void {
    const point = this.#point;
    const rate = (of: (stats: TrackerStats) => number): number => rounded((of(now) - of(this.#last)) / passedS);
    point.announcesHttp = rate(({ http }) => http.announces);
    point.announcesUdp = rate(({ udp }) => udp.announces);
    point.announcesWs = rate(({ ws }) => ws.announces);
    point.scrapes = rate(({ http, udp, ws }) => http.scrapes + udp.scrapes + ws.scrapes);
    point.errors = rate(({ http, udp, ws }) => http.errors + udp.errors + ws.errors);
    point.bytesIn = rate(({ bytes }) => bytes.httpIn + bytes.udpIn + bytes.wsIn);
    point.bytesOut = rate(({ bytes }) => bytes.httpOut + bytes.udpOut + bytes.wsOut);
    point.peers = now.peers;
    point.seeds = now.seeds;
    point.torrents = now.swarms;
    point.loopDelayMs = rounded(now.process?.loopDelayP99Ms ?? 0);
    point.rssBytes = now.process?.rssBytes ?? 0;
  }
}

/** Two decimals are enough for a plot, and make the reply a third as long. A thread that died takes up to a second of counts with it. */
function rounded(value: number): number {
  return Math.max(0, Math.round(value * 100) / 100);
}
