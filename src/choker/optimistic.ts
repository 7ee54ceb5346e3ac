// Optimistic unchoke (BEP 3): some slots go to peers by chance, so that newcomers get a first piece and better partners
// are found.

import type { Random } from '../ports/random.ts';
import type { ChokePeer } from './peers.ts';

/** How long one keeps the slot: time to fetch something and to show what it gives in return (BEP 3). */
const TURN_MS = 30_000;
/** A peer is new for this long: two turns, so that the extra chance is not spent before a slot comes free. */
const NEW_MS = 60_000;
/** How many times as likely a new peer is taken (BEP 3). */
const NEW_WEIGHT = 3;

/** Remembers who has the optimistic slots and since when. */
export class Optimistic {
  readonly #random: Random;
  #numbers: number[] = [];
  #sinceMs = Number.NEGATIVE_INFINITY;

  constructor(random: Random) {
    this.#random = random;
  }

  /**
   * Fills up to `slots` from the interested peers that are not in `earned`. Those who have a slot keep it for 30 s,
   * unless they left, lost interest or earned an ordinary one.
   */
  choose(peers: readonly ChokePeer[], earned: ReadonlySet<number>, slots: number, nowMs: number): readonly number[] {
    if (nowMs - this.#sinceMs >= TURN_MS) {
      this.#numbers = [];
      this.#sinceMs = nowMs;
    }
    const waiting = peers.filter((peer) => peer.interested && !earned.has(peer.number));
    const here = new Set(waiting.map((peer) => peer.number));
    this.#numbers = this.#numbers.filter((number) => here.has(number)).slice(0, slots);
    const pool = waiting.filter((peer) => !this.#numbers.includes(peer.number));
    while (this.#numbers.length < slots && pool.length > 0) this.#numbers.push(this.#draw(pool, nowMs).number);
    return this.#numbers;
  }

  /** Takes one out of the pool: those still choked before those that are not, new ones with a higher chance. */
  #draw(pool: ChokePeer[], nowMs: number): ChokePeer {
    const anyChoked = pool.some((peer) => peer.choked);
    const weight = (peer: ChokePeer): number => {
      if (anyChoked && !peer.choked) return 0;
      return nowMs - peer.connectedMs < NEW_MS ? NEW_WEIGHT : 1;
    };
    const total = pool.reduce((sum, peer) => sum + weight(peer), 0);
    let at = this.#random.below(total);
    const index = pool.findIndex((peer) => {
      at -= weight(peer);
      return at < 0;
    });
    return pool.splice(index, 1)[0]!;
  }
}
