// Which peers are kept when there is no room for all: facts of one peer in, how little of use it is out.

import type { PeerState } from '../peer/state.ts';

/** Time to say what it has and wants: nobody is judged before. */
const GRACE_MS = 60_000;
/** One that could give or take and did neither for so long most likely never will. */
const PATIENCE_MS = 300_000;
/** Rates of younger ones say nothing: slots go round within this. */
const STEADY_MS = 120_000;
/** Above all times: who wants nothing of us and has nothing for us goes before those who might. */
const NO_INTEREST = 1e12;

type Kept = Pick<
  PeerState,
  | 'connectedMs'
  | 'lastBlockBytesMs'
  | 'lastServedMs'
  | 'lastUnchokedMs'
  | 'amInterested'
  | 'isInterested'
  | 'amChoking'
  | 'down'
  | 'up'
>;

/** 0: it is of use, or may be. Of others the highest goes first. */
export function uselessness(peer: Kept, nowMs: number): number {
  const idleMs = nowMs - Math.max(peer.connectedMs, peer.lastBlockBytesMs, peer.lastServedMs);
  if (!peer.amInterested && !peer.isInterested) return idleMs < GRACE_MS ? 0 : NO_INTEREST + idleMs;
  if (idleMs < PATIENCE_MS || (!peer.amInterested && waitsForItsTurn(peer))) return 0;
  return idleMs;
}

/** It never had a turn, or used the last one. */
function waitsForItsTurn(peer: Kept): boolean {
  if (!peer.isInterested || !peer.amChoking) return false;
  return peer.lastUnchokedMs === null || peer.lastServedMs >= peer.lastUnchokedMs;
}

/** The one of least use, or null where all are of some. */
export function mostUseless<T extends Kept>(peers: readonly T[], nowMs: number): T | null {
  let found: T | null = null;
  let most = 0;
  for (const peer of peers) {
    const grade = uselessness(peer, nowMs);
    if (grade > most) [found, most] = [peer, grade];
  }
  return found;
}

/** The one that least was exchanged with for the time it is here, or null where all are new. */
export function slowest<T extends Kept>(peers: readonly T[], nowMs: number): T | null {
  let found: T | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const peer of peers) {
    const ageMs = nowMs - peer.connectedMs;
    if (ageMs < STEADY_MS) continue;
    const rate = (peer.down.total + peer.up.total) / ageMs;
    if (rate < least) [found, least] = [peer, rate];
  }
  return found;
}
