// Anti-snubbing (BEP 3): a peer that unchoked us but sends nothing is not rewarded.

/** BEP 3 says "over a minute"; blocks that a silent peer holds for so long keep a piece from everybody. */
const SNUB_AFTER_MS = 20_000;

/**
 * Whether a peer snubs us: blocks have been asked of it for a while and none came.
 * `waitingSinceMs`: since when at least one request has been out without a break; null: none is out.
 */
export function isSnubbed(waitingSinceMs: number | null, lastBlockMs: number | null, nowMs: number): boolean {
  if (waitingSinceMs === null) return false;
  return nowMs - Math.max(waitingSinceMs, lastBlockMs ?? waitingSinceMs) >= SNUB_AFTER_MS;
}
