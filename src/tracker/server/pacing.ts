// The interval that announce replies name: the one that was set, longer while the tracker has more to do than it should,
// and a little different for everyone, so that a crowd that came together does not come back together.

import type { Random } from '../../ports/random.ts';
import { LONGEST_AGE_S } from './table/peer-runs.ts';

/** A crowd is told to come a quarter as often, no less: swarms must not grow stale. */
const MAX_FACTOR = 4;
/** Steps of a second: up fast, down slowly, so that it does not swing. */
const MOST_UP = 1.5;
const DOWN = 0.98;
/** A tick that comes so late tells that the loop is busy all the time. */
const LATE_S = 0.1;
const LATE_LOAD = 1.25;
/** Fewer announces a second take a few hundredths of it: then something else holds the loop up, and longer intervals would not help. */
const LEAST_RATE = 1000;
/** Replies name up to this much more than the interval. */
const JITTER = 0.1;
/** Announces, and a lost one, that a peer may be silent for. */
const INTERVALS_OF_AGE = 1.5;
const GRACE_S = 30;

/** Longest interval that can be set: with all that is added peers must still be told from old ones. */
export const LONGEST_INTERVAL_S: number = Math.floor(
  (LONGEST_AGE_S - GRACE_S) / (MAX_FACTOR * (1 + JITTER) * INTERVALS_OF_AGE),
);

export class Pacing {
  readonly #intervalS: number;
  readonly #perSecond: number;
  readonly #random: Random;
  #factor = 1;
  /** The largest factor that peers who are still here may have heard, and when it was last told. */
  #heldFactor = 1;
  #heldAtS = 0;
  #announces = 0;
  #tickedS: number;

  /** `perSecond`: announces that the tracker should have to do at most. */
  constructor(random: Random, intervalS: number, perSecond: number, nowS: number) {
    this.#random = random;
    this.#intervalS = Math.min(intervalS, LONGEST_INTERVAL_S);
    this.#perSecond = perSecond;
    this.#tickedS = nowS;
  }

  /** Seconds for the next reply; `intervalS`: what it is while there is little to do, where that is not what was set. */
  intervalS(intervalS: number = this.#intervalS): number {
    const base = intervalS * this.#factor;
    return Math.floor(base + this.#random.below(Math.ceil(base * JITTER) + 1));
  }

  /** Seconds that replies name now, without what is added for each. */
  meanIntervalS(): number {
    return Math.floor(this.#intervalS * this.#factor);
  }

  /** How long a peer may be silent that was told the longest interval of late. */
  ageS(intervalS: number = this.#intervalS): number {
    return intervalS * this.#heldFactor * INTERVALS_OF_AGE + GRACE_S;
  }

  /** To be called about once a second: `announces` is how many there have ever been. */
  tick(announces: number, nowS: number): void {
    const passedS = Math.max(nowS - this.#tickedS, 0.001);
    const rate = (announces - this.#announces) / passedS;
    this.#announces = announces;
    this.#tickedS = nowS;
    const load = Math.max(rate / this.#perSecond, rate > LEAST_RATE && passedS > 1 + LATE_S ? LATE_LOAD : 0);
    const step = load > 1 ? Math.min(load, MOST_UP) : DOWN;
    this.#factor = Math.min(MAX_FACTOR, Math.max(1, this.#factor * step));
    const heldFor = this.#intervalS * this.#heldFactor * (1 + JITTER);
    if (this.#factor >= this.#heldFactor || nowS - this.#heldAtS > heldFor) {
      this.#heldFactor = this.#factor;
      this.#heldAtS = nowS;
    }
  }
}
