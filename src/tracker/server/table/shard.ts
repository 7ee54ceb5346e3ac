// The swarms of one shard of the table: who is in them, and their counts. All calls are made under the shard's lock.

import { writeU32 } from '../../../base/bytes.ts';
import type { AddressCounts } from '../address-counts.ts';
import type { Arena } from './arena.ts';
import { ageIn, ELSEWHERE, PARTIAL_SEED, roleIn, SEED, timeOf } from './peer-runs.ts';
import { LARGE, type PeerSets } from './peer-sets.ts';
import type { SwarmLookup } from './swarm-lookup.ts';
import {
  COMPLETED,
  COUNT,
  EMPTY_SINCE,
  type Family,
  PARTIALS,
  ROOT,
  SEEDS,
  type SwarmRecords,
  WEB,
} from './swarm-records.ts';
import { PEERS, SEEDS_TOTAL, SEGMENT_WORDS, SWARMS, type TableMemory } from './table-memory.ts';

/** A swarm without peers is remembered for a day if anyone has completed, so that its count stays true. */
const KEEP_COMPLETED_S = 24 * 3600;

/** Whether the tracker at a place, which has web peers {@link ELSEWHERE}, is gone. */
export type IsSilent = (place: number) => boolean;

/** What becomes of web peers that did not leave, and are there no more. */
export interface Losses {
  readonly isSilent: IsSilent;
  /** One went with its thread. Both are lent; the shard is entered. */
  lost(infoHash: Uint8Array, peerId: Uint8Array): void;
}

/** The sets of the families, in their order. */
export type FamilySets = readonly [PeerSets, PeerSets, PeerSets];

export class Shard {
  readonly arena: Arena;
  readonly records: SwarmRecords;
  readonly lookup: SwarmLookup;
  readonly sets: FamilySets;
  /** See {@link locate}. */
  run = 0;
  /** Whether the peer that was noted last has completed, as {@link update} says. */
  counted = false;
  /** Whether it was not there. */
  isNew = false;
  readonly #memory: TableMemory;
  readonly #counts: AddressCounts;
  readonly #lost: ReadonlySet<number>;
  readonly #infoHash = new Uint8Array(20);
  readonly #peerId = new Uint8Array(20);

  constructor(
    memory: TableMemory,
    arena: Arena,
    records: SwarmRecords,
    lookup: SwarmLookup,
    sets: FamilySets,
    counts: AddressCounts,
    lost: ReadonlySet<number>,
  ) {
    this.#memory = memory;
    this.arena = arena;
    this.records = records;
    this.lookup = lookup;
    this.sets = sets;
    this.#counts = counts;
    this.#lost = lost;
  }

  /** A new swarm for an info hash that has none; -1 where there is no room. */
  add(infoHash: Uint8Array, hash: number): number {
    if (!this.lookup.reserve(hash)) return -1;
    const swarm = this.records.add(infoHash);
    if (swarm < 0) return -1;
    this.lookup.add(hash, swarm);
    this.#memory.count(SWARMS, 1);
    return swarm;
  }

  /**
   * Notes that the peer which the runs' key names was heard; false where it is not there. `completes`: it has just become
   * a seed, which counts unless it was one before.
   */
  update(swarm: number, family: Family, role: number, completes: boolean, nowS: number): boolean {
    const { records } = this;
    const { runs } = this.sets[family];
    const slot = this.locate(swarm, family);
    if (slot < 0) return false;
    this.isNew = false;
    const before = roleIn(runs.tailOf(this.run, slot));
    runs.update(this.run, slot, role, timeOf(nowS));
    if (before !== role) {
      this.#countRole(swarm, before, -1);
      this.#countRole(swarm, role, 1);
    }
    this.counted = completes && before !== SEED;
    if (this.counted) records.change(swarm, COMPLETED, 1);
    return true;
  }

