// Goes round the swarm table a bit at a time: has it forget the silent, and moves shards out of half-empty memory. No
// turn of the loop grows with the table.
//
//   a round of a shard:   index tables out of old segments, if it moves   ->   swarm by swarm: move, expire, shrink

import { LONGEST_AGE_S, RUN_LOG2 } from './peer-runs.ts';
import type { Losses } from './shard.ts';
import { type Family, IPV4, IPV6, WEB } from './swarm-records.ts';
import type { SwarmTable } from './swarm-table.ts';

/** A round of the whole table begins so often at most… */
const ROUND_S = 30;
/** …and is done in calls that cost no more than this, a slot looked at being 1: half a millisecond, while nothing is compiled yet ten. */
const BUDGET = 20_000;
/** Between the calls of a round. */
const PAUSE_S = 0.03;
/** What is looked at without a break, and without another thread in the shard. */
const STEP = 4096;
const RUN: number = 1 << RUN_LOG2;
/** What a swarm costs beside its slots, a run that is moved, a peer that is forgotten, and a swarm likewise. */
const SWARM_COST = 8;
const MOVED_COST = 24;
const PEER_COST = 8;
const FORGOTTEN_COST = 32;
/** Of the index; beside half of each slot that is moved. */
const BUCKET_COST = 4;
/** A table that is one thread's, of one tracker. */
const NONE: Losses = { isSilent: () => false, lost: () => undefined };
/** A number that no swarm has. */
const FREE_COST = 1 / 4;

export class Sweep {
  /** What the last call cost. */
  looked = 0;
  readonly #table: SwarmTable;
  readonly #losses: Losses;
  #ageS = 0;
  #shard = 0;
  /** Buckets of the index that are still to be moved. */
  #buckets = 0;
  #moves = false;
  #swarm = 0;
  #family: Family = IPV4;
  #slot = 0;
  #begun = false;
  #roundS = 0;

  constructor(table: SwarmTable, losses: Losses = NONE) {
    this.#table = table;
    this.#losses = losses;
  }

  /**
   * Goes on where the last call stopped, to the end of the round at most. Peers not heard for `ageS` seconds are
   * forgotten. Returns the seconds after which it is to be called again.
   */
  run(nowS: number, ageS: number, budget: number = BUDGET): number {
    this.#ageS = Math.min(ageS, LONGEST_AGE_S);
    this.looked = 0;
    if (this.#shard === 0 && !this.#begun) this.#roundS = nowS;
    while (this.looked < budget) {
      // A dead thread's shard comes next time.
      if (!this.#table.enterShard(this.#shard)) return PAUSE_S;
      const ended = this.#some(nowS, this.looked + Math.min(STEP, budget - this.looked));
      this.#table.exit();
      if (!ended) continue;
      this.#begun = false;
      this.#shard = (this.#shard + 1) % this.#table.shardCount;
      if (this.#shard === 0) return Math.max(1, ROUND_S - (nowS - this.#roundS));
    }
    return PAUSE_S;
  }

  /** Goes on in the shard entered until so much was looked at; returns whether its round is over. */
  #some(nowS: number, until: number): boolean {
    const { arena, lookup, records } = this.#table.shard;
    if (!this.#begun) this.#begin();
    while (this.#buckets > 0) {
      if (this.looked >= until) return false;
      this.looked += BUCKET_COST + lookup.move(--this.#buckets) / 2;
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
    this.#family = IPV4;
    this.#slot = 0;
  }

  /** One run of the current swarm. */
  #step(nowS: number): void {
    const { shard } = this.#table;
    const slots = shard.slots(this.#swarm, this.#family);
    if (this.#slot < slots) {
      if (this.#moves) {
        shard.move(this.#swarm, this.#family, this.#slot);
        this.looked += MOVED_COST + Math.min(RUN, slots);
      }
      this.looked += PEER_COST * shard.expire(this.#swarm, this.#family, this.#slot, nowS, this.#ageS, this.#losses);
      this.looked += Math.min(RUN, slots);
      this.#slot += RUN;
      if (this.#slot < slots) return;
    }
    shard.shrink(this.#swarm, this.#family);
    this.#slot = 0;
    if (this.#family !== WEB) {
      this.#family = this.#family === IPV4 ? IPV6 : WEB;
      return;
    }
    this.looked += SWARM_COST;
    if (shard.isEmpty(this.#swarm)) {
      shard.forgetEmpty(this.#swarm, this.#table.hashOf(this.#swarm), nowS);
      this.looked += FORGOTTEN_COST;
    }
    this.#swarm++;
    this.#family = IPV4;
  }
}
