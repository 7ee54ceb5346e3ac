// Which trackers of the store are alive: each says so every few seconds, as one web peer in a swarm that is for this alone. What
// the others say comes back with the same step. Web peers of a tracker that has fallen silent are not there any more.

import { fromLatin1 } from '../../../base/bytes.ts';
import type { Clock } from '../../../ports/clock.ts';
import {
  CHANGE_GONE,
  CHANGE_LEECH,
  ChangeReader,
  MAX_CHANGE_LENGTH,
  writeChange,
} from '../../protocol/swarm-changes.ts';
import type { StoreLink } from './store-link.ts';

/** From one word to the next. */
const BEAT_MS = 5000;
/** An answer that takes longer is one of a store that lags, or of none. */
const LATE_MS = 2000;
/** Beats without an answer, of which there is room among the steps under way. */
const MOST_OPEN = 32;
/** Twice as long as it may take until another has heard one, and as much again. */
const SILENT_MS = 20_000;
/** Whoever can write to the store may make up trackers: no more than these are kept in mind. */
const MAX_PLACES = 4096;
/** Stands in the place of an info hash: no client can name it, which has 20 bytes. */
const TRACKERS: Uint8Array = fromLatin1('live trackers');
/** The peer id of a tracker. */
const NOBODY: Uint8Array = new Uint8Array(20);

export class LivePlaces {
  readonly #link: Pick<StoreLink, 'isUp' | 'exchange'>;
  readonly #clock: Clock;
  readonly #beat: Uint8Array;
  readonly #heardMs = new Map<number, number>();
  #cursor = 0;
  /** Number of the last beat. The answer of an earlier one, or of another link, says nothing any more. */
  #number = 0;
  #isUnderWay = false;
  /** Beats that have no answer yet, late ones among them. */
  #open = 0;
  #beatMs = Number.NEGATIVE_INFINITY;
  /** Since when all that is said is heard; infinite while it is not. */
  #sinceMs = Number.POSITIVE_INFINITY;

  /** `place`: of this tracker. */
  constructor(link: Pick<StoreLink, 'isUp' | 'exchange'>, clock: Clock, place: number) {
    this.#link = link;
    this.#clock = clock;
    const bytes = new Uint8Array(MAX_CHANGE_LENGTH);
    this.#beat = bytes.subarray(0, writeChange(bytes, 0, CHANGE_LEECH, 0, NOBODY, place));
  }

  /** Whether nothing has been heard of the tracker at a place for so long that it is gone. Where nobody could be heard, nobody is. */
  isSilent(place: number): boolean {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#sinceMs < SILENT_MS) return false;
    return nowMs - (this.#heardMs.get(place) ?? Number.NEGATIVE_INFINITY) > SILENT_MS;
  }

  /** Something is known of a tracker that it said then: it was alive. */
  heard(place: number, atMs: number): void {
    const before = this.#heardMs.get(place);
    if (before === undefined && this.#heardMs.size >= MAX_PLACES) return;
    if (before === undefined || before < atMs) this.#heardMs.set(place, atMs);
  }

  /** The store is there, and may have become another one. */
  onUp(): void {
    this.#cursor = 0;
    this.#number++;
    this.#isUnderWay = false;
    this.#sinceMs = this.#clock.nowMs();
    this.#beatMs = Number.NEGATIVE_INFINITY;
    this.tick();
  }

  onAway(): void {
    this.#sinceMs = Number.POSITIVE_INFINITY;
  }

  /** To be called about once a second. */
  tick(): void {
    const nowMs = this.#clock.nowMs();
    // The server of a cluster that has this swarm may say nothing, while others answer: what is said meanwhile is not heard.
    if (this.#isUnderWay && nowMs - this.#beatMs > LATE_MS) this.#sinceMs = nowMs;
    if (!this.#link.isUp || nowMs - this.#beatMs < BEAT_MS || this.#open === MOST_OPEN) return;
    this.#beatMs = nowMs;
    this.#isUnderWay = true;
    this.#open++;
    const number = ++this.#number;
    const rest = { completed: 0, keepMs: SILENT_MS, isUrgent: false };
    const since = this.#cursor;
    // A node of a cluster may be away, and others be there: that is for those to tell who ask for swarms.
    this.#link.exchange({ infoHash: TRACKERS, changes: this.#beat, since, ...rest }, false).then(
      ({ changes, cursor, more }) => {
        this.#open--;
        if (number !== this.#number) return;
        this.#isUnderWay = false;
        this.#cursor = cursor;
        if (more) this.#beatMs = Number.NEGATIVE_INFINITY;
        this.#hear(changes);
      },
      () => {
        this.#open--;
        if (number !== this.#number) return;
        this.#isUnderWay = false;
        // What is said meanwhile is not heard.
        this.#sinceMs = this.#link.isUp ? this.#clock.nowMs() : Number.POSITIVE_INFINITY;
      },
    );
  }

  #hear(changes: Uint8Array): void {
    const nowMs = this.#clock.nowMs();
    for (const [place, heardMs] of this.#heardMs) if (nowMs - heardMs > SILENT_MS) this.#heardMs.delete(place);
    const reader = new ChangeReader(changes);
    while (reader.next()) {
      const { isWeb, role, port: place, ageS } = reader;
      if (isWeb && role !== CHANGE_GONE) this.heard(place, nowMs - 1000 * ageS);
    }
  }
}
