// Peers of one family in runs: hash tables of 2^k records by address and port, with linear probing and no tombstones,
// each in one block of a shard's arena.
//
//   IPv4 record   ip               | port 16, role 2, time 14 | peer id 5 words, where they are kept
//   IPv6 record   ip ip ip ip      | port 16, role 2, time 14 | likewise                    port 0: the record is free
//   web record    peer id 5 words  | 1 16,    role 2, time 14 | connection | address 16, thread 16
//
// A web peer is one of a WebSocket connection: known by its peer id, at a place: a connection of a thread. Of its address
// the hash is kept, for limits. That of a peer whose connection is at another tracker is ELSEWHERE and the number of that tracker.

import { readU32, writeU32 } from '../../../base/bytes.ts';
import type { Arena, Unit } from './arena.ts';
import { finish, mix } from './mixing.ts';
import { SEGMENT_WORDS, type TableMemory } from './table-memory.ts';

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
/** No run is larger: what is done to one in a turn has this bound. Larger swarms have several runs (PeerSets). */
export const RUN_LOG2 = 10;
/** In a run that is one of several nobody stands further from home: fuller ones are split. */
const MAX_PROBES = 64;

const ID_WORDS = 5;
/** Length of what a web peer is known by. */
const WEB_KEY = 20;
/** Stands where others have their thread: the web peer's connection is at another tracker. */
export const ELSEWHERE = 0;
/** Stands in the record of a web peer where others have their port: not 0, or it would be free. */
export const NO_PORT = 1;
const PLACE_WORDS = 2;
const IN_SEGMENT: number = SEGMENT_WORDS - 1;

/** The time of a record for a clock that shows `nowS`. */
export function timeOf(nowS: number): number {
  return Math.floor(nowS / TIME_UNIT_S) & TIME_MASK;
}

export class PeerRuns {
  /** Length in bytes of what peers are known by: an address of 4 or 16, for web peers a peer id of 20. */
  readonly keyLength: 4 | 16 | 20;
  /** A peer id of 20 bytes comes with each peer of an address. */
  readonly keepsIds: boolean;
  /** Bytes that come with each peer: its peer id or, of a web peer, its place. */
  readonly extraLength: number;
  /** A run of 2^k records is a block of `unit` and k + `unitLog2`. */
  readonly unit: Unit;
  readonly unitLog2: number;
  /** Words of a record, and which of them has port, role and time. */
  readonly words: number;
  readonly tail: number;
  /** Hash of the peer in question: its low bits are its home in a run, those above {@link RUN_LOG2} name the run. */
  hash = 0;
  readonly #memory: TableMemory;
  readonly #seed: number;
  /** The peer in question, as {@link setKey} left it. */
  readonly #key = new Uint32Array(5);
  readonly #extra = new Uint32Array(ID_WORDS);
  readonly #extraWords: number;
  #port = 0;

  /** `seed`: secret, so that nobody chooses addresses that collide. */
  constructor(memory: TableMemory, keyLength: 4 | 16 | 20, keepsIds: boolean, seed: number) {
    this.#memory = memory;
    this.#seed = seed;
    this.keyLength = keyLength;
    this.keepsIds = keepsIds && keyLength !== WEB_KEY;
    this.#extraWords = keyLength === WEB_KEY ? PLACE_WORDS : keepsIds ? ID_WORDS : 0;
    this.extraLength = 4 * this.#extraWords;
    this.tail = keyLength / 4;
    this.words = this.tail + 1 + this.#extraWords;
    this.unit = this.words === 7 ? 7 : this.words % 5 === 0 ? 5 : 1;
    this.unitLog2 = Math.log2(this.words / this.unit);
  }

  /** Names the peer that `find`, `insert` and `isKey` are about. */
  setKey(ip: Uint8Array, port: number): void {
    let hash = this.#seed ^ port;
    for (let i = 0; i < this.tail; i++) {
      const word = readU32(ip, 4 * i);
      this.#key[i] = word;
      hash = mix(hash, word);
    }
    this.#port = port;
    this.hash = finish(hash);
  }

  /** There is no peer in question: its port is 0. */
  get namesNobody(): boolean {
    return this.#port === 0;
  }

