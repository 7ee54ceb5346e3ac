// Which trackers of the store are alive: each says so every few seconds, as one web peer in a swarm that is for this alone. What
// the others say comes back with the same step. Web peers of a tracker that has fallen silent are not there any more, nor those of
// one that says that it is gone: as it ends, or when it has been started again.

import { concatBytes, fromLatin1 } from '../../../base/bytes.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { SwarmAnswer } from '../../../ports/swarm-store.ts';
import {
  CHANGE_GONE,
  CHANGE_LEECH,
  ChangeReader,
  MAX_CHANGE_LENGTH,
  writeChange,
} from '../../protocol/swarm-changes.ts';
import type { Places } from './kept-place.ts';
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
  /** The last word. */
  readonly #end: Uint8Array;
  /** What is said first, until it was heard: also that the tracker's former life is over. */
  readonly #first: Uint8Array;
  #isFirst = true;
  readonly #heardMs = new Map<number, number>();
  /** Places that are said to be gone, the newest last. */
  readonly #gone = new Set<number>();
  #cursor = 0;
  /** Number of the last beat. The answer of an earlier one, or of another link, says nothing any more. */
  #number = 0;
  #isUnderWay = false;
  /** Beats that have no answer yet, late ones among them. */
  #open = 0;
  #beatMs = Number.NEGATIVE_INFINITY;
  /** Since when all that is said is heard; infinite while it is not. */
  #sinceMs = Number.POSITIVE_INFINITY;

  constructor(link: Pick<StoreLink, 'isUp' | 'exchange'>, clock: Clock, { place, formerPlace }: Places) {
    this.#link = link;
    this.#clock = clock;
    this.#beat = word(CHANGE_LEECH, place);
    this.#end = word(CHANGE_GONE, place);
    this.#first = this.#beat;
    if (formerPlace === null) return;
    this.#first = concatBytes([this.#beat, word(CHANGE_GONE, formerPlace)]);
    this.#gone.add(formerPlace);
  }

  /**
   * Whether the tracker at a place is gone: it says so, or nothing has been heard of it for long. Where nobody could be heard, nobody has
   * been silent.
   */
  isSilent(place: number): boolean {
    if (this.#gone.has(place)) return true;
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#sinceMs < SILENT_MS) return false;
    return nowMs - (this.#heardMs.get(place) ?? Number.NEGATIVE_INFINITY) > SILENT_MS;
  }

  /** Something is known of a tracker that it said then: it was alive. */
  heard(place: number, atMs: number): void {
    if (this.#gone.has(place)) return;
    const before = this.#heardMs.get(place);
    if (before === undefined && this.#heardMs.size >= MAX_PLACES) return;
    if (before === undefined || before < atMs) this.#heardMs.set(place, atMs);
  }

  /** The store is there, and may have become another one. */
  onUp(): void {
    this.#cursor = 0;
    this.#isFirst = true;
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
    const since = this.#cursor;
    // A node of a cluster may be away, and others be there: that is for those to tell who ask for swarms.
    this.#say(this.#isFirst ? this.#first : this.#beat, since).then(
      ({ changes, cursor, more }) => {
        this.#open--;
        if (number !== this.#number) return;
        this.#isUnderWay = false;
        this.#isFirst = false;
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

  /** Says, if the store is there, that the tracker is gone; resolves when that was said. Nothing is to be said after it. */
  async close(): Promise<void> {
    if (this.#link.isUp) await this.#say(this.#end, -1).catch(() => undefined);
  }

  #say(changes: Uint8Array, since: number): Promise<SwarmAnswer> {
    const rest = { completed: 0, keepMs: SILENT_MS, isUrgent: false };
    return this.#link.exchange({ infoHash: TRACKERS, changes, since, ...rest }, false);
  }

  #hear(changes: Uint8Array): void {
    const nowMs = this.#clock.nowMs();
    for (const [place, heardMs] of this.#heardMs) if (nowMs - heardMs > SILENT_MS) this.#heardMs.delete(place);
    const reader = new ChangeReader(changes);
    while (reader.next()) {
      const { isWeb, role, port: place, ageS } = reader;
      if (!isWeb) continue;
      // Whoever says that he is there is, though another that was given his state have said that he is gone.
      this.#gone.delete(place);
      if (role === CHANGE_GONE) this.#isGone(place);
      else this.heard(place, nowMs - 1000 * ageS);
    }
  }
  #isGone(place: number): void {
    this.#heardMs.delete(place);
    this.#gone.add(place);
    if (this.#gone.size <= MAX_PLACES) return;
    for (const oldest of this.#gone) {
      this.#gone.delete(oldest);
      return;
    }
  }
}

function word(kind: number, place: number): Uint8Array {
  const bytes = new Uint8Array(MAX_CHANGE_LENGTH);
  return bytes.subarray(0, writeChange(bytes, 0, kind, 0, NOBODY, place));
}
