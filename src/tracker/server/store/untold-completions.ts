// Completions that are in the swarm table and of which the store has not been told yet, by swarm and thread: in memory that all
// threads of a tracker share, like the table. What is in the table beyond them the store has counted, or is to count.
//
//   head 16: lock | seed | swarms | threads | slots       slots: info hash 5 | sum, 0 where it is free | of each thread…
//
// What is said of a swarm is said under the lock of its shard, so that its count and this fit together; the lock here keeps the
// slots in order, and is taken and let go within each call.

import { readU32, writeU32 } from '../../../base/bytes.ts';
import type { Random } from '../../../ports/random.ts';
import { Lock } from '../table/lock.ts';
import { finish, mix } from '../table/mixing.ts';

const SEED = 1;
const SWARMS = 2;
const THREADS = 3;
const SLOTS = 4;
const HEAD = 16;
const SUM = 5;
const COUNTS = 6;
/** Of which half are used, so that none is far from its place. Memory is used as far as there are any. */
const MOST_SLOTS: number = 1 << 18;
/** Of a thread, while another hangs in here: by then far more is wrong than these. */
const MOST_LATE: number = 1 << 16;

export class UntoldCompletions {
  readonly #words: Uint32Array;
  /** Null in memory of one thread. */
  readonly #lock: Lock | null;
  readonly #row: number;
  readonly #slotWords: number;
  readonly #mask: number;
  /** What was told while nobody got in here: it is taken out as soon as this thread does. */
  #late: { readonly infoHash: Uint8Array; readonly by: number }[] = [];
  /** Whoever is in here hangs, or has died: nobody waits for it again. */
  #isStuck = false;

  /** Memory for so many threads; `slots`: a power of two. */
  static memory(
    threads: number,
    random: Random,
    isShared: boolean,
    slots: number = MOST_SLOTS,
  ): ArrayBuffer | SharedArrayBuffer {
    const bytes = (HEAD + (COUNTS + threads) * slots) * 4;
    const memory = isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
    const head = new Uint32Array(memory, 0, HEAD);
    head[SEED] = random.below(2 ** 32);
    head[THREADS] = threads;
    head[SLOTS] = slots;
    return memory;
  }

  /** `row`: this thread among those of the memory. */
  constructor(memory: ArrayBuffer | SharedArrayBuffer, row: number) {
    this.#words = new Uint32Array(memory);
    this.#lock = memory instanceof ArrayBuffer ? null : new Lock(new Int32Array(memory, 0, HEAD), 0);
    this.#row = row;
    this.#slotWords = COUNTS + this.#words[THREADS]!;
    this.#mask = this.#words[SLOTS]! - 1;
  }