  /** Adds the peer that the runs' key names, which is not there. False where there is no room. */
  addPeer(swarm: number, family: Family, role: number, completes: boolean, nowS: number): boolean {
    const { records } = this;
    const sets = this.sets[family];
    const count = records.get(swarm, COUNT + family);
    const root = records.get(swarm, ROOT + family);
    const added = sets.add(this.arena, root, records.shape(swarm, family), count, role, timeOf(nowS));
    this.#keep(swarm, family);
    if (!added) return false;
    records.set(swarm, COUNT + family, count + 1);
    records.set(swarm, EMPTY_SINCE, 0);
    this.#memory.count(PEERS, 1);
    this.#counts.change(sets.runs.address(), records.get(swarm, 0), 1);
    this.#countRole(swarm, role, 1);
    this.isNew = true;
    this.counted = completes;
    if (completes) records.change(swarm, COMPLETED, 1);
    return true;
  }

  /** Forgets the peer that the runs' key names. */
  leave(swarm: number, family: Family, nowS: number): void {
    const slot = this.locate(swarm, family);
    if (slot < 0) return;
    const log2 = this.sets[family].runLog2(this.records.shape(swarm, family));
    this.#removePeer(swarm, family, this.run, log2, slot, nowS);
    this.shrink(swarm, family);
  }

  /** Slot of the peer that the runs' key names; -1 where it is not there. Its run is in `run` then. */
  locate(swarm: number, family: Family): number {
    const sets = this.sets[family];
    const root = this.records.get(swarm, ROOT + family);
    if (root === 0) return -1;
    const shape = this.records.shape(swarm, family);
    this.run = sets.runOf(root, shape);
    return sets.runs.find(this.run, sets.runLog2(shape));
  }

  /** Slots of a walk over a swarm's set of one family. */
  slots(swarm: number, family: Family): number {
    const sets = this.sets[family];
    return sets.slots(this.records.get(swarm, ROOT + family), this.records.shape(swarm, family));
  }

  /**
   * Forgets the peers of the run that begins at `slot` of a walk that were not heard for more than `ageS` seconds, and
   * those of connections that were lost with their thread, or tracker. Returns how many.
   */
  expire(swarm: number, family: Family, slot: number, nowS: number, ageS: number, losses: Losses): number {
    const root = this.records.get(swarm, ROOT + family);
    const shape = this.records.shape(swarm, family);
    const sets = this.sets[family];
    const run = sets.runAt(root, shape, slot);
    if (run === 0) return 0;
    const before = this.records.get(swarm, COUNT + family);
    const log2 = sets.runLog2(shape);
    const time = timeOf(nowS);
    for (let at = 0; at < 1 << log2; at++) this.#expireSlot(swarm, family, run, log2, at, nowS, time, ageS, losses);
    if (shape > LARGE) sets.fold(this.arena, root, shape, slot >>> log2);
    return before - this.records.get(swarm, COUNT + family);
  }

