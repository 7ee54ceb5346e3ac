// Chance that a seed replays, for the processes of the soak that are plain JavaScript: xorshift32.

export function chanceOf(seed) {
  let state = (Math.imul(seed, 2_654_435_761) + 1) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  const below = (end) => next() % end;
  return {
    below,
    /** Of a piece of noise made once: fast, and as good as new to whoever reads it. */
    bytes(length) {
      const from = below(NOISE.length - length);
      return NOISE.subarray(from, from + length);
    },
    pick: (from) => from[below(from.length)],
  };
}

const NOISE = Buffer.alloc(1 << 18);
let word = 1;
for (let i = 0; i < NOISE.length; i++) {
  word = (Math.imul(word, 1_103_515_245) + 12_345) >>> 0;
  NOISE[i] = word >>> 16;
}
