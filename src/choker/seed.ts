// Who may fetch from a seed: slots go round. A peer keeps its slot until it got a share worth passing on, then the one
// that waited longest has it.

import type { ChokePeer } from './peers.ts';

/** A turn lasts at least this long, so that a fast connection gets into its stride. */
const MIN_TURN_MS = 20_000;
/** A turn is over after this even for a peer that fetches slowly or not at all. */
const MAX_TURN_MS = 60_000;

/**
 * Who is unchoked while we seed, at most `slots`, best first: peers in the middle of their turn (the fastest first),
 * then those that wait (longest first, newcomers before all), then those whose turn is over.
 * `quotaBytes`: what makes a turn's share, some pieces.
 */
export function rankForSeed(
  peers: readonly ChokePeer[],
  slots: number,
  quotaBytes: number,
  nowMs: number,
): ChokePeer[] {
  const group = (peer: ChokePeer): number => {
    if (peer.choked) return 1;
    return isTurnOver(peer, quotaBytes, nowMs) ? 2 : 0;
  };
  const compare = (a: ChokePeer, b: ChokePeer): number => {
    const groupOfA = group(a);
    const difference = groupOfA - group(b);
    if (difference !== 0) return difference;
    if (groupOfA === 0) return b.upBytesPerSecond - a.upBytesPerSecond || a.connectedMs - b.connectedMs;
    return unchokedAt(a) - unchokedAt(b) || a.connectedMs - b.connectedMs;
  };
  return peers
    .filter((peer) => peer.interested)
    .sort(compare)
    .slice(0, slots);
}

function isTurnOver(peer: ChokePeer, quotaBytes: number, nowMs: number): boolean {
  const forMs = nowMs - (peer.lastUnchokedMs ?? nowMs);
  return forMs >= MAX_TURN_MS || (forMs >= MIN_TURN_MS && peer.sentSinceUnchokedBytes >= quotaBytes);
}

/** Finite also for "never", so that two of them compare as equal. */
function unchokedAt(peer: ChokePeer): number {
  return peer.lastUnchokedMs ?? -Number.MAX_VALUE;
}
