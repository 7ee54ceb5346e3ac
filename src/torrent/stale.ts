// Begun pieces that nobody goes on with: where memory is scarce they give theirs to pieces that can be had.

/** Blocks come far more often from whoever sends at all; a piece that waits so long was left by its peers. */
const STALE_MS = 30_000;

export class Stale {
  /** By piece: how many blocks were there, and since when. */
  readonly #seen: Map<number, { arrived: number; sinceMs: number }> = new Map();

  /**
   * Call once a second while memory is scarce, with the pieces that wait for blocks and how many each has. Returns one
   * that has got none for long, the one with the least to lose; -1 where there is none.
   */
  look(pieces: Iterable<readonly [piece: number, arrived: number]>, nowMs: number): number {
    let [found, least] = [-1, Number.POSITIVE_INFINITY];
    const gone = new Set(this.#seen.keys());
    for (const [piece, arrived] of pieces) {
      gone.delete(piece);
      const seen = this.#seen.get(piece);
      if (seen?.arrived !== arrived) this.#seen.set(piece, { arrived, sinceMs: nowMs });
      else if (nowMs - seen.sinceMs >= STALE_MS && arrived < least) [found, least] = [piece, arrived];
    }
    for (const piece of gone) this.#seen.delete(piece);
    return found;
  }

  /** Memory is not scarce: what waits may wait. */
  forget(): void {
    this.#seen.clear();
  }
}
