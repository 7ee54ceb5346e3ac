// Once a second, for a torrent that has something to wait for: time-outs, snubbing, choking rounds, keep-alives, dials.

import type { Peer } from '../peer/peer.ts';
import type { Live } from './live.ts';

export const TICK_MS = 1000;
/** BEP 3: a connection without a message for two minutes may be closed; we speak a little before that. */
const KEEP_ALIVE_MS = 110_000;
/** Silence after which a remote is taken for dead: it should have kept the connection alive by then. */
const DEAD_MS = 150_000;

/** One round. Returns whether another will be needed as things stand. */
export function tick(live: Live, nowMs: number): boolean {
  live.swarm.sweep(nowMs);
  for (const peer of [...live.swarm.peers]) tickPeer(live, peer, nowMs);
  live.exchange?.tick(live.swarm.peers, nowMs);
  live.talk.ask(nowMs);
  live.swarm.dialMore();
  return live.swarm.peers.length > 0 || live.swarm.dialling > 0 || !live.isDone();
}

function tickPeer(live: Live, peer: Peer, nowMs: number): void {
  if (nowMs - peer.lastHeardMs > DEAD_MS) {
    peer.close('silent for too long');
    return;
  }
  if (nowMs - peer.lastSentMs > KEEP_ALIVE_MS) peer.sendKeepAlive();
  if (live.core !== null && !live.isDone()) {
    live.exchange?.asking.checkSnubbed(peer, nowMs);
    peer.pipeline.onTick(nowMs);
    live.updateInterest(peer);
  }
  live.touch(peer);
}
