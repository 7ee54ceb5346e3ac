// Whom to unchoke. Pure: asked every ten seconds, and when a peer gets interested while a slot is free.

import type { Random } from '../ports/random.ts';
import { rankForLeech } from './leech.ts';
import { Optimistic } from './optimistic.ts';
import type { ChokePeer } from './peers.ts';
import { rankForSeed } from './seed.ts';
import { optimisticSlots } from './slots.ts';

export type { ChokePeer } from './peers.ts';

/** How often to ask `rechoke` (BEP 3): often enough to reward, seldom enough that TCP gets up to speed. */
export const RECHOKE_MS = 10_000;

export interface ChokeTerms {
  readonly nowMs: number;
  /** We have all we want: slots go round instead of being earned. */
  readonly seeding: boolean;
  /** Peers that may be unchoked at one time, optimistic ones included; see `uploadSlots`. */
  readonly slots: number;
  /** What a peer gets of a seed before its slot goes to the next: some pieces. */
  readonly quotaBytes: number;
}

export interface ChokeDecision {
  /** Numbers of all peers that are to be unchoked now; the others are to be choked. */
  readonly unchoked: ReadonlySet<number>;
  /** Those of them that have an optimistic slot. */
  readonly optimistic: readonly number[];
}

export class Choker {
  readonly #optimistic: Optimistic;

  constructor(random: Random) {
    this.#optimistic = new Optimistic(random);
  }

  /** Decides for all peers of a torrent. When everybody who is interested fits, everybody is unchoked. */
  rechoke(peers: readonly ChokePeer[], terms: ChokeTerms): ChokeDecision {
    if (terms.seeding) {
      const ranked = rankForSeed(peers, terms.slots, terms.quotaBytes, terms.nowMs);
      return { unchoked: new Set(ranked.map((peer) => peer.number)), optimistic: [] };
    }
    const byChance = optimisticSlots(terms.slots);
    const unchoked = new Set(rankForLeech(peers, terms.slots - byChance).map((peer) => peer.number));
    const optimistic = this.#optimistic.choose(peers, unchoked, byChance, terms.nowMs);
    for (const number of optimistic) unchoked.add(number);
    return { unchoked, optimistic };
  }

  /** Whether a choked peer that just got interested may be unchoked at once instead of at the next round. */
  mayUnchokeNow(peer: ChokePeer, unchokedCount: number, slots: number): boolean {
    return peer.interested && peer.choked && !peer.snubbed && unchokedCount < slots;
  }
}
