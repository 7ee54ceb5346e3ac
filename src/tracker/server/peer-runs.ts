// Memory for the peers of all swarms, one object a family. A swarm's peers are a run: a hash table of 2^k records by
// address and port, with linear probing and no tombstones, inside one array of 32-bit words that all runs share.
//
//   IPv4 record   ip            | port 16, role 2, time 14        2 words
//   IPv6 record   ip ip ip ip   | port 16, role 2, time 14        5 words      port 0: the record is free

import { readU32, writeU16, writeU32 } from '../../base/bytes.ts';
import type { Random } from '../../ports/random.ts';

/** What a peer is, as bits of its record. A partial seed has less than all and wants no more (BEP 21). */
export const LEECH = 0;
export const PARTIAL_SEED = 0x4000;
export const SEED = 0x8000;
const ROLE_MASK = 0xc000;
const TIME_MASK = 0x3fff;

/** Seconds in a unit of a record's time: 14 bits of them come round after 36 hours. */
export const TIME_UNIT_S = 8;
/** Longest age in seconds that can be told from a young one. */
export const LONGEST_AGE_S: number = (TIME_MASK - 64) * TIME_UNIT_S;

/** Runs up to this size may be full: to look through all of it costs less than the memory that room would. */
const DENSE_LOG2 = 6;
/** No run has more records, so that word offsets stay below 2^32: 2^26 peers in one swarm. */
const MAX_LOG2 = 26;
const FIRST_WORDS = 1024;

/** The time of a record for a clock that shows `nowS`. */
export function timeOf(nowS: number): number {
  return Math.floor(nowS / TIME_UNIT_S) & TIME_MASK;
}

export class PeerRuns {
  /** Length of an address in bytes: 4 or 16. */
  readonly ipLength: number;
  readonly #words: number;
  readonly #seed: number;
  readonly #random: Random;
  #memory: Uint32Array = new Uint32Array(FIRST_WORDS);
  /** Offset behind the last run; offset 0 is never given out, so that it can mean "none". */
  #end = 1;
  /** Released runs by the logarithm of their size: a list through their first words. */
  readonly #free = new Uint32Array(MAX_LOG2 + 1);
  /** The peer in question, as {@link setKey} left it. */
  readonly #key = new Uint32Array(4);
  #port = 0;

  constructor(ipLength: 4 | 16, random: Random) {
    this.ipLength = ipLength;
    this.#words = ipLength / 4 + 1;
    this.#seed = random.below(2 ** 32);
    this.#random = random;
  }

  get memoryBytes(): number {
    return this.#memory.byteLength;
  }

