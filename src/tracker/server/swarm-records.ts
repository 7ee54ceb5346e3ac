// The records of all swarms and the index that finds them by info hash: typed arrays, no object a swarm.
//
//   index: hash table of swarm numbers + 1        records: 15 words each
//   [ ][7][ ][2]…                       --->      info hash 5 | fields, named below

import { readU32 } from '../../base/bytes.ts';
import { finish, mix } from './peer-runs.ts';

/** Fields of a swarm by word. Those of two words have IPv4 first, then IPv6. */
export const RUN = 5;
export const LOG2 = 7;
export const COUNT = 9;
export const SEEDS = 11;
export const PARTIALS = 12;
export const COMPLETED = 13;
/** Second in which the last peer left; in a free record the next free one, + 1. */
export const EMPTY_SINCE = 14;
const WORDS = 15;

/** In LOG2 of a free record. */
const FREE = 0xffffffff;

const FIRST_SWARMS = 64;

export class SwarmRecords {
  readonly #hashSeed: number;
  #records = new Uint32Array(FIRST_SWARMS * WORDS);
  /** At most half full, so that probing stays short. */
  #index = new Uint32Array(2 * FIRST_SWARMS);
  /** Number behind the highest one used. */
  #end = 0;
  /** First of the free records, + 1. */
  #free = 0;
  #count = 0;
  readonly #key = new Uint32Array(5);

  /** `hashSeed`: secret, so that nobody chooses info hashes that collide. */
  constructor(hashSeed: number) {
    this.#hashSeed = hashSeed;
  }

  get count(): number {
    return this.#count;
  }

  /** Numbers below this may be swarms; see {@link isFree}. */
  get end(): number {
    return this.#end;
  }

  get memoryBytes(): number {
    return this.#records.byteLength + this.#index.byteLength;
  }

  isFree(swarm: number): boolean {
    return this.get(swarm, LOG2) === FREE;
  }

  get(swarm: number, field: number): number {
    return this.#records[swarm * WORDS + field]!;
  }

  set(swarm: number, field: number, value: number): void {
    this.#records[swarm * WORDS + field] = value;
  }

  change(swarm: number, field: number, by: number): void {
    this.#records[swarm * WORDS + field]! += by;
  }

  /** Number of the swarm whose info hash is at `at`; -1 where there is none. */
  find(infoHash: Uint8Array, at: number): number {
    this.#setKey(infoHash, at);
    return this.#index[this.#place()]! - 1;
  }

  /** A new record, its fields all 0, for an info hash that has none. */
  add(infoHash: Uint8Array): number {
    this.#setKey(infoHash, 0);
    let swarm = this.#free - 1;
    if (swarm >= 0) this.#free = this.get(swarm, EMPTY_SINCE);
    else swarm = this.#grow();
    const at = swarm * WORDS;
    this.#records.fill(0, at, at + WORDS);
    this.#records.set(this.#key, at);
    this.#count++;
    if (this.#count * 2 > this.#index.length) this.#growIndex();
    this.#index[this.#place()] = swarm + 1;
    return swarm;
  }

  #grow(): number {
    const swarm = this.#end++;
    if (this.#end * WORDS > this.#records.length) {
      const larger = new Uint32Array(this.#records.length * 2);
      larger.set(this.#records);
      this.#records = larger;
    }
    return swarm;
  }

  remove(swarm: number): void {
    for (let i = 0; i < 5; i++) this.#key[i] = this.get(swarm, i);
    this.#unindex(this.#place());
    this.set(swarm, LOG2, FREE);
    this.set(swarm, EMPTY_SINCE, this.#free);
    this.#free = swarm + 1;
    this.#count--;
  }

  /** Where the key is in the index, or the free place where it belongs. */
  #place(): number {
    const mask = this.#index.length - 1;
    let place = this.#hash(this.#key, 0) & mask;
    for (;;) {
      const entry = this.#index[place]!;
      if (entry === 0 || this.#isKey(entry - 1)) return place;
      place = (place + 1) & mask;
    }
  }

  #isKey(swarm: number): boolean {
    const at = swarm * WORDS;
    for (let i = 0; i < 5; i++) if (this.#records[at + i] !== this.#key[i]) return false;
    return true;
  }

  #hash(words: Uint32Array, at: number): number {
    let hash = this.#hashSeed;
    for (let i = 0; i < 5; i++) hash = mix(hash, words[at + i]!);
    return finish(hash);
  }

  /** Frees a place and closes the gap, as PeerRuns does. */
  #unindex(place: number): void {
    const mask = this.#index.length - 1;
    let gap = place;
    for (let next = (place + 1) & mask; this.#index[next] !== 0; next = (next + 1) & mask) {
      const home = this.#hash(this.#records, (this.#index[next]! - 1) * WORDS) & mask;
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      this.#index[gap] = this.#index[next]!;
      gap = next;
    }
    this.#index[gap] = 0;
  }

  #growIndex(): void {
    const old = this.#index;
    this.#index = new Uint32Array(old.length * 2);
    const mask = this.#index.length - 1;
    for (const entry of old) {
      if (entry === 0) continue;
      let place = this.#hash(this.#records, (entry - 1) * WORDS) & mask;
      while (this.#index[place] !== 0) place = (place + 1) & mask;
      this.#index[place] = entry;
    }
  }

  #setKey(infoHash: Uint8Array, at: number): void {
    for (let i = 0; i < 5; i++) this.#key[i] = readU32(infoHash, at + 4 * i);
  }
}