  /** Of all threads; -1 where that cannot be known now. */
  of(infoHash: Uint8Array): number {
    // Those of this swarm change under its shard's lock, which the caller has.
    if (this.#words[SWARMS] === 0) return 0;
    if (!this.#enter()) return -1;
    const sum = this.#words[this.#find(infoHash) + SUM]!;
    this.#lock?.release();
    return sum;
  }

  /** This thread has `by` more, or fewer. False where there is no room for more, or where that cannot be known now: they do not count here then. */
  change(infoHash: Uint8Array, by: number): boolean {
    if (!this.#enter()) {
      if (by < 0 && this.#late.length < MOST_LATE) this.#late.push({ infoHash: infoHash.slice(), by });
      return false;
    }
    const isDone = this.#change(infoHash, by);
    this.#lock?.release();
    return isDone;
  }

  /**
   * Forgets those of a thread that is no more (its number as {@link setLockOwner} had it), whose row another gets: nobody will tell
   * them, so they are told with the count of the table. False where another is in here that hangs, or is to be forgotten first.
   */
  forget(owner: number, row: number): boolean {
    if (this.#lock?.ownedBy(owner)) this.#mend(row);
    else if (!this.#enter()) return false;
    else for (let slot = 0; slot <= this.#mask; slot++) this.#empty(slot, row);
    this.#lock?.release();
    return true;
  }

  #enter(): boolean {
    if (this.#lock === null) return true;
    this.#isStuck = !this.#lock.acquire(!this.#isStuck);
    if (this.#isStuck) return false;
    if (this.#late.length > 0) {
      for (const { infoHash, by } of this.#late) this.#change(infoHash, by);
      this.#late = [];
    }
    return true;
  }

  /**
   * After a thread that died in here: its swarm may be half there, one that was to move up may be there twice. What the others have
   * stands in their words, which nobody else changes.
   */
  #mend(row: number): void {
    const words = this.#words;
    const infoHash = new Uint8Array(20);
    const kept: Uint32Array[] = [];
    for (let slot = 0; slot <= this.#mask; slot++) {
      const at = this.#at(slot);
      words[at + COUNTS + row] = 0;
      words[at + SUM] = 0;
      for (let count = COUNTS; count < this.#slotWords; count++) words[at + SUM]! += words[at + count]!;
      if (words[at + SUM] !== 0) kept.push(words.slice(at, at + this.#slotWords));
    }
    words.fill(0, HEAD);
    let swarms = 0;
    for (const slot of kept) {
      for (let i = 0; i < 5; i++) writeU32(infoHash, 4 * i, slot[i]!);
      const at = this.#find(infoHash);
      if (words[at + SUM] === 0) swarms++;
      words.set(slot, at);
    }
    words[SWARMS] = swarms;
  }

  #change(infoHash: Uint8Array, by: number): boolean {
    const words = this.#words;
    const at = this.#find(infoHash);
    if (words[at + SUM] === 0) {
      if (by <= 0) return true;
      if (words[SWARMS]! >= words[SLOTS]! / 2) return false;
      words[SWARMS]!++;
      for (let i = 0; i < 5; i++) words[at + i] = readU32(infoHash, 4 * i);
    }
    const own = at + COUNTS + this.#row;
    const change = Math.max(-words[own]!, by);
    words[own]! += change;
    words[at + SUM]! += change;
    if (words[at + SUM] === 0) this.#remove((at - HEAD) / this.#slotWords);
    return true;
  }

  /** Where the slot of a swarm is, or would be. */
  #find(infoHash: Uint8Array): number {
    const words = this.#words;
    let hash = words[SEED]!;
    for (let i = 0; i < 5; i++) hash = mix(hash, readU32(infoHash, 4 * i));
    for (let slot = finish(hash) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const at = this.#at(slot);
      if (words[at + SUM] === 0) return at;
      let same = 0;
      while (same < 5 && words[at + same] === readU32(infoHash, 4 * same)) same++;
      if (same === 5) return at;
    }
  }

  /** Takes those of a thread out of a slot. What moves into it from behind is looked at, too. */
  #empty(slot: number, row: number): void {
    const words = this.#words;
    const at = this.#at(slot);
    while (words[at + SUM] !== 0 && words[at + COUNTS + row] !== 0) {
      words[at + SUM]! -= words[at + COUNTS + row]!;
      words[at + COUNTS + row] = 0;
      if (words[at + SUM] !== 0) return;
      this.#remove(slot);
    }
  }

  /** Closes the gap: swarms that were probed past it move up. */
  #remove(removed: number): void {
    const words = this.#words;
    words[SWARMS]!--;
    let gap = removed;
    for (let next = (gap + 1) & this.#mask; words[this.#at(next) + SUM] !== 0; next = (next + 1) & this.#mask) {
      const home = this.#home(next);
      if (((next - home) & this.#mask) < ((next - gap) & this.#mask)) continue;
      words.copyWithin(this.#at(gap), this.#at(next), this.#at(next) + this.#slotWords);
      gap = next;
    }
    words.fill(0, this.#at(gap), this.#at(gap) + this.#slotWords);
  }

  #home(slot: number): number {
    let hash = this.#words[SEED]!;
    for (let i = 0; i < 5; i++) hash = mix(hash, this.#words[this.#at(slot) + i]!);
    return finish(hash) & this.#mask;
  }

  #at(slot: number): number {
    return HEAD + slot * this.#slotWords;
  }
}
