// The records of one shard's swarms, in pages of a segment each. A swarm is known by its number, which it keeps.
//
//   pages: [segment][live 16 | first free + 1 16]…  ->  1024 records of 16 words: info hash 5 | fields, named below

import { readU32, writeU32 } from '../../../base/bytes.ts';
import type { Arena } from './arena.ts';
import { SEGMENT_LOG2, type TableMemory } from './table-memory.ts';

/** Families of peers, each with a set of its own: by address, and those of WebSocket connections, by peer id. */
export type Family = 0 | 1 | 2;
export const IPV4 = 0;
export const IPV6 = 1;
export const WEB = 2;

/** Fields of a swarm by word. Those of three words have one a family. */
export const ROOT = 5;
const SHAPES = 8;
export const COUNT = 9;
export const SEEDS = 12;
export const PARTIALS = 13;
export const COMPLETED = 14;
/** Second in which the last peer left; in a free record the next free one of its page, + 1. */
export const EMPTY_SINCE = 15;

/** The shapes of three sets share a word. */
const SHAPE_BITS = 10;
const SHAPE_MASK: number = (1 << SHAPE_BITS) - 1;

const WORDS_LOG2 = 4;
const WORDS: number = 1 << WORDS_LOG2;
const PAGE_LOG2: number = SEGMENT_LOG2 - WORDS_LOG2;
const PAGE_RECORDS: number = 1 << PAGE_LOG2;
const IN_PAGE: number = PAGE_RECORDS - 1;
/** In SHAPES of a free record. */
const FREE = 0xffffffff;

/** Control words: pages up to the last one in use, lowest page that may have room, live records; then the pages. */
const PAGE_END = 0;
const ROOM_AT = 1;
const LIVE = 2;
const PAGES = 3;

/** Pages for a shard of about `maxSwarms` swarms: shards fill alike, but not to the last one. */
export function pagesFor(maxSwarms: number): number {
  return Math.ceil((maxSwarms * 1.25) / PAGE_RECORDS) + 1;
}

/** Control words for so many pages. */
export function recordWords(pages: number): number {
  return PAGES + 2 * pages;
}

export class SwarmRecords {
  readonly #memory: TableMemory;
  readonly #arena: Arena;
  readonly #at: number;
  readonly #pages: number;

  constructor(memory: TableMemory, arena: Arena, at: number, pages: number) {
    this.#memory = memory;
    this.#arena = arena;
    this.#at = at;
    this.#pages = pages;
  }

  get count(): number {
    return this.#memory.control[this.#at + LIVE]!;
  }

  /** Numbers below this may be swarms; see {@link isFree}. */
  get end(): number {
    return this.#memory.control[this.#at + PAGE_END]! << PAGE_LOG2;
  }

  isFree(swarm: number): boolean {
    return this.#memory.control[this.#pageAt(swarm)] === 0 || this.get(swarm, SHAPES) === FREE;
  }

  get(swarm: number, field: number): number {
    return this.#view(swarm)[placeOf(swarm) + field]!;
  }

  set(swarm: number, field: number, value: number): void {
    this.#view(swarm)[placeOf(swarm) + field] = value;
  }

  /** The shape of a set; see PeerSets. */
  shape(swarm: number, family: Family): number {
    return (this.get(swarm, SHAPES) >>> (family * SHAPE_BITS)) & SHAPE_MASK;
  }

  setShape(swarm: number, family: Family, shape: number): void {
    const shift = family * SHAPE_BITS;
    this.set(swarm, SHAPES, (this.get(swarm, SHAPES) & ~(SHAPE_MASK << shift)) | (shape << shift));
  }

  /** Peers of all families. */
  countOf(swarm: number): number {
    const view = this.#view(swarm);
    const at = placeOf(swarm) + COUNT;
    return view[at]! + view[at + 1]! + view[at + 2]!;
  }

  change(swarm: number, field: number, by: number): void {
    this.#view(swarm)[placeOf(swarm) + field]! += by;
  }

  /** Whether the swarm has the info hash at `at`. */
  isHash(swarm: number, infoHash: Uint8Array, at: number): boolean {
    const view = this.#view(swarm);
    const place = placeOf(swarm);
    for (let i = 0; i < 5; i++) if (view[place + i] !== readU32(infoHash, at + 4 * i)) return false;
    return true;
  }

