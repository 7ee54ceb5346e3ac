// The swarms that this thread has had to do with lately: how old its copy of each is, how often it is asked for, and which of
// them are to be exchanged with the store.

import { readU32, writeU32 } from '../../../base/bytes.ts';
import { DueQueue } from './due-queue.ts';
import { WordKeys } from './word-keys.ts';

/** Swarms in use at once, 22 MB: more than two thousand others a second that nobody had asked for. */
export const MAX_USED: number = 1 << 18;
/** A swarm that nobody has asked for so long is forgotten here; its next use fetches all of it. */
const IDLE_MS = 120_000;
/** One that was asked for twice within so long is asked for often, until nobody does for so long. */
const OFTEN_MS = 3000;
/** One that the store refuses is left alone for so long, twice as long each time. */
const FIRST_REFUSAL_MS = 1000;
const LAST_REFUSAL_MS = 300_000;
/** Looked at in one call of `sweep`. */
const SWEPT = 16_384;

export class UsedSwarms {
  /** What the store said last, for the next exchange; 0: everything is to be fetched. */
  readonly cursors: Float64Array;
  /** When the copy was as the store had it; 0: it is not known to be. */
  readonly copiedMs: Float64Array;
  /** Those with news for the store. */
  readonly toTell: DueQueue;
  /** Those whose copies are to be fetched before they are too old. */
  readonly toRefresh: DueQueue;
  readonly #keys: WordKeys;
  readonly #most: number;
  readonly #usedMs: Float64Array;
  readonly #isThere: Uint8Array;
  readonly #isBusy: Uint8Array;
  readonly #askedMs: Float64Array;
  readonly #isOften: Uint8Array;
  /** How often in a row the store has refused it, and until when it is left alone. */
  readonly #refusals: Uint8Array;
  readonly #refusedUntilMs: Float64Array;
  #swept = 0;

  constructor(seed: number, most: number = MAX_USED) {
    this.#keys = new WordKeys(5, most, seed);
    this.#most = most;
    this.cursors = new Float64Array(most);
    this.copiedMs = new Float64Array(most);
    this.#usedMs = new Float64Array(most);
    this.#isThere = new Uint8Array(most);
    this.#isBusy = new Uint8Array(most);
    this.#askedMs = new Float64Array(most);
    this.#isOften = new Uint8Array(most);
    this.#refusals = new Uint8Array(most);
    this.#refusedUntilMs = new Float64Array(most);
    this.toTell = new DueQueue(most);
    this.toRefresh = new DueQueue(most);
  }

  get count(): number {
    return this.#keys.count;
  }

  /** The number of a swarm; -1 where it was not used lately. */
  find(infoHash: Uint8Array): number {
    for (let i = 0; i < 5; i++) this.#keys.key[i] = readU32(infoHash, 4 * i);
    return this.#keys.find();
  }

  /** The number of a swarm that is used now; -1 where too many are. */
  use(infoHash: Uint8Array, nowMs: number): number {
    let swarm = this.find(infoHash);
    if (swarm < 0) {
      swarm = this.#keys.add();
      if (swarm < 0) return -1;
      this.#isThere[swarm] = 1;
      this.cursors[swarm] = 0;
      this.copiedMs[swarm] = 0;
      this.#askedMs[swarm] = Number.NEGATIVE_INFINITY;
      this.#isOften[swarm] = 0;
      this.accepted(swarm);
    }
    this.#usedMs[swarm] = nowMs;
    return swarm;
  }

  /** A peer has announced to it. */
  noteAsked(swarm: number, nowMs: number): void {
    this.#isOften[swarm] = nowMs - this.#askedMs[swarm]! < OFTEN_MS ? 1 : 0;
    this.#askedMs[swarm] = nowMs;
  }

  /** Somebody is likely to ask for it within a second or two. */
  isOften(swarm: number, nowMs: number): boolean {
    return this.#isOften[swarm] === 1 && nowMs - this.#askedMs[swarm]! < OFTEN_MS;
  }

  /** The store refuses it for what it has of it: asked again and again, it would say the same. */
  refused(swarm: number, nowMs: number): void {
    const times = this.#refusals[swarm]!;
    this.#refusals[swarm] = Math.min(0xff, times + 1);
    this.#refusedUntilMs[swarm] = nowMs + Math.min(LAST_REFUSAL_MS, FIRST_REFUSAL_MS * 2 ** times);
  }

  accepted(swarm: number): void {
    this.#refusals[swarm] = 0;
    this.#refusedUntilMs[swarm] = 0;
  }

  /** It is left alone. */
  isRefused(swarm: number, nowMs: number): boolean {
    return nowMs < this.#refusedUntilMs[swarm]!;
  }

  /** The next sweep forgets it, unless it is used again: whoever scrapes what nobody is in holds no place for long. */
  giveUp(swarm: number): void {
    this.#usedMs[swarm] = Number.NEGATIVE_INFINITY;
  }

  infoHash(swarm: number): Uint8Array {
    const infoHash = new Uint8Array(20);
    for (let i = 0; i < 5; i++) writeU32(infoHash, 4 * i, this.#keys.word(swarm, i));
    return infoHash;
  }

  /** An exchange of it is under way: there is one at a time, so that changes arrive in order. */
  isBusy(swarm: number): boolean {
    return this.#isBusy[swarm] === 1;
  }

  setBusy(swarm: number, isBusy: boolean): void {
    this.#isBusy[swarm] = isBusy ? 1 : 0;
  }

  /** No copy counts any more: the store may have become another one. */
  distrust(): void {
    this.cursors.fill(0);
    this.copiedMs.fill(0);
    this.#refusedUntilMs.fill(0);
  }

  /** Forgets some of those that are idle, of which `holds` is not true; to be called about once a second. */
  sweep(nowMs: number, holds: (swarm: number) => boolean): void {
    const end = Math.min(this.#most, this.#swept + SWEPT);
    for (let swarm = this.#swept; swarm < end; swarm++) {
      if (this.#isThere[swarm] === 0 || nowMs - this.#usedMs[swarm]! < IDLE_MS) continue;
      if (this.#isBusy[swarm] === 1 || this.toTell.has(swarm) || this.toRefresh.has(swarm) || holds(swarm)) continue;
      this.#isThere[swarm] = 0;
      this.#keys.remove(swarm);
    }
    this.#swept = end === this.#most ? 0 : end;
  }

  /** All of them, for what is done seldom. */
  *all(): Iterable<number> {
    for (let swarm = 0, left = this.count; left > 0; swarm++) {
      if (this.#isThere[swarm] === 0) continue;
      left--;
      yield swarm;
    }
  }
}