  /** Names the peer that `find`, `insert` and `pick` are about. */
  setKey(ip: Uint8Array, port: number): void {
    for (let i = 0; i < this.#words - 1; i++) this.#key[i] = readU32(ip, 4 * i);
    this.#port = port;
  }

  /** An empty run of 2^log2 records; its offset is never 0. */
  allocate(log2: number): number {
    const length = this.#words << log2;
    const released = this.#free[log2]!;
    if (released !== 0) {
      this.#free[log2] = this.#memory[released]!;
      this.#memory.fill(0, released, released + length);
      return released;
    }
    const offset = this.#end;
    this.#end += length;
    if (this.#end > this.#memory.length) {
      const larger = new Uint32Array(Math.max(this.#end, this.#memory.length * 2));
      larger.set(this.#memory);
      this.#memory = larger;
    }
    return offset;
  }

  release(offset: number, log2: number): void {
    this.#memory[offset] = this.#free[log2]!;
    this.#free[log2] = offset;
  }

  /** Slot of the peer in question; -1 where it is not in the run. */
  find(offset: number, log2: number): number {
    const size = 1 << log2;
    let slot = this.#hashOfKey() & (size - 1);
    for (let probed = 0; probed < size; probed++) {
      const at = offset + slot * this.#words;
      if (this.#memory[at + this.#words - 1] === 0) return -1;
      if (this.#isKey(at)) return slot;
      slot = (slot + 1) & (size - 1);
    }
    return -1;
  }

  /** Adds the peer in question, which must not be there, to a run that {@link hasRoom}. */
  insert(offset: number, log2: number, role: number, time: number): void {
    const mask = (1 << log2) - 1;
    let slot = this.#hashOfKey() & mask;
    while (this.#tail(offset, slot) !== 0) slot = (slot + 1) & mask;
    const at = offset + slot * this.#words;
    for (let i = 0; i < this.#words - 1; i++) this.#memory[at + i] = this.#key[i]!;
    this.#memory[at + this.#words - 1] = ((this.#port << 16) | role | time) >>> 0;
  }

  /** Whether a run of 2^log2 records with `count` peers takes another. */
  hasRoom(count: number, log2: number): boolean {
    const size = 2 ** log2;
    return log2 <= DENSE_LOG2 ? count < size : count < size * 0.8;
  }

  /** Whether a larger run can be had. */
  canGrow(log2: number): boolean {
    return log2 < MAX_LOG2;
  }

  /** The run's peers in a new run of another size, big enough for them; the old one is released. */
  resize(offset: number, log2: number, newLog2: number): number {
    const target = this.allocate(newLog2);
    const mask = (1 << newLog2) - 1;
    const memory = this.#memory;
    const words = this.#words;
    for (let slot = 0; slot < 1 << log2; slot++) {
      const from = offset + slot * words;
      if (memory[from + words - 1] === 0) continue;
      let to = this.#hashAt(from) & mask;
      while (memory[target + to * words + words - 1] !== 0) to = (to + 1) & mask;
      memory.copyWithin(target + to * words, from, from + words);
    }
    this.release(offset, log2);
    return target;
  }

  /** Takes the record out and closes the gap: peers that were probed past it move up. */
  remove(offset: number, log2: number, slot: number): void {
    const mask = (1 << log2) - 1;
    const memory = this.#memory;
    const words = this.#words;
    let gap = slot;
    for (let next = (slot + 1) & mask; next !== slot; next = (next + 1) & mask) {
      const at = offset + next * words;
      if (memory[at + words - 1] === 0) break;
      const home = this.#hashAt(at) & mask;
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      memory.copyWithin(offset + gap * words, at, at + words);
      gap = next;
    }
    memory.fill(0, offset + gap * words, offset + (gap + 1) * words);
  }

  isFree(offset: number, slot: number): boolean {
    return this.#tail(offset, slot) === 0;
  }

  role(offset: number, slot: number): number {
    return this.#tail(offset, slot) & ROLE_MASK;
  }

  /** Seconds since the peer was heard, to the unit. */
  ageS(offset: number, slot: number, time: number): number {
    return ((time - this.#tail(offset, slot)) & TIME_MASK) * TIME_UNIT_S;
  }

  update(offset: number, slot: number, role: number, time: number): void {
    const at = offset + slot * this.#words + this.#words - 1;
    this.#memory[at] = ((this.#memory[at]! & 0xffff0000) | role | time) >>> 0;
  }

  /**
   * Writes up to `wanted` peers of the run in compact form (BEP 23, BEP 7) into `into` and returns their number. The
   * peer in question is left out, and without `seedsToo` all that download no more. A random start and a random odd
   * stride visit each slot at most once and every slot with the same probability: no peer is favoured, none comes twice.
   */
  pick(offset: number, log2: number, wanted: number, seedsToo: boolean, into: Uint8Array): number {
    const mask = (1 << log2) - 1;
    const stride = this.#random.below(mask + 1) | 1;
    let slot = this.#random.below(mask + 1);
    // In a swarm of many seeds a seed would look at all of them to find a leech.
    const visits = Math.min(mask + 1, 16 * wanted + 256);
    let picked = 0;
    for (let visited = 0; visited < visits && picked < wanted; visited++, slot = (slot + stride) & mask) {
      const at = offset + slot * this.#words;
      const tail = this.#memory[at + this.#words - 1]!;
      if (tail === 0 || (!seedsToo && (tail & ROLE_MASK) !== LEECH) || this.#isKey(at)) continue;
      this.write(offset, slot, into, picked * (this.ipLength + 2));
      picked++;
    }
    return picked;
  }

  /** Writes one peer in compact form. */
  write(offset: number, slot: number, into: Uint8Array, at: number): void {
    const from = offset + slot * this.#words;
    for (let i = 0; i < this.#words - 1; i++) writeU32(into, at + 4 * i, this.#memory[from + i]!);
    writeU16(into, at + this.ipLength, this.#tail(offset, slot) >>> 16);
  }

  #tail(offset: number, slot: number): number {
    return this.#memory[offset + slot * this.#words + this.#words - 1]!;
  }

  #isKey(at: number): boolean {
    const last = this.#words - 1;
    if (this.#memory[at + last]! >>> 16 !== this.#port) return false;
    for (let i = 0; i < last; i++) if (this.#memory[at + i] !== this.#key[i]) return false;
    return true;
  }

  #hashOfKey(): number {
    let hash = this.#seed ^ this.#port;
    for (let i = 0; i < this.#words - 1; i++) hash = mix(hash, this.#key[i]!);
    return finish(hash);
  }

  #hashAt(at: number): number {
    let hash = this.#seed ^ (this.#memory[at + this.#words - 1]! >>> 16);
    for (let i = 0; i < this.#words - 1; i++) hash = mix(hash, this.#memory[at + i]!);
    return finish(hash);
  }
}

/** One round of MurmurHash3. Its seed is secret, so that nobody chooses addresses that collide. */
export function mix(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** The finaliser of MurmurHash3: every bit of the hash depends on every bit mixed in. */
export function finish(hash: number): number {
  let out = hash ^ (hash >>> 16);
  out = Math.imul(out, 0x85ebca6b);
  out ^= out >>> 13;
  out = Math.imul(out, 0xc2b2ae35);
  return (out ^ (out >>> 16)) >>> 0;
}
