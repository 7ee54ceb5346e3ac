// The hash of the tracker's tables: MurmurHash3 over words, with a secret seed, so that nobody chooses what collides.

/** One round. */
export function mix(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** The finaliser: every bit of the hash depends on every bit mixed in. */
export function finish(hash: number): number {
  let out = hash ^ (hash >>> 16);
  out = Math.imul(out, 0x85ebca6b);
  out ^= out >>> 13;
  out = Math.imul(out, 0xc2b2ae35);
  return (out ^ (out >>> 16)) >>> 0;
}
