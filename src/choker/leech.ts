// Tit for tat (BEP 3): while we leech, those who send us most may fetch from us.

import type { ChokePeer } from './peers.ts';

/**
 * Who is unchoked for what it gives, at most `slots` of them, best first. Snubbed peers are not: they come back by an
 * optimistic unchoke only. Among equals (all zero at the start) those that are unchoked stay, then the ones that take
 * our data fastest go first.
 */
export function rankForLeech(peers: readonly ChokePeer[], slots: number): ChokePeer[] {
  return peers
    .filter((peer) => peer.interested && !peer.snubbed)
    .sort(compareForLeech)
    .slice(0, slots);
}

function compareForLeech(a: ChokePeer, b: ChokePeer): number {
  return (
    b.downBytesPerSecond - a.downBytesPerSecond ||
    Number(a.choked) - Number(b.choked) ||
    b.upBytesPerSecond - a.upBytesPerSecond ||
    a.connectedMs - b.connectedMs
  );
}