  /** Hash of the address of the peer in question: of an IPv6 one the first half; of a web peer its upper 16 bits. */
  address(): number {
    if (this.keyLength === WEB_KEY) return (this.#extra[1]! & 0xffff0000) >>> 0;
    const first = mix(this.#seed, this.#key[0]!);
    return finish(this.tail === 1 ? first : mix(first, this.#key[1]!));
  }

  /** Likewise of the record in a slot. */
  addressOf(run: number, slot: number): number {
    const memory = this.#memory.view(run);
    const at = (run & IN_SEGMENT) + slot * this.words;
    if (this.keyLength === WEB_KEY) return (memory[at + this.tail + 2]! & 0xffff0000) >>> 0;
    const first = mix(this.#seed, memory[at]!);
    return finish(this.tail === 1 ? first : mix(first, memory[at + 1]!));
  }

  /** The peer id that comes with the peer in question. */
  setId(peerId: Uint8Array): void {
    if (this.keepsIds) for (let i = 0; i < ID_WORDS; i++) this.#extra[i] = readU32(peerId, 4 * i);
  }

  /** The place of the web peer in question, and the hash of its address. */
  setPlace(thread: number, connection: number, address: number): void {
    this.#extra[0] = connection;
    this.#extra[1] = ((address & 0xffff0000) | thread) >>> 0;
  }

  /** The connection of a web peer; of one {@link ELSEWHERE} the tracker. */
  connectionOf(run: number, slot: number): number {
    return this.#memory.view(run)[(run & IN_SEGMENT) + slot * this.words + this.tail + 1]!;
  }

  /** The thread that has it. */
  threadOf(run: number, slot: number): number {
    return this.#memory.view(run)[(run & IN_SEGMENT) + slot * this.words + this.tail + 2]! & 0xffff;
  }

  /** An empty run of 2^log2 records; 0 where memory has ended. */
  allocate(arena: Arena, log2: number): number {
    return arena.allocate(this.unit, log2 + this.unitLog2);
  }

  release(arena: Arena, run: number, log2: number): void {
    arena.release(run, this.unit, log2 + this.unitLog2);
  }

  /** Slot of the peer in question; -1 where it is not in the run. */
  find(run: number, log2: number): number {
    const memory = this.#memory.view(run);
    const base = run & IN_SEGMENT;
    const mask = (1 << log2) - 1;
    let slot = this.hash & mask;
    for (let probed = 0; probed <= mask; probed++) {
      const at = base + slot * this.words;
      const tail = memory[at + this.tail]!;
      if (tail === 0) return -1;
      if (tail >>> 16 === this.#port && this.#hasKeyIp(memory, at)) return slot;
      slot = (slot + 1) & mask;
    }
    return -1;
  }

  /** Adds the peer in question, which must not be there. False where it would stand too far from its home. */
  insert(run: number, log2: number, role: number, time: number, bounded: boolean): boolean {
    const memory = this.#memory.view(run);
    const base = run & IN_SEGMENT;
    const mask = (1 << log2) - 1;
    const probes = bounded ? MAX_PROBES : mask + 1;
    let slot = this.hash & mask;
    let at = base + slot * this.words;
    for (let probed = 1; memory[at + this.tail] !== 0; probed++) {
      if (probed >= probes) return false;
      slot = (slot + 1) & mask;
      at = base + slot * this.words;
    }
    for (let i = 0; i < this.tail; i++) memory[at + i] = this.#key[i]!;
    memory[at + this.tail] = ((this.#port << 16) | role | time) >>> 0;
    for (let i = 0; i < this.#extraWords; i++) memory[at + this.tail + 1 + i] = this.#extra[i]!;
    return true;
  }

  /** Whether a run of 2^log2 records with `count` peers takes another. */
  hasRoom(count: number, log2: number): boolean {
    return log2 <= DENSE_LOG2 ? count < 1 << log2 : count < 0.8 * 2 ** log2;
  }

  /** With fewer peers than this a run of 2^log2 records becomes one of half the size, and has room there. */
  crowd(log2: number): number {
    return (log2 <= DENSE_LOG2 + 1 ? 0.4 : 0.3) * 2 ** log2;
  }

  /**
   * Copies the peers of a run into another one, which has room for them: all, or those of whose hash the bits in
   * `bits` are `wanted`.
   */
  copy(run: number, log2: number, target: number, targetLog2: number, bits = 0, wanted = 0): void {
    const memory = this.#memory.view(run);
    const into = this.#memory.view(target);
    const base = run & IN_SEGMENT;
    const targetBase = target & IN_SEGMENT;
    const mask = (1 << targetLog2) - 1;
    const { words, tail } = this;
    for (let slot = 0; slot < 1 << log2; slot++) {
      const from = base + slot * words;
      if (memory[from + tail] === 0) continue;
      const hash = this.#hashAt(memory, from);
      if ((hash & bits) !== wanted) continue;
      let to = targetBase + (hash & mask) * words;
      for (let next = hash & mask; into[to + tail] !== 0; to = targetBase + next * words) next = (next + 1) & mask;
      for (let i = 0; i < words; i++) into[to + i] = memory[from + i]!;
    }
  }

  /** How many peers are in a run. */
  countIn(run: number, log2: number): number {
    const memory = this.#memory.view(run);
    let count = 0;
    for (let slot = 0, at = (run & IN_SEGMENT) + this.tail; slot < 1 << log2; slot++, at += this.words) {
      if (memory[at] !== 0) count++;
    }
    return count;
  }

  /** Takes the record out and closes the gap: peers that were probed past it move up. */
  remove(run: number, log2: number, slot: number): void {
    const memory = this.#memory.view(run);
    const base = run & IN_SEGMENT;
    const mask = (1 << log2) - 1;
    const { words, tail } = this;
    let gap = slot;
    for (let next = (slot + 1) & mask; next !== slot; next = (next + 1) & mask) {
      const at = base + next * words;
      if (memory[at + tail] === 0) break;
      const home = this.#hashAt(memory, at) & mask;
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      memory.copyWithin(base + gap * words, at, at + words);
      gap = next;
    }
    memory.fill(0, base + gap * words, base + (gap + 1) * words);
  }

  /** Port, role and time of a slot; 0 where it is free. */
  tailOf(run: number, slot: number): number {
    return this.#memory.view(run)[(run & IN_SEGMENT) + slot * this.words + this.tail]!;
  }

  update(run: number, slot: number, role: number, time: number): void {
    const memory = this.#memory.view(run);
    const at = (run & IN_SEGMENT) + slot * this.words + this.tail;
    memory[at] = ((memory[at]! & 0xffff0000) | role | time) >>> 0;
    for (let i = 0; i < this.#extraWords; i++) memory[at + 1 + i] = this.#extra[i]!;
  }

  /** Whether the record at word `at` of `memory` is the peer in question. */
  isKey(memory: Uint32Array, at: number): boolean {
    return memory[at + this.tail]! >>> 16 === this.#port && this.#hasKeyIp(memory, at);
  }

  /** Writes the record at word `at` in compact form (BEP 23, BEP 7); of a web peer its peer id and two bytes. */
  write(memory: Uint32Array, at: number, into: DataView, intoAt: number): void {
    const { tail } = this;
    into.setUint32(intoAt, memory[at]!);
    for (let i = 1; i < tail; i++) into.setUint32(intoAt + 4 * i, memory[at + i]!);
    into.setUint16(intoAt + 4 * tail, memory[at + tail]! >>> 16);
  }

  /** Writes what comes with the record at word `at`: a peer id, or connection, address and thread. */
  writeExtra(memory: Uint32Array, at: number, into: Uint8Array, intoAt: number): void {
    for (let i = 0; i < this.#extraWords; i++) writeU32(into, intoAt + 4 * i, memory[at + this.tail + 1 + i]!);
  }

  #hasKeyIp(memory: Uint32Array, at: number): boolean {
    for (let i = 0; i < this.tail; i++) if (memory[at + i] !== this.#key[i]) return false;
    return true;
  }

  #hashAt(memory: Uint32Array, at: number): number {
    let hash = this.#seed ^ (memory[at + this.tail]! >>> 16);
    for (let i = 0; i < this.tail; i++) hash = mix(hash, memory[at + i]!);
    return finish(hash);
  }
}

/** The role in a record's tail. */
export function roleIn(tail: number): number {
  return tail & ROLE_MASK;
}

/** Seconds since the peer of a tail was heard, to the unit. */
export function ageIn(tail: number, time: number): number {
  return ((time - tail) & TIME_MASK) * TIME_UNIT_S;
}
