// What the picker remembers of peers, by their small numbers: requests out, class, and whether looking again is in vain.

import { NONE } from './blocks.ts';

/** Grows with the highest number seen; numbers are reused, so it stays as small as the most peers at one time. */
export class Askers {
  /** Requests of a peer that neither came nor were lost. */
  outstanding: Uint32Array = new Uint32Array(64);
  slow: Uint8Array = new Uint8Array(64);
  /** State of the picker in which a look through all pieces found nothing for the peer; -1: none. */
  #dryRevision: Float64Array = new Float64Array(64).fill(NONE);
  /** How many pieces the peer had then. */
  #dryHave: Uint32Array = new Uint32Array(64);

  /** Makes room for a peer. */
  reserve(peer: number): void {
    if (peer >= this.outstanding.length) this.#grow(peer + 1);
  }

  meet(peer: number, slow: boolean): void {
    this.reserve(peer);
    this.slow[peer] = slow ? 1 : 0;
  }

  /** The number is free for another peer. */
  forget(peer: number): void {
    if (peer >= this.outstanding.length) return;
    this.outstanding[peer] = 0;
    this.#dryRevision[peer] = NONE;
  }

  isDry(peer: number, revision: number, haveCount: number): boolean {
    return this.#dryRevision[peer] === revision && this.#dryHave[peer] === haveCount;
  }

  setDry(peer: number, revision: number, haveCount: number): void {
    this.#dryRevision[peer] = revision;
    this.#dryHave[peer] = haveCount;
  }

  #grow(atLeast: number): void {
    const length = Math.max(atLeast, 2 * this.outstanding.length);
    const grown = <T extends Uint32Array | Uint8Array | Float64Array>(next: T, old: T): T => {
      next.set(old);
      return next;
    };
    this.outstanding = grown(new Uint32Array(length), this.outstanding);
    this.slow = grown(new Uint8Array(length), this.slow);
    this.#dryRevision = grown(new Float64Array(length).fill(NONE), this.#dryRevision);
    this.#dryHave = grown(new Uint32Array(length), this.#dryHave);
  }
}
