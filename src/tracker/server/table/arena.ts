// Blocks of memory for one shard, cut from segments: 1, 5 or 7 times a power of two words. Blocks that are given back
// are kept by size; a shard whose segments have become half empty moves house (see Sweep): its old segments take no more
// blocks, and each is given back when the last block has left it.
//
//   word of a segment:   used words 15 | owner 8 | page | old

import { SEGMENT_LOG2, SEGMENT_WORDS, type TableMemory } from './table-memory.ts';

/** Sizes come in these rows: powers of two (IPv4 peers, index), 5 (IPv6) and 7 (IPv4 with peer ids) times them. */
export type Unit = 1 | 5 | 7;

const USED = 0x7fff;
const OWNER_SHIFT = 16;
const OWNER = 0xff;
/** A page of swarm records: it has no blocks and stays where it is. */
const PAGE = 0x40000000;
const OLD = 0x80000000;

/** Control words of an arena. */
const BUMP = 0;
const BUMP_END = 1;
const SEGMENT_COUNT = 2;
const USED_WORDS = 3;
const FREE = 4;
const CLASSES_A_UNIT: number = SEGMENT_LOG2 + 1;
export const ARENA_WORDS: number = FREE + 3 * CLASSES_A_UNIT;

/** A shard moves house when less than this share of its memory is in use. */
const SPARSE = 0.7;

export class Arena {
  readonly #memory: TableMemory;
  readonly #at: number;
  readonly #owner: number;

  /** `at`: its {@link ARENA_WORDS} control words. `owner`: the shard's name on its segments, 1 to 255. */
  constructor(memory: TableMemory, at: number, owner: number) {
    this.#memory = memory;
    this.#at = at;
    this.#owner = owner;
  }

