// Numbers for keys of a few words each, by an open-addressing table with a fixed bound: no object, no text a key. Memory is
// reserved for all of them, and used by the system as far as there are keys.
//
//   table: [number + 1 | 0 free]… of twice the bound        number -> words, hash; numbers that are free are used again

import { finish, mix } from '../table/mixing.ts';

export class WordKeys {
  /** The key in question; `find` and `add` are about it. */
  readonly key: Uint32Array;
  count = 0;
  readonly #words: number;
  readonly #seed: number;
  readonly #keys: Uint32Array;
  readonly #hashes: Uint32Array;
  readonly #table: Int32Array;
  readonly #free: Int32Array;
  #freeCount: number;

  /** Up to `most` keys, a power of two, of `words` words. `seed`: secret, so that nobody chooses what collides. */
  constructor(words: number, most: number, seed: number) {
    this.key = new Uint32Array(words);
    this.#words = words;
    this.#seed = seed;
    this.#keys = new Uint32Array(words * most);
    this.#hashes = new Uint32Array(most);
    this.#table = new Int32Array(2 * most);
    this.#free = new Int32Array(most);
    // Low numbers first.
    this.#freeCount = most;
    for (let i = 0; i < most; i++) this.#free[i] = most - 1 - i;
  }

  get isFull(): boolean {
    return this.#freeCount === 0;
  }

  /** -1 where it is not there. */
  find(): number {
    const hash = this.#hash();
    const mask = this.#table.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const number = this.#table[at]! - 1;
      if (number < 0) return -1;
      if (this.#hashes[number] === hash && this.#isKey(number)) return number;
    }
  }

  /** Adds the key, which must not be there. -1 where there is no room. */
  add(): number {
    if (this.isFull) return -1;
    const hash = this.#hash();
    const number = this.#free[--this.#freeCount]!;
    this.#keys.set(this.key, number * this.#words);
    this.#hashes[number] = hash;
    const mask = this.#table.length - 1;
    let at = hash & mask;
    while (this.#table[at] !== 0) at = (at + 1) & mask;
    this.#table[at] = number + 1;
    this.count++;
    return number;
  }

  word(number: number, i: number): number {
    return this.#keys[number * this.#words + i]!;
  }

  /** Closes the gap in the table: keys that were probed past it move up. */
  remove(number: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let gap = this.#hashes[number]! & mask;
    while (table[gap] !== number + 1) gap = (gap + 1) & mask;
    for (let next = (gap + 1) & mask; table[next] !== 0; next = (next + 1) & mask) {
      const home = this.#hashes[table[next]! - 1]! & mask;
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      table[gap] = table[next]!;
      gap = next;
    }
    table[gap] = 0;
    this.#free[this.#freeCount++] = number;
    this.count--;
  }

  #hash(): number {
    let hash = this.#seed;
    for (let i = 0; i < this.#words; i++) hash = mix(hash, this.key[i]!);
    return finish(hash);
  }

  #isKey(number: number): boolean {
    const at = number * this.#words;
    for (let i = 0; i < this.#words; i++) if (this.#keys[at + i] !== this.key[i]) return false;
    return true;
  }
}
