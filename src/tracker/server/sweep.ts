// Goes round the swarm table a bit at a time and has it forget the silent: no turn of the loop grows with the table.

import { LONGEST_AGE_S } from './peer-runs.ts';
import type { SwarmTable } from './swarm-table.ts';

/** The whole table is looked at in about this many calls… */
const CALLS_A_ROUND = 30;
/** …but no more records in one call: it takes a few milliseconds. */
const MAX_BUDGET = 250_000;
/** Small tables are done in one call. */
const MIN_BUDGET = 1000;

export class Sweep {
  readonly #table: SwarmTable;
  readonly #ageS: number;
  #swarm = 0;
  #family: 0 | 1 = 0;
  #slot = 0;

  /** Peers not heard for `ageS` seconds are forgotten. */
  constructor(table: SwarmTable, ageS: number) {
    this.#table = table;
    this.#ageS = Math.min(ageS, LONGEST_AGE_S);
  }

  /** To be called about once a second; goes on where the last call stopped, once round at most. */
  run(nowS: number, budget: number = this.#share()): void {
    for (let left = budget; left > 0; ) {
      if (this.#swarm >= this.#table.end) {
        this.#swarm = 0;
        return;
      }
      left -= 1 + this.#some(nowS, left);
    }
  }

  #share(): number {
    // Runs are half full or better, most of them: two slots a peer, and one record a swarm.
    const records = this.#table.end + 2 * this.#table.peerCount;
    return Math.min(MAX_BUDGET, MIN_BUDGET + Math.ceil(records / CALLS_A_ROUND));
  }

  /** Looks at up to `budget` slots of the current run; returns how many. */
  #some(nowS: number, budget: number): number {
    const swarm = this.#swarm;
    if (!this.#table.isSwarm(swarm)) {
      this.#next();
      return 0;
    }
    const slots = this.#table.slots(swarm, this.#family);
    const start = Math.min(this.#slot, slots);
    const end = Math.min(slots, start + budget);
    this.#table.expire(swarm, this.#family, start, end, nowS, this.#ageS);
    this.#slot = end;
    if (end === slots) {
      this.#slot = 0;
      if (this.#family === 0) this.#family = 1;
      else {
        this.#table.tidy(swarm, nowS);
        this.#next();
      }
    }
    return end - start;
  }

  #next(): void {
    this.#swarm++;
    this.#family = 0;
    this.#slot = 0;
  }
}
