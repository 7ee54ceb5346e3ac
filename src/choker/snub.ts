// Anti-snubbing (BEP 3): a peer that unchoked us but sends nothing is not rewarded.

/** BEP 3 says "over a minute"; blocks that a silent peer holds for so long keep a piece from everybody. */
const SNUB_AFTER_MS = 20_000;

/** A block that takes longer is held back: 280 B/s are less than any line gives. */
const CRAWL_AFTER_MS = 60_000;

/**
 * Whether a peer snubs us: blocks have been asked of it for a while and nothing of them came, or no whole one for long.
 * `waitingSinceMs`: since when it owes us a block: the last one came, or one was asked for; null: it owes none.
 * `lastBytesMs`: when bytes of a block came last; null: never.
 */
export function isSnubbed(waitingSinceMs: number | null, lastBytesMs: number | null, nowMs: number): boolean {
  if (waitingSinceMs === null) return false;
  if (nowMs - waitingSinceMs >= CRAWL_AFTER_MS) return true;
  return nowMs - Math.max(waitingSinceMs, lastBytesMs ?? waitingSinceMs) >= SNUB_AFTER_MS;
}
