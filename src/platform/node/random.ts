// Chance from the system: crypto for keys and ids, a small generator seeded by it for rules.

import { randomFillSync } from 'node:crypto';
import { assert } from '../../base/assert.ts';
import type { Random } from '../../ports/random.ts';

export function createNodeRandom(): Random {
  let state: Uint32Array | null = null;
  return {
    fill: (bytes) => {
      randomFillSync(bytes);
    },
    below: (limit) => {
      assert(limit >= 1 && limit <= 2 ** 32, 'limit of a random number is 1 to 2^32');
      state ??= seed();
      // The largest 32-bit number times 2^-32 is below 1 by 2^-32, so that the product stays below every such limit.
      return Math.floor(next(state) * 2 ** -32 * limit);
    },
  };
}

function seed(): Uint32Array {
  const state = new Uint32Array(4);
  // All zero is the one state that xoshiro never leaves.
  while (state.every((word) => word === 0)) randomFillSync(state);
  return state;
}

/** xoshiro128**, by David Blackman and Sebastiano Vigna (public domain). */
function next(s: Uint32Array): number {
  const s1 = s[1]!;
  const scrambled = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
  s[2]! ^= s[0]!;
  s[3]! ^= s1;
  s[1]! ^= s[2]!;
  s[0]! ^= s[3]!;
  s[2]! ^= s1 << 9;
  s[3] = rotate(s[3]!, 11);
  return scrambled;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