  readHash(swarm: number, into: Uint8Array): void {
    for (let i = 0; i < 5; i++) writeU32(into, 4 * i, this.get(swarm, i));
  }

  /** A new record, its fields all 0; -1 where there is no room. Low pages fill first, so that high ones run empty. */
  add(infoHash: Uint8Array): number {
    const { control } = this.#memory;
    let page = control[this.#at + ROOM_AT]!;
    while (page < this.#pages && control[this.#at + PAGES + 2 * page]! !== 0 && this.#firstFree(page) === 0) page++;
    control[this.#at + ROOM_AT] = page;
    if (page === this.#pages) return -1;
    const at = this.#at + PAGES + 2 * page;
    if (control[at] === 0 && !this.#openPage(page)) return -1;
    const swarm = (page << PAGE_LOG2) + this.#firstFree(page) - 1;
    control[at + 1] = (((control[at + 1]! & 0xffff) + 1) | (this.get(swarm, EMPTY_SINCE) << 16)) >>> 0;
    const view = this.#view(swarm);
    const place = placeOf(swarm);
    view.fill(0, place, place + WORDS);
    for (let i = 0; i < 5; i++) view[place + i] = readU32(infoHash, 4 * i);
    control[this.#at + LIVE]!++;
    return swarm;
  }

  /** Frees a record, and its page with the last one there. */
  remove(swarm: number): void {
    const { control } = this.#memory;
    const page = swarm >> PAGE_LOG2;
    const at = this.#pageAt(swarm);
    const live = (control[at + 1]! & 0xffff) - 1;
    this.set(swarm, SHAPES, FREE);
    this.set(swarm, EMPTY_SINCE, this.#firstFree(page));
    control[at + 1] = (live | (((swarm & IN_PAGE) + 1) << 16)) >>> 0;
    control[this.#at + LIVE]!--;
    if (page < control[this.#at + ROOM_AT]!) control[this.#at + ROOM_AT] = page;
    if (live === 0) this.#closePage(page);
  }

  /** Forgets all records; their pages have been given back. */
  reset(): void {
    this.#memory.control.fill(0, this.#at, this.#at + recordWords(this.#pages));
  }

  #openPage(page: number): boolean {
    const { control } = this.#memory;
    const segment = this.#arena.takePage();
    if (segment === 0) return false;
    const view = this.#memory.view(segment << SEGMENT_LOG2);
    for (let i = 0; i < PAGE_RECORDS; i++) {
      view[(i << WORDS_LOG2) + SHAPES] = FREE;
      view[(i << WORDS_LOG2) + EMPTY_SINCE] = i + 1 === PAGE_RECORDS ? 0 : i + 2;
    }
    control[this.#at + PAGES + 2 * page] = segment;
    control[this.#at + PAGES + 2 * page + 1] = 1 << 16;
    control[this.#at + PAGE_END] = Math.max(control[this.#at + PAGE_END]!, page + 1);
    return true;
  }

  #closePage(page: number): void {
    const { control } = this.#memory;
    const pages = this.#at + PAGES;
    this.#arena.givePage(control[pages + 2 * page]!);
    control[pages + 2 * page] = 0;
    let end = control[this.#at + PAGE_END]!;
    while (end > 0 && control[pages + 2 * (end - 1)] === 0) end--;
    control[this.#at + PAGE_END] = end;
  }

  /** In its page, + 1; 0 where the page is full. */
  #firstFree(page: number): number {
    return this.#memory.control[this.#at + PAGES + 2 * page + 1]! >>> 16;
  }

  #pageAt(swarm: number): number {
    return this.#at + PAGES + 2 * (swarm >> PAGE_LOG2);
  }

  #view(swarm: number): Uint32Array {
    return this.#memory.view(this.#memory.control[this.#pageAt(swarm)]! << SEGMENT_LOG2);
  }
}

/** Where a record begins in its page. */
function placeOf(swarm: number): number {
  return (swarm & IN_PAGE) << WORDS_LOG2;
}
