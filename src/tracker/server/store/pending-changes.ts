// Peers of which the store has not been told yet, each once, in its latest state, by swarm. However long the store is away,
// there are never more than these, and no peer is told that has been silent for too long: only that it completed.

import { readU32, writeU32 } from '../../../base/bytes.ts';
import { MAX_EXCHANGED_CHANGES } from '../../../ports/swarm-store.ts';
import {
  CHANGE_COMPLETES,
  CHANGE_GONE,
  CHANGE_NEW,
  ChangeReader,
  MAX_CHANGE_AGE_S,
  MAX_CHANGE_LENGTH,
  MAX_STORED_AGE_S,
  WEB_ID_LENGTH,
  writeChange,
} from '../../protocol/swarm-changes.ts';
import { WordKeys } from './word-keys.ts';

/** Some ten seconds of 20,000 announces each, or an hour of 70 peers a second that leave; 10 MB. */
export const MAX_PENDING: number = 1 << 18;
/** Swarm, port and family, ip; of a web peer swarm, last word of the peer id, the others. */
const KEY_WORDS = 6;
const IS_IPV6 = 0x10000;
/** A web peer that could not be told for so long is not new any more: others have learned its peer id from its offers. */
const NEW_S = 5;
/** Swarms looked at in one call of `sweep`. */
const SWEPT = 16_384;
/** Beside the swarm, of which there are fewer. */
const IS_WEB = 0x80000000;

export class PendingChanges {
  readonly #keys: WordKeys;
  readonly #kinds: Uint8Array;
  readonly #heardS: Float64Array;
  /** Until when a web peer is told as new. */
  readonly #newUntilS: Float64Array;
  /** Of the same swarm, + 1; 0 ends. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** First and number of a swarm's changes, and how many of them complete. */
  readonly #first: Int32Array;
  readonly #counts: Int32Array;
  readonly #completing: Int32Array;
  readonly #buffer = new Uint8Array(MAX_EXCHANGED_CHANGES * MAX_CHANGE_LENGTH);
  readonly #ip4 = new Uint8Array(4);
  readonly #ip6 = new Uint8Array(16);
  readonly #webId = new Uint8Array(WEB_ID_LENGTH);
  readonly #place: number;
  #swept = 0;

  /** `swarms`: their numbers are below it. `place`: of this tracker, where its web peers are. */
  constructor(seed: number, swarms: number, place: number, most: number = MAX_PENDING) {
    this.#place = place;
    this.#keys = new WordKeys(KEY_WORDS, most, seed);
    this.#kinds = new Uint8Array(most);
    this.#heardS = new Float64Array(most);
    this.#newUntilS = new Float64Array(most);
    this.#next = new Int32Array(most);
    this.#previous = new Int32Array(most);
    this.#first = new Int32Array(swarms);
    this.#counts = new Int32Array(swarms);
    this.#completing = new Int32Array(swarms);
  }

  get count(): number {
    return this.#keys.count;
  }

  countOf(swarm: number): number {
    return this.#counts[swarm]!;
  }

  /** Changes of a swarm that will count as completions. */
  completingOf(swarm: number): number {
    return this.#completing[swarm]!;
  }

  has(swarm: number, ip: Uint8Array, port: number): boolean {
    this.#setKey(swarm, ip, port);
    return this.#keys.find() >= 0;
  }

  /**
   * A peer was heard, or left; of a web peer `ip` is the peer id, and its place this tracker's. That it completes is kept until
   * it is told, and that it is new unless it leaves meanwhile, or has just left. `onlyKnown`: what is not here already is left out.
   * False where it would have to be here and there is no room.
   */
  note(swarm: number, kind: number, ip: Uint8Array, port: number, nowS: number, onlyKnown = false): boolean {
    this.#setKey(swarm, ip, port);
    let number = this.#keys.find();
    if (number < 0) {
      if (onlyKnown) return true;
      number = this.#keys.add();
      if (number < 0) return false;
      this.#kinds[number] = 0;
      this.#newUntilS[number] = (kind & CHANGE_NEW) === 0 ? 0 : nowS + NEW_S;
      this.#link(swarm, number);
    } else if (kind === CHANGE_GONE) this.#newUntilS[number] = 0;
    const completed = this.#kinds[number]! & CHANGE_COMPLETES;
    if ((kind & CHANGE_COMPLETES) !== 0 && completed === 0) this.#completing[swarm]!++;
    this.#kinds[number] = (kind & ~CHANGE_NEW) | completed;
    this.#heardS[number] = nowS;
    return true;
  }

