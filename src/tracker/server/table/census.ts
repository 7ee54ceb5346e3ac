// All swarms and what they have, in the order of their info hashes: taken from the table a bit at a time and kept for a
// while. What is gathered in a step is a run, sorted by itself; runs are merged when the census is read.
//
//   run:  records of 9 words, sorted: info hash 5 | seeds | leeches | downloaders | completed

import { writeU32 } from '../../../base/bytes.ts';
import type { SwarmCounts } from '../../protocol/http-reply-writer.ts';
import type { AccessRules } from '../access.ts';
import { Counts } from '../announce.ts';
import type { SwarmTable } from './swarm-table.ts';

const HASH_WORDS = 5;
const WORDS = 9;
/** Swarms of a run: to gather and sort it takes about a millisecond. */
const RUN = 1024;
/** Numbers looked at in a step, if few are swarms. */
const LOOKED = 8192;

export class Census {
  readonly runs: readonly Uint32Array[];

  constructor(runs: readonly Uint32Array[]) {
    this.runs = runs;
  }
}

export class CensusTaker {
  readonly #table: SwarmTable;
  readonly #access: AccessRules | null;
  readonly #runs: Uint32Array[] = [];
  readonly #counts = new Counts();
  readonly #hash = new Uint8Array(4 * HASH_WORDS);
  readonly #found = new Uint32Array(RUN * WORDS);
  #shard = 0;
  #swarm = 0;

  /** `access`: what it does not show is left out. */
  constructor(table: SwarmTable, access: AccessRules | null) {
    this.#table = table;
    this.#access = access;
  }

  /** Goes on for a millisecond or two; null: it is to be called again. Swarms that change meanwhile come as they were or are. */
  step(): Census | null {
    let found = 0;
    if (this.#shard < this.#table.shardCount) {
      // What a dead thread holds is emptied soon.
      if (this.#table.enterShard(this.#shard)) {
        found = this.#gather();
        this.#table.exit();
      } else this.#nextShard();
    }
    if (found > 0) this.#runs.push(sorted(this.#found, found));
    return this.#shard < this.#table.shardCount ? null : new Census(this.#runs);
  }

  /** Some swarms of the shard entered; returns how many were found. */
  #gather(): number {
    const { records } = this.#table.shard;
    let found = 0;
    for (let looked = 0; looked < LOOKED && found < RUN; looked++, this.#swarm++) {
      if (this.#swarm >= records.end) {
        this.#nextShard();
        break;
      }
      if (!records.isFree(this.#swarm) && this.#read(found * WORDS)) found++;
    }
    return found;
  }

  /** Notes the current swarm, unless there is nothing to tell of it. */
  #read(at: number): boolean {
    const { records } = this.#table.shard;
    const counts = this.#counts;
    counts.read(this.#table, this.#swarm);
    if (counts.seeds + counts.leeches + counts.completed === 0) return false;
    records.readHash(this.#swarm, this.#hash);
    if (this.#access?.shows(this.#hash, 0) === false) return false;
    for (let i = 0; i < HASH_WORDS; i++) this.#found[at + i] = records.get(this.#swarm, i);
    this.#found[at + 5] = counts.seeds;
    this.#found[at + 6] = counts.leeches;
    this.#found[at + 7] = counts.downloaders;
    this.#found[at + 8] = counts.completed;
    return true;
  }

  #nextShard(): void {
    this.#shard++;
    this.#swarm = 0;
  }
}

/** Reads a census once, swarm by swarm; the current one's counts are its fields. */
export class CensusReader implements SwarmCounts {
  readonly infoHash: Uint8Array = new Uint8Array(4 * HASH_WORDS);
  seeds = 0;
  leeches = 0;
  downloaders = 0;
  completed = 0;
  readonly #runs: readonly Uint32Array[];
  /** Where each run is read on. */
  readonly #at: Uint32Array;
  /** Runs that have not ended, a heap by their next info hash. */
  readonly #heap: Uint32Array;
  #size: number;
  #hasRead = false;

  constructor({ runs }: Census) {
    this.#runs = runs;
    this.#at = new Uint32Array(runs.length);
    this.#heap = Uint32Array.from(runs.keys());
    this.#size = runs.length;
    for (let place = (this.#size >>> 1) - 1; place >= 0; place--) this.#sink(place);
  }

  /** Goes to the next swarm; false where that was the last. One that was found twice is told once. */
  next(): boolean {
    while (this.#size > 0) {
      const number = this.#heap[0]!;
      const run = this.#runs[number]!;
      const at = this.#at[number]!;
      const isNew = !this.#hasRead || !this.#isCurrent(run, at);
      if (isNew) this.#read(run, at);
      this.#at[number] = at + WORDS;
      if (at + WORDS === run.length) this.#heap[0] = this.#heap[--this.#size]!;
      if (this.#size > 1) this.#sink(0);
      if (isNew) return true;
    }
    return false;
  }

  #read(run: Uint32Array, at: number): void {
    this.#hasRead = true;
    for (let i = 0; i < HASH_WORDS; i++) writeU32(this.infoHash, 4 * i, run[at + i]!);
    this.seeds = run[at + 5]!;
    this.leeches = run[at + 6]!;
    this.downloaders = run[at + 7]!;
    this.completed = run[at + 8]!;
  }

  #isCurrent(run: Uint32Array, at: number): boolean {
    const { infoHash } = this;
    for (let i = 0; i < 4 * HASH_WORDS; i++) {
      if (infoHash[i] !== ((run[at + (i >> 2)]! >>> (24 - 8 * (i & 3))) & 0xff)) return false;
    }
    return true;
  }

  #isBefore(one: number, two: number): boolean {
    return compare(this.#runs[one]!, this.#at[one]!, this.#runs[two]!, this.#at[two]!) < 0;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const moved = heap[from]!;
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#isBefore(heap[child]!, moved)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = moved;
  }
}

function sorted(found: Uint32Array, count: number): Uint32Array {
  const order = Uint16Array.from({ length: count }, (_, i) => i);
  order.sort((one, two) => compare(found, one * WORDS, found, two * WORDS));
  const run = new Uint32Array(count * WORDS);
  for (const [to, from] of order.entries()) run.set(found.subarray(from * WORDS, (from + 1) * WORDS), to * WORDS);
  return run;
}

function compare(one: Uint32Array, oneAt: number, two: Uint32Array, twoAt: number): number {
  for (let i = 0; i < HASH_WORDS; i++) {
    const difference = one[oneAt + i]! - two[twoAt + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