  /** Address of a block of `unit` << `log2` words, all 0; 0 where memory has ended. */
  allocate(unit: Unit, log2: number): number {
    const { control } = this.#memory;
    const size = unit << log2;
    let address = this.#popFree(unit, log2);
    if (address !== 0)
      this.#memory.view(address).fill(0, address & (SEGMENT_WORDS - 1), (address & (SEGMENT_WORDS - 1)) + size);
    else {
      if (control[this.#at + BUMP_END]! - control[this.#at + BUMP]! < size && !this.#nextSegment()) return 0;
      address = control[this.#at + BUMP]!;
      control[this.#at + BUMP] = address + size;
    }
    control[this.#memory.segmentWord(address >>> SEGMENT_LOG2)]! += size;
    control[this.#at + USED_WORDS]! += size;
    return address;
  }

  release(address: number, unit: Unit, log2: number): void {
    const { control } = this.#memory;
    const size = unit << log2;
    const word = this.#memory.segmentWord(address >>> SEGMENT_LOG2);
    control[word]! -= size;
    control[this.#at + USED_WORDS]! -= size;
    if ((control[word]! & OLD) === 0) this.#pushFree(address, unit, log2);
    else if ((control[word]! & USED) === 0) this.#give(address >>> SEGMENT_LOG2);
  }

  /** A whole segment for swarm records; 0 where memory has ended. */
  takePage(): number {
    const segment = this.#memory.take();
    if (segment !== 0) {
      this.#memory.control[this.#memory.segmentWord(segment)] = PAGE | (this.#owner << OWNER_SHIFT);
    }
    return segment;
  }

  givePage(segment: number): void {
    this.#memory.give(segment);
  }

  /** Whether so much is free in so many segments that moving pays. */
  get isSparse(): boolean {
    const { control } = this.#memory;
    const segments = control[this.#at + SEGMENT_COUNT]!;
    const used = control[this.#at + USED_WORDS]!;
    return used < SPARSE * (segments - 1) * SEGMENT_WORDS || (used === 0 && segments > 0);
  }

  /** From now on all blocks there are live in old segments: every owner of one has to {@link isOld} it and move. */
  startMoving(): void {
    const { control, segmentEnd } = this.#memory;
    control.fill(0, this.#at + FREE, this.#at + FREE + 3 * CLASSES_A_UNIT);
    control[this.#at + BUMP] = 0;
    control[this.#at + BUMP_END] = 0;
    for (let segment = 1; segment < segmentEnd; segment++) {
      const word = this.#memory.segmentWord(segment);
      if (!this.#owns(control[word]!)) continue;
      control[word] = (control[word]! | OLD) >>> 0;
      if ((control[word]! & USED) === 0) this.#give(segment);
    }
  }

  /** After the move: what could not leave an old segment, for want of memory, stays there. */
  stopMoving(): void {
    const { control, segmentEnd } = this.#memory;
    for (let segment = 1; segment < segmentEnd; segment++) {
      const word = this.#memory.segmentWord(segment);
      if (this.#owns(control[word]!)) control[word] = (control[word]! & ~OLD) >>> 0;
    }
  }

  isOld(address: number): boolean {
    return (this.#memory.control[this.#memory.segmentWord(address >>> SEGMENT_LOG2)]! & OLD) !== 0;
  }

  /** Gives everything back, pages too, whatever points there: the shard begins anew. */
  reset(): void {
    const { control, segmentEnd } = this.#memory;
    for (let segment = 1; segment < segmentEnd; segment++) {
      const word = control[this.#memory.segmentWord(segment)]!;
      const isPage = (word & PAGE) !== 0 && ((word >>> OWNER_SHIFT) & OWNER) === this.#owner;
      if (isPage || this.#owns(word)) this.#memory.give(segment);
    }
    control.fill(0, this.#at, this.#at + ARENA_WORDS);
  }

  #owns(word: number): boolean {
    // A free segment's word is a link, below 2^16: it has no owner.
    return (word & PAGE) === 0 && ((word >>> OWNER_SHIFT) & OWNER) === this.#owner;
  }

  #give(segment: number): void {
    this.#memory.control[this.#at + SEGMENT_COUNT]!--;
    this.#memory.give(segment);
  }

  #nextSegment(): boolean {
    const { control } = this.#memory;
    const segment = this.#memory.take();
    if (segment === 0) return false;
    this.#keepRest(control[this.#at + BUMP]!, control[this.#at + BUMP_END]!);
    control[this.#memory.segmentWord(segment)] = this.#owner << OWNER_SHIFT;
    control[this.#at + SEGMENT_COUNT]!++;
    control[this.#at + BUMP] = segment * SEGMENT_WORDS;
    control[this.#at + BUMP_END] = (segment + 1) * SEGMENT_WORDS;
    return true;
  }

  /** What is left of a segment becomes free blocks. */
  #keepRest(start: number, end: number): void {
    for (let at = start; at < end; ) {
      const log2 = 31 - Math.clz32(end - at);
      this.#pushFree(at, 1, log2);
      at += 1 << log2;
    }
  }

  #freeWord(unit: Unit, log2: number): number {
    return this.#at + FREE + (unit === 1 ? 0 : unit === 5 ? CLASSES_A_UNIT : 2 * CLASSES_A_UNIT) + log2;
  }

  #pushFree(address: number, unit: Unit, log2: number): void {
    const word = this.#freeWord(unit, log2);
    this.#memory.view(address)[address & (SEGMENT_WORDS - 1)] = this.#memory.control[word]!;
    this.#memory.control[word] = address;
  }

  /** A free block of the size, or half of a larger one. */
  #popFree(unit: Unit, log2: number): number {
    const { control } = this.#memory;
    let from = log2;
    while (unit << from <= SEGMENT_WORDS && control[this.#freeWord(unit, from)] === 0) from++;
    if (unit << from > SEGMENT_WORDS) return 0;
    const word = this.#freeWord(unit, from);
    const address = control[word]!;
    control[word] = this.#memory.view(address)[address & (SEGMENT_WORDS - 1)]!;
    while (from > log2) this.#pushFree(address + (unit << --from), unit, from);
    return address;
  }
}