  /** Whether a web peer would be told as new. */
  isNew(swarm: number, peerId: Uint8Array, nowS: number): boolean {
    return this.has(swarm, peerId, this.#place) && nowS < this.#newUntilS[this.#keys.find()]!;
  }

  /** Takes back that a web peer completed; false where that was not to be told. */
  takeBack(swarm: number, peerId: Uint8Array): boolean {
    const number = this.has(swarm, peerId, this.#place) ? this.#keys.find() : -1;
    if (number < 0 || (this.#kinds[number]! & CHANGE_COMPLETES) === 0) return false;
    this.#kinds[number]! &= ~CHANGE_COMPLETES;
    this.#completing[swarm]!--;
    return true;
  }

  /**
   * Takes changes of a swarm out, as many as an exchange has, as its records, and forgets those that {@link sweep} would. Whoever
   * completed, and was not heard for more than `mostS` since, has gone meanwhile. That a new web peer completed stays here: whether it
   * is one shows when the store answers.
   */
  take(swarm: number, nowS: number, mostS: number): Uint8Array {
    let at = 0;
    for (let taken = 0, next = this.#first[swarm]!; taken < MAX_EXCHANGED_CHANGES && next !== 0; ) {
      const number = next - 1;
      next = this.#next[number]!;
      // Seconds are rounded up: what was heard within this one is new.
      const ageS = Math.floor(nowS - this.#heardS[number]!);
      const kind = stillTrue(this.#kinds[number]!, ageS, mostS);
      const isNew = nowS < this.#newUntilS[number]!;
      const completes = isNew && (kind & CHANGE_COMPLETES) !== 0;
      if (kind !== NOTHING) {
        const ip = this.#ipOf(number);
        const port = ip === this.#webId ? this.#place : this.#keys.word(number, 1) & 0xffff;
        const told = isNew ? (kind & ~CHANGE_COMPLETES) | CHANGE_NEW : kind;
        at = writeChange(this.#buffer, at, told, ageS, ip, port);
        taken++;
      }
      if (completes) this.#newUntilS[number] = 0;
      else this.#unlink(swarm, number);
    }
    return this.#buffer.slice(0, at);
  }

  /** Forgets, in some of the swarms, what is too old to be told; to be called about once a second. */
  sweep(nowS: number, mostS: number): void {
    const end = Math.min(this.#first.length, this.#swept + SWEPT);
    const isOld = (number: number): boolean =>
      stillTrue(this.#kinds[number]!, Math.floor(nowS - this.#heardS[number]!), mostS) === NOTHING;
    for (let swarm = this.#swept; swarm < end; swarm++) this.#forget(swarm, isOld);
    this.#swept = end === this.#first.length ? 0 : end;
  }

  /** Puts back what could not be told; what has changed since stays as it is. */
  putBack(swarm: number, changes: Uint8Array, nowS: number): void {
    const reader = new ChangeReader(changes);
    while (reader.next()) {
      const completes = reader.completes ? CHANGE_COMPLETES : 0;
      if (this.has(swarm, reader.ip, reader.port)) {
        const number = this.#keys.find();
        if (completes !== 0 && (this.#kinds[number]! & CHANGE_COMPLETES) === 0) {
          this.#completing[swarm]!++;
          this.#kinds[number]! |= CHANGE_COMPLETES;
        }
      } else this.note(swarm, reader.role | completes, reader.ip, reader.port, nowS - reader.ageS);
    }
  }

  /** Forgets peers that were merely heard: they are in the table, from where they are told after an outage. */
  forgetHeard(swarm: number): void {
    this.#forget(swarm, (number) => {
      const kind = this.#kinds[number]!;
      return kind !== CHANGE_GONE && (kind & CHANGE_COMPLETES) === 0;
    });
  }

  #forget(swarm: number, isForgotten: (number: number) => boolean): void {
    for (let at = this.#first[swarm]!; at !== 0; ) {
      const number = at - 1;
      at = this.#next[number]!;
      if (isForgotten(number)) this.#unlink(swarm, number);
    }
  }

  #link(swarm: number, number: number): void {
    const first = this.#first[swarm]!;
    this.#next[number] = first;
    this.#previous[number] = 0;
    if (first !== 0) this.#previous[first - 1] = number + 1;
    this.#first[swarm] = number + 1;
    this.#counts[swarm]!++;
  }

  #unlink(swarm: number, number: number): void {
    const next = this.#next[number]!;
    const previous = this.#previous[number]!;
    if (next !== 0) this.#previous[next - 1] = previous;
    if (previous !== 0) this.#next[previous - 1] = next;
    else this.#first[swarm] = next;
    this.#counts[swarm]!--;
    if ((this.#kinds[number]! & CHANGE_COMPLETES) !== 0) this.#completing[swarm]!--;
    this.#keys.remove(number);
  }

  #setKey(swarm: number, ip: Uint8Array, port: number): void {
    const { key } = this.#keys;
    const isWeb = ip.length === WEB_ID_LENGTH;
    key[0] = isWeb ? swarm + IS_WEB : swarm;
    key[1] = isWeb ? readU32(ip, 16) : port | (ip.length === 16 ? IS_IPV6 : 0);
    for (let i = 0; i < 4; i++) key[2 + i] = 4 * i < ip.length ? readU32(ip, 4 * i) : 0;
  }

  #ipOf(number: number): Uint8Array {
    if (this.#keys.word(number, 0) >= IS_WEB) {
      for (let i = 0; i < 4; i++) writeU32(this.#webId, 4 * i, this.#keys.word(number, 2 + i));
      writeU32(this.#webId, 16, this.#keys.word(number, 1));
      return this.#webId;
    }
    const ip = (this.#keys.word(number, 1) & IS_IPV6) !== 0 ? this.#ip6 : this.#ip4;
    for (let i = 0; 4 * i < ip.length; i++) writeU32(ip, 4 * i, this.#keys.word(number, 2 + i));
    return ip;
  }
}

/** Stands for a change that is not to be told. */
const NOTHING = -1;

/**
 * What a change says after so long. A peer that was silent for longer than `mostS` is in no store any more, so that neither that it
 * was heard nor that it left is news; and no peer is told as there that is older than a store can say.
 */
function stillTrue(kind: number, ageS: number, mostS: number): number {
  const isGone = (kind & CHANGE_GONE) === CHANGE_GONE;
  if (ageS <= Math.min(mostS, isGone ? MAX_CHANGE_AGE_S : MAX_STORED_AGE_S)) return kind;
  return (kind & CHANGE_COMPLETES) === 0 ? NOTHING : CHANGE_GONE | CHANGE_COMPLETES;
}
