// A set of binary keys with a number each, in shared memory: one thread writes, any thread asks, nobody locks.
//
//   [seed][mask][words of a key][slots used]  ->  slots [value][key …]
//
// A slot's value is written last and taken away first, so that who finds a value finds its key. Memory of a table never
// moves: one that is full is copied into a larger one, and readers are handed that.

/** Values that mean no key: never used, used and taken out. */
const EMPTY = 0;
const GONE = 0xffff_ffff;

const SEED = 0;
const MASK = 1;
const KEY_WORDS = 2;
const USED = 3;
const HEAD = 4;

export class KeyTable {
  readonly memory: SharedArrayBuffer;
  readonly #words: Uint32Array;
  readonly #mask: number;
  readonly #keyWords: number;
  readonly #key: Uint32Array;

  /** An empty table with room for `room` keys of `keyBytes` (a multiple of 4). `seed`: nobody chooses what collides. */
  static create(keyBytes: number, room: number, seed: number): KeyTable {
    // Three quarters full at most, those taken out included.
    const slots = 2 ** Math.max(4, Math.ceil(Math.log2((room * 4) / 3 + 1)));
    const keyWords = keyBytes / 4;
    const words = new Uint32Array(new SharedArrayBuffer(4 * (HEAD + slots * (1 + keyWords))));
    words.set([seed, slots - 1, keyWords, 0]);
    return new KeyTable(words.buffer as SharedArrayBuffer);
  }

  /** The table that is in `memory`. */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Uint32Array(memory);
    this.#mask = this.#words[MASK]!;
    this.#keyWords = this.#words[KEY_WORDS]!;
    this.#key = new Uint32Array(this.#keyWords);
  }

  /** The number of the key that begins at byte `at`; 0: it is not there. */
  get(bytes: Uint8Array, at = 0): number {
    const slot = this.#find(bytes, at);
    return slot < 0 ? 0 : this.#words[slot]!;
  }

  /** Adds a key, or changes its number (1 to 0xfffffffe). False: the table is full, see {@link enlarged}. */
  set(bytes: Uint8Array, value: number): boolean {
    const known = this.#find(bytes, 0);
    if (known >= 0) {
      Atomics.store(this.#words, known, value);
      return true;
    }
    if ((this.#words[USED]! + 1) * 4 > (this.#mask + 1) * 3) return false;
    this.#put(value);
    return true;
  }

  delete(bytes: Uint8Array): void {
    const slot = this.#find(bytes, 0);
    if (slot >= 0) Atomics.store(this.#words, slot, GONE);
  }

  /** A table with the same keys and room for as many more. */
  enlarged(): KeyTable {
    const step = 1 + this.#keyWords;
    let keys = 0;
    for (let at = HEAD; at < this.#words.length; at += step) if (isKey(this.#words[at]!)) keys++;
    const larger = KeyTable.create(4 * this.#keyWords, Math.max(16, 2 * keys), this.#words[SEED]!);
    for (let at = HEAD; at < this.#words.length; at += step) {
      if (!isKey(this.#words[at]!)) continue;
      for (let i = 0; i < this.#keyWords; i++) larger.#key[i] = this.#words[at + 1 + i]!;
      larger.#put(this.#words[at]!);
    }
    return larger;
  }

  /** Place of the key's slot, or -1. Leaves its words in #key. */
  #find(bytes: Uint8Array, at: number): number {
    const words = this.#words;
    const key = this.#key;
    for (let i = 0, b = at; i < key.length; i++, b += 4) {
      key[i] = bytes[b]! | (bytes[b + 1]! << 8) | (bytes[b + 2]! << 16) | (bytes[b + 3]! << 24);
    }
    const step = 1 + key.length;
    for (let place = this.#hash(); ; place = (place + 1) & this.#mask) {
      const slot = HEAD + place * step;
      const value = Atomics.load(words, slot);
      if (value === EMPTY) return -1;
      if (value === GONE) continue;
      let i = 0;
      while (i < key.length && words[slot + 1 + i] === key[i]) i++;
      if (i === key.length) return slot;
    }
  }

  /** Puts the key in #key, which is not there, into a free slot. Slots of keys taken out wait for the next table. */
  #put(value: number): void {
    const words = this.#words;
    const step = 1 + this.#keyWords;
    let place = this.#hash();
    while (words[HEAD + place * step] !== EMPTY) place = (place + 1) & this.#mask;
    const slot = HEAD + place * step;
    words.set(this.#key, slot + 1);
    words[USED]!++;
    Atomics.store(words, slot, value);
  }

  #hash(): number {
    let hash = this.#words[SEED]!;
    for (let i = 0; i < this.#key.length; i++) {
      hash = Math.imul(hash ^ this.#key[i]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash & this.#mask;
  }
}

function isKey(value: number): boolean {
  return value !== EMPTY && value !== GONE;
}