  #expireSlot(
    swarm: number,
    family: Family,
    run: number,
    log2: number,
    slot: number,
    nowS: number,
    time: number,
    ageS: number,
    losses: Losses,
  ): void {
    const { runs } = this.sets[family];
    for (;;) {
      const tail = runs.tailOf(run, slot);
      if (tail === 0) return;
      if (ageIn(tail, time) <= ageS && !(family === WEB && this.#isLost(swarm, run, slot, losses))) return;
      // Removing moves another peer into the slot: it is looked at again.
      this.#removePeer(swarm, family, run, log2, slot, nowS);
    }
  }

  /** Whether the connection of a web peer went with its thread, or its tracker. */
  #isLost(swarm: number, run: number, slot: number, losses: Losses): boolean {
    const { runs } = this.sets[WEB];
    const thread = runs.threadOf(run, slot);
    if (thread === ELSEWHERE) return losses.isSilent(runs.connectionOf(run, slot));
    if (!this.#lost.has(thread)) return false;
    const words = this.#memory.view(run);
    const at = (run & (SEGMENT_WORDS - 1)) + slot * runs.words;
    for (let i = 0; i < 5; i++) writeU32(this.#peerId, 4 * i, words[at + i]!);
    this.records.readHash(swarm, this.#infoHash);
    losses.lost(this.#infoHash, this.#peerId);
    return true;
  }

  /** Gives back memory that a set has no more use for. */
  shrink(swarm: number, family: Family): void {
    const sets = this.sets[family];
    const root = this.records.get(swarm, ROOT + family);
    const shape = this.records.shape(swarm, family);
    sets.shrink(this.arena, root, shape, this.records.get(swarm, COUNT + family));
    this.#keep(swarm, family);
  }

  /** Moves the run that begins at `slot` of a walk out of an old segment. */
  move(swarm: number, family: Family, slot: number): void {
    const sets = this.sets[family];
    sets.move(this.arena, this.records.get(swarm, ROOT + family), this.records.shape(swarm, family), slot);
    this.#keep(swarm, family);
  }

  /** Forgets an empty swarm when nobody has been in it for long. `hash`: of its info hash. */
  forgetEmpty(swarm: number, hash: number, nowS: number): void {
    const emptyS = nowS - this.records.get(swarm, EMPTY_SINCE);
    if (this.records.get(swarm, COMPLETED) !== 0 && emptyS < KEEP_COMPLETED_S) return;
    // A large set is taken down a step a round.
    for (let family = 0; family <= WEB; family++) if (this.records.get(swarm, ROOT + family) !== 0) return;
    this.lookup.remove(hash, swarm);
    this.records.remove(swarm);
    this.#memory.count(SWARMS, -1);
  }

  /** Notes that nobody has been in the swarm since now. */
  touch(swarm: number, nowS: number): void {
    this.records.set(swarm, EMPTY_SINCE, Math.floor(nowS));
  }

  /** Forgets everything, in whatever state it is. The counts of the table are put right as far as they are known. */
  reset(): void {
    let [swarms, peers, seeds] = [0, 0, 0];
    for (let swarm = 0; swarm < this.records.end; swarm++) {
      if (this.records.isFree(swarm)) continue;
      swarms++;
      peers += this.records.countOf(swarm);
      seeds += this.records.get(swarm, SEEDS);
    }
    this.#memory.count(SWARMS, -swarms);
    this.#memory.count(PEERS, -peers);
    this.#memory.count(SEEDS_TOTAL, -seeds);
    this.#counts.reset();
    this.arena.reset();
    this.records.reset();
    this.lookup.reset();
  }

  isEmpty(swarm: number): boolean {
    return this.records.countOf(swarm) === 0;
  }

  /** Where the set stands after a call that may have moved it. */
  #keep(swarm: number, family: Family): void {
    this.records.set(swarm, ROOT + family, this.sets[family].root);
    this.records.setShape(swarm, family, this.sets[family].shape);
  }

  #removePeer(swarm: number, family: Family, run: number, log2: number, slot: number, nowS: number): void {
    const { runs } = this.sets[family];
    this.#countRole(swarm, roleIn(runs.tailOf(run, slot)), -1);
    this.#counts.change(runs.addressOf(run, slot), this.records.get(swarm, 0), -1);
    runs.remove(run, log2, slot);
    this.records.change(swarm, COUNT + family, -1);
    this.#memory.count(PEERS, -1);
    if (this.isEmpty(swarm)) this.records.set(swarm, EMPTY_SINCE, Math.floor(nowS));
  }

  #countRole(swarm: number, role: number, change: 1 | -1): void {
    if (role === SEED) {
      this.records.change(swarm, SEEDS, change);
      this.#memory.count(SEEDS_TOTAL, change);
    } else if (role === PARTIAL_SEED) this.records.change(swarm, PARTIALS, change);
  }
}
