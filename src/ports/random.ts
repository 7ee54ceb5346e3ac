// Chance as an argument: the real world draws it from the system, the simulated one from a seed.

export interface Random {
  /** Overwrites `bytes` with random ones. In the real world fit for keys and ids. */
  fill(bytes: Uint8Array): void;
  /** A whole number from 0 to `limit` - 1; `limit` is 1 to 2^32. Fast: for rules, not for keys. */
  below(limit: number): number;
}

/** Fisher-Yates, in place. */
export function shuffle<T>(random: Random, items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}
