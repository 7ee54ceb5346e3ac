// Chance that a seed replays.

export interface Chance {
  /** A whole number from 0 up to, but not including, `end`. */
  below(end: number): number;
  bytes(length: number): Uint8Array;
  pick<T>(from: readonly T[]): T;
}

/** xorshift32: good enough to make content of. */
export function seededChance(seed: number): Chance {
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  const below = (end: number): number => next() % end;
  return {
    below,
    bytes(length) {
      const words = new Uint32Array(Math.ceil(length / 4));
      for (let i = 0; i < words.length; i++) words[i] = next();
      return new Uint8Array(words.buffer, 0, length);
    },
    pick: (from) => from[below(from.length)]!,
  };
}
