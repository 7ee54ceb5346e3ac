// Finds the swarms of a shard by info hash: many small hash tables, of which one grows at a time, so that no announce
// waits until all entries have been moved.
//
//   buckets: [address of a table][log2 of its size 8 | entries 24]…  ->  [hash][number of the swarm + 1]…

import type { Arena } from './arena.ts';
import type { SwarmRecords } from './swarm-records.ts';
import { SEGMENT_WORDS, type TableMemory } from './table-memory.ts';

/** Entries of a bucket when the shard is full, on average. */
const BUCKET_ENTRIES = 256;
/** No bucket comes near this: hashes are keyed, nobody chooses what falls into one. */
const MAX_TABLE_LOG2 = 12;
const ENTRIES = 0xffffff;
const IN_SEGMENT: number = SEGMENT_WORDS - 1;

/** Logarithm of how many buckets a shard of about `maxSwarms` swarms has. */
export function bucketsLog2For(maxSwarms: number): number {
  return Math.min(14, Math.max(0, Math.ceil(Math.log2(maxSwarms / BUCKET_ENTRIES))));
}

/** Control words for so many buckets. */
export function lookupWords(bucketsLog2: number): number {
  return 2 << bucketsLog2;
}

export class SwarmLookup {
  readonly buckets: number;
  readonly #memory: TableMemory;
  readonly #arena: Arena;
  readonly #records: SwarmRecords;
  readonly #at: number;

  constructor(memory: TableMemory, arena: Arena, records: SwarmRecords, at: number, bucketsLog2: number) {
    this.#memory = memory;
    this.#arena = arena;
    this.#records = records;
    this.#at = at;
    this.buckets = 1 << bucketsLog2;
  }

  /** Number of the swarm whose info hash is at `at`; -1 where there is none. `hash`: 32 bits that stand for it. */
  find(infoHash: Uint8Array, at: number, hash: number): number {
    const bucket = this.#bucketOf(hash);
    const address = this.#memory.control[bucket]!;
    if (address === 0) return -1;
    const mask = this.#mask(bucket);
    const table = this.#memory.view(address);
    const base = address & IN_SEGMENT;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = table[base + 2 * slot + 1]!;
      if (entry === 0) return -1;
      if (table[base + 2 * slot] === hash && this.#records.isHash(entry - 1, infoHash, at)) return entry - 1;
    }
  }

  /** Sees to it that {@link add} has room for another entry. False where there is none. */
  reserve(hash: number): boolean {
    const bucket = this.#bucketOf(hash);
    const { control } = this.#memory;
    if (control[bucket] === 0) return this.#resize(bucket, 1);
    const log2 = control[bucket + 1]! >>> 24;
    const entries = control[bucket + 1]! & ENTRIES;
    // Three quarters full at most, so that probing stays short.
    if (4 * (entries + 1) <= 3 << log2) return true;
    return log2 < MAX_TABLE_LOG2 && this.#resize(bucket, log2 + 1);
  }

  add(hash: number, swarm: number): void {
    const bucket = this.#bucketOf(hash);
    this.#put(this.#memory.control[bucket]!, this.#mask(bucket), hash, swarm + 1);
    this.#memory.control[bucket + 1]!++;
  }

  /** Takes an entry out and closes the gap. */
  remove(hash: number, swarm: number): void {
    const bucket = this.#bucketOf(hash);
    const { control } = this.#memory;
    const address = control[bucket]!;
    const mask = this.#mask(bucket);
    const table = this.#memory.view(address);
    const base = address & IN_SEGMENT;
    let gap = hash & mask;
    while (table[base + 2 * gap + 1] !== swarm + 1) gap = (gap + 1) & mask;
    for (let next = (gap + 1) & mask; table[base + 2 * next + 1] !== 0; next = (next + 1) & mask) {
      if (((next - (table[base + 2 * next]! & mask)) & mask) < ((next - gap) & mask)) continue;
      table[base + 2 * gap] = table[base + 2 * next]!;
      table[base + 2 * gap + 1] = table[base + 2 * next + 1]!;
      gap = next;
    }
    table[base + 2 * gap + 1] = 0;
    control[bucket + 1]!--;
    this.#shrink(bucket);
  }

  /** Moves the table of a bucket out of an old segment. Returns how many slots that were. */
  move(bucket: number): number {
    const at = this.#at + 2 * bucket;
    const address = this.#memory.control[at]!;
    if (address === 0 || !this.#arena.isOld(address)) return 0;
    const log2 = this.#memory.control[at + 1]! >>> 24;
    this.#resize(at, log2);
    return 1 << log2;
  }

  /** Forgets all entries; their tables have been given back. */
  reset(): void {
    this.#memory.control.fill(0, this.#at, this.#at + 2 * this.buckets);
  }

  #shrink(bucket: number): void {
    const { control } = this.#memory;
    const log2 = control[bucket + 1]! >>> 24;
    const entries = control[bucket + 1]! & ENTRIES;
    if (entries === 0) {
      this.#arena.release(control[bucket]!, 1, log2 + 1);
      control[bucket] = 0;
      control[bucket + 1] = 0;
    } else if (log2 > 1 && entries < 2 ** log2 / 8) this.#resize(bucket, log2 - 1);
  }

  #resize(bucket: number, log2: number): boolean {
    const { control } = this.#memory;
    const address = this.#arena.allocate(1, log2 + 1);
    if (address === 0) return false;
    const before = control[bucket]!;
    const word = control[bucket + 1]!;
    if (before !== 0) {
      const table = this.#memory.view(before);
      const base = before & IN_SEGMENT;
      for (let slot = 0; slot < 1 << (word >>> 24); slot++) {
        const entry = table[base + 2 * slot + 1]!;
        if (entry !== 0) this.#put(address, (1 << log2) - 1, table[base + 2 * slot]!, entry);
      }
      this.#arena.release(before, 1, (word >>> 24) + 1);
    }
    control[bucket] = address;
    control[bucket + 1] = ((log2 << 24) | (word & ENTRIES)) >>> 0;
    return true;
  }

  #put(address: number, mask: number, hash: number, entry: number): void {
    const table = this.#memory.view(address);
    const base = address & IN_SEGMENT;
    let slot = hash & mask;
    while (table[base + 2 * slot + 1] !== 0) slot = (slot + 1) & mask;
    table[base + 2 * slot] = hash;
    table[base + 2 * slot + 1] = entry;
  }

  /** Control word of the bucket of a hash, by its middle bits: a table uses the lower ones, the topmost name the shard. */
  #bucketOf(hash: number): number {
    return this.#at + 2 * ((hash >>> MAX_TABLE_LOG2) & (this.buckets - 1));
  }

  #mask(bucket: number): number {
    return (1 << (this.#memory.control[bucket + 1]! >>> 24)) - 1;
  }
}
