// Chance from a seed: xoshiro128** (Blackman and Vigna), its state filled by splitmix32.

import { utf8 } from '../../base/bytes.ts';
import type { Random } from '../../ports/random.ts';
import { digestOf } from './trace.ts';

/** Streams with another `seed` or `name` have nothing to do with each other. */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number, name: string) {
    let state = (Math.floor(seed / 2 ** 32) ^ Math.imul(seed | 0, 0x9e3779b1) ^ digestOf(utf8(name))) | 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      return word ^ (word >>> 15);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    // The one state that must not be is all zero.
    this.#d = next() | 1;
  }

  fill(bytes: Uint8Array): void {
    let word = 0;
    for (let at = 0; at < bytes.length; at++) {
      if ((at & 3) === 0) word = this.#next();
      bytes[at] = word;
      word >>>= 8;
    }
  }

  below(limit: number): number {
    return Math.floor(((this.#next() >>> 0) * limit) / 2 ** 32);
  }

  /** True once in `1 / probability` calls. */
  chance(probability: number): boolean {
    return probability > 0 && this.#next() >>> 0 < probability * 2 ** 32;
  }

  #next(): number {
    const scrambled = Math.imul(this.#b, 5);
    const out = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return out;
  }
}
