// Goes round the swarm table a bit at a time: has it forget the silent, and moves shards out of half-empty memory. No
// turn of the loop grows with the table.
//
//   a round of a shard:   index tables out of old segments, if it moves   ->   swarm by swarm: move, expire, shrink

import { LONGEST_AGE_S, RUN_LOG2 } from './peer-runs.ts';
import type { SwarmTable } from './swarm-table.ts';

/** The whole table is looked at in about this many calls… */
const CALLS_A_ROUND = 30;
/** …but no more records in one call: it takes a few milliseconds. */
const MAX_BUDGET = 250_000;
/** Small tables are done in one call. */
const MIN_BUDGET = 2000;
/** What is looked at without a break, and without another thread in the shard. */
const STEP = 4096;
const RUN: number = 1 << RUN_LOG2;
/** What a swarm costs beside its slots. */
const SWARM_COST = 2;
/** A number that no swarm has. */
const FREE_COST = 1 / 64;

export class Sweep {
  /** Slots and swarms that the last call looked at. */
  looked = 0;
  readonly #table: SwarmTable;
  #ageS = 0;
  #shard = 0;
  /** Buckets of the index that are still to be moved. */
  #buckets = 0;
  #moves = false;
  #swarm = 0;
  #family: 0 | 1 = 0;
  #slot = 0;
  #begun = false;

  constructor(table: SwarmTable) {
    this.#table = table;
  }

  /**
   * To be called about once a second; goes on where the last call stopped, once round at most. Peers not heard for
   * `ageS` seconds are forgotten.
   */
  run(nowS: number, ageS: number, budget: number = this.#share()): void {
    this.#ageS = Math.min(ageS, LONGEST_AGE_S);
    this.looked = 0;
    for (let shards = 0; this.looked < budget && shards <= this.#table.shardCount; ) {
      // A dead thread's shard comes next time.
      if (!this.#table.enterShard(this.#shard)) return;
      const ended = this.#some(nowS, this.looked + Math.min(STEP, budget - this.looked));
      this.#table.exit();
      if (!ended) continue;
      shards++;
      this.#begun = false;
      this.#shard = (this.#shard + 1) % this.#table.shardCount;
      if (this.#shard === 0) return;
    }
  }

  #share(): number {
    // Runs are half full or better, most of them: two slots a peer, and a record a swarm.
    const records = SWARM_COST * this.#table.swarmCount + 2 * this.#table.peerCount;
    return Math.min(MAX_BUDGET, MIN_BUDGET + Math.ceil(records / CALLS_A_ROUND));
  }

  /** Goes on in the shard entered until so much was looked at; returns whether its round is over. */
  #some(nowS: number, until: number): boolean {
    const { arena, lookup, records } = this.#table.shard;
    if (!this.#begun) this.#begin();
    for (; this.#buckets > 0; this.looked += 16) {
      if (this.looked >= until) return false;
      lookup.move(--this.#buckets);
    }
    while (this.#swarm < records.end) {
      if (this.looked >= until) return false;
      if (records.isFree(this.#swarm)) {
        this.#swarm++;
        this.looked += FREE_COST;
      } else this.#step(nowS);
    }
    if (this.#moves) arena.stopMoving();
    return true;
  }

  #begin(): void {
    const { arena, lookup } = this.#table.shard;
    this.#begun = true;
    this.#moves = arena.isSparse;
    if (this.#moves) arena.startMoving();
    this.#buckets = this.#moves ? lookup.buckets : 0;
    this.#swarm = 0;
    this.#family = 0;
    this.#slot = 0;
  }

  /** One run of the current swarm. */
  #step(nowS: number): void {
    const { shard } = this.#table;
    const slots = shard.slots(this.#swarm, this.#family);
    if (this.#slot < slots) {
      if (this.#moves) shard.move(this.#swarm, this.#family, this.#slot);
      shard.expire(this.#swarm, this.#family, this.#slot, nowS, this.#ageS);
      this.looked += Math.min(RUN, slots);
      this.#slot += RUN;
      if (this.#slot < slots) return;
    }
    shard.shrink(this.#swarm, this.#family);
    this.#slot = 0;
    if (this.#family === 0) {
      this.#family = 1;
      return;
    }
    this.looked += SWARM_COST;
    shard.forgetEmpty(this.#swarm, this.#table.hashOf(this.#swarm), nowS);
    this.#swarm++;
    this.#family = 0;
  }
}
