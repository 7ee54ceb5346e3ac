// From what clients say (totals since their start) to what was added since they last said it, by user.

import { EVENT_STARTED, EVENT_STOPPED } from '../protocol/announce.ts';
import { NOTE_NUMBERS } from './ledger.ts';

export interface Added {
  uploaded: number;
  downloaded: number;
}

interface Said {
  readonly uploaded: number;
  readonly downloaded: number;
  readonly atS: number;
}

/** Clients in swarms that are remembered; the one not heard of for longest is forgotten, and begins anew. */
const MAX_CLIENTS = 500_000;
/** 100 Gbit/s: what is said to be faster is not counted. */
const MAX_BYTES_PER_SECOND = 12.5e9;

export class Totals {
  /** In the order in which they were last heard of. */
  readonly #said = new Map<number, Said>();
  #added = new Map<number, Added>();

  /** Takes the notes of a {@link Ledger}. */
  add(batch: Float64Array): void {
    for (let at = 0; at + NOTE_NUMBERS <= batch.length; at += NOTE_NUMBERS) this.#addOne(batch, at);
  }

  /** What has been added since the last call, by number of the user. Users that were heard of, but added nothing, too. */
  take(): ReadonlyMap<number, Added> {
    const added = this.#added;
    this.#added = new Map();
    return added;
  }

  #addOne(batch: Float64Array, at: number): void {
    const user = batch[at]!;
    // 53 bits are what a number holds exactly.
    const client = batch[at + 1]! + (batch[at + 2]! & 0x1fffff) * 2 ** 32;
    const now: Said = { uploaded: whole(batch[at + 3]!), downloaded: whole(batch[at + 4]!), atS: batch[at + 6]! };
    const event = batch[at + 5]!;
    const before = this.#said.get(client);
    // The tracker's threads hand on what they noted each by itself: what is older than what is known says nothing new.
    if (before !== undefined && now.atS < before.atS) return;
    const sum = this.#added.get(user) ?? { uploaded: 0, downloaded: 0 };
    this.#added.set(user, sum);
    // A client that starts counts from zero. One that is new to us and does not start told a former life of this tracker.
    if (before !== undefined && event !== EVENT_STARTED) {
      const most = MAX_BYTES_PER_SECOND * Math.max(1, now.atS - before.atS);
      sum.uploaded += plausible(now.uploaded - before.uploaded, most);
      sum.downloaded += plausible(now.downloaded - before.downloaded, most);
    }
    this.#said.delete(client);
    if (event === EVENT_STOPPED) return;
    this.#said.set(client, now);
    if (this.#said.size > MAX_CLIENTS) this.#said.delete(this.#said.keys().next().value!);
  }
}

function whole(bytes: number): number {
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : 0;
}

function plausible(bytes: number, most: number): number {
  return bytes > 0 && bytes <= most ? bytes : 0;
}
