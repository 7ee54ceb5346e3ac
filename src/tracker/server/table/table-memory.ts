// The memory of a swarm table: control words, and segments that the arenas of the shards take and give back.
//
//   control   globals | a word a segment | counters of addresses | shard: lock, counts, free blocks, index, pages | shard …
//   segments  64 KiB each; an address is a word's number over all of them, 0 means none
//
// On one thread every segment has pages of its own, which leave the process when it is given back: a growable buffer gets
// them from the system, where an array of this size would get memory that the C library keeps. Several threads
// have all of it in shared memory: one buffer that grows, whose growth all see at once, without messages.

import { assert } from '../../../base/assert.ts';
import { Lock } from './lock.ts';

/** 64 KiB: small enough that 64 shards with little in them waste little, large enough for any block. */
export const SEGMENT_LOG2 = 14;
export const SEGMENT_WORDS: number = 1 << SEGMENT_LOG2;
const SEGMENT_BYTES: number = SEGMENT_WORDS * 4;
/** 4 GiB of segments: all that a growable buffer may have, and 50 million peers. */
const MAX_SEGMENTS = 65_535;

/** Global control words. */
export const HASH_SEED = 0;
export const SWARMS = 1;
export const PEERS = 2;
export const SEEDS_TOTAL = 3;
const POOL_LOCK = 4;
/** First free segment; 0: none. The words of the segments are the list's links while they are free. */
const POOL_FREE = 5;
/** Segments ever taken; number 0 is never given out, so that address 0 can mean none. */
const POOL_END = 6;
const POOL_IN_USE = 7;
const GLOBAL_WORDS = 64;
/** Counters of peers by address, and by address and swarm (AddressCounts). */
export const ADDRESSES_LOG2 = 16;
export const PAIRS_LOG2 = 18;
/** All control words before those of the shards. */
const FIRST_WORDS: number = GLOBAL_WORDS + MAX_SEGMENTS + 1 + 2 ** ADDRESSES_LOG2 + 2 ** PAIRS_LOG2;

/** What threads need to open the same table: plain data, to be passed to each. */
export interface SharedTableMemory {
  readonly control: SharedArrayBuffer;
  readonly segments: SharedArrayBuffer;
}

/** A buffer that can grow: Node 20 has it, the types of its standard do not. */
type Growable = SharedArrayBuffer & { grow(lengthBytes: number): void };
const GrowableBuffer = SharedArrayBuffer as unknown as new (
  lengthBytes: number,
  options: { maxByteLength: number },
) => Growable;

export class TableMemory {
  readonly control: Uint32Array;
  /** Where the counters of addresses and the shards' words begin; see {@link segmentWord} for what is before them. */
  readonly addressesAt: number = GLOBAL_WORDS + MAX_SEGMENTS + 1;
  readonly shardsAt: number = FIRST_WORDS;
  /** Null on one thread. */
  readonly shared: SharedTableMemory | null;
  readonly #ints: Int32Array;
  readonly #buffer: Growable | null;
  readonly #views: (Uint32Array | undefined)[] = [];
  readonly #poolLock: Lock;

  /** `shardWords`: control words of all shards together. `shared`: another thread's table, opened by this one too. */
  static local(shardWords: number): TableMemory {
    return new TableMemory(new ArrayBuffer((FIRST_WORDS + shardWords) * 4), null);
  }

  static newShared(shardWords: number): TableMemory {
    return TableMemory.open({
      control: new SharedArrayBuffer((FIRST_WORDS + shardWords) * 4),
      segments: new GrowableBuffer(0, { maxByteLength: (MAX_SEGMENTS + 1) * SEGMENT_BYTES }),
    });
  }

  static open(shared: SharedTableMemory): TableMemory {
    return new TableMemory(shared.control, shared);
  }

  private constructor(control: ArrayBuffer | SharedArrayBuffer, shared: SharedTableMemory | null) {
    this.control = new Uint32Array(control);
    this.#ints = new Int32Array(control);
    this.shared = shared;
    this.#buffer = (shared?.segments ?? null) as Growable | null;
    this.#poolLock = new Lock(this.#ints, POOL_LOCK);
  }

  /** The lock at a control word. */
  lock(at: number): Lock {
    return new Lock(this.#ints, at);
  }

  get memoryBytes(): number {
    return this.control[POOL_IN_USE]! * SEGMENT_BYTES;
  }

  /** Segments have numbers below this. */
  get segmentEnd(): number {
    return this.control[POOL_END]! + 1;
  }

  /** Where the arena's word about a segment is. */
  segmentWord(segment: number): number {
    return GLOBAL_WORDS + segment;
  }

  /** The words of the segment that an address is in; the rest of the address is the place in it. */
  view(address: number): Uint32Array {
    return this.#views[address >>> SEGMENT_LOG2] ?? this.#map(address >>> SEGMENT_LOG2);
  }

  /** Adds to a global count, which all threads share. */
  count(word: number, by: number): void {
    if (this.#buffer === null) this.control[word]! += by;
    else Atomics.add(this.control, word, by);
  }

  /** A segment, all 0; 0 where there is none left. */
  take(): number {
    if (this.#buffer !== null && !this.#poolLock.acquire()) return 0;
    const segment = this.#take();
    if (this.#buffer !== null) this.#poolLock.release();
    if (segment !== 0) this.view(segment << SEGMENT_LOG2).fill(0);
    return segment;
  }

  /** Gives a segment back that nothing points into. */
  give(segment: number): void {
    if (this.#buffer !== null && !this.#poolLock.acquire()) return;
    const word = this.segmentWord(segment);
    this.control[word] = this.control[POOL_FREE]!;
    this.control[POOL_FREE] = segment;
    this.control[POOL_IN_USE]!--;
    if (this.#buffer !== null) this.#poolLock.release();
    else this.#views[segment] = undefined;
  }

  /** Frees the pool's lock where a thread that is no more has it; what it was about to give back is lost. */
  recoverPool(owner: number): void {
    if (this.#poolLock.ownedBy(owner)) this.#poolLock.release();
  }

  #take(): number {
    const { control } = this;
    let segment = control[POOL_FREE]!;
    if (segment !== 0) control[POOL_FREE] = control[this.segmentWord(segment)]!;
    else if (control[POOL_END]! < MAX_SEGMENTS && this.#grow(control[POOL_END]! + 1)) segment = ++control[POOL_END]!;
    else return 0;
    control[this.segmentWord(segment)] = 0;
    control[POOL_IN_USE]!++;
    return segment;
  }

  /** False where the system has no memory for it. */
  #grow(segment: number): boolean {
    if (this.#buffer === null) return true;
    try {
      this.#buffer.grow((segment + 1) * SEGMENT_BYTES);
      return true;
    } catch {
      return false;
    }
  }

  #map(segment: number): Uint32Array {
    assert(segment > 0 && segment < this.segmentEnd, 'an address is in a segment that was taken');
    const view =
      this.#buffer === null
        ? new Uint32Array(new GrowableBuffer(SEGMENT_BYTES, { maxByteLength: SEGMENT_BYTES }), 0, SEGMENT_WORDS)
        : new Uint32Array(this.#buffer, segment * SEGMENT_BYTES, SEGMENT_WORDS);
    while (this.#views.length < segment) this.#views.push(undefined);
    this.#views[segment] = view;
    return view;
  }
}
