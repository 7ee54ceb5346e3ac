// Many small draws for the price of one: a xorshift generator seeded from the Random port. Good for breaking ties only.

import type { Random } from '../ports/random.ts';

/** Fast uniform numbers for tie-breaks; the same Random gives the same draws. Never for anything secret. */
export class Dice {
  #state: number;

  constructor(random: Random) {
    this.#state = random.below(0xffff_fffe) + 1;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return Math.floor(((x >>> 0) / 0x1_0000_0000) * limit);
  }
}
