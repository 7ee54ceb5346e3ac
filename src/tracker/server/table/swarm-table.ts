// All swarms of a tracker: who is where, counts, fair choice, expiry. The data is in typed arrays: no object a swarm,
// none a peer. Info hashes are divided over shards, so that threads which share a table seldom wait for each other and
// what grows grows in parts.
//
//   info hash -> shard -> SwarmLookup -> SwarmRecords: counts | IPv4, IPv6 and web set -> PeerSets -> PeerRuns

import { assert } from '../../../base/assert.ts';
import { readU32 } from '../../../base/bytes.ts';
import type { Random } from '../../../ports/random.ts';
import type { AddressLimits } from '../address-counts.ts';
import type { Network } from '../network.ts';
import type { Lock } from './lock.ts';
import { finish, mix } from './mixing.ts';
import type { PeerRuns } from './peer-runs.ts';
import type { Shard } from './shard.ts';
import { COMPLETED, COUNT, type Family, IPV4, IPV6, PARTIALS, ROOT, SEEDS } from './swarm-records.ts';
import { HASH_SEED, PEERS, SEEDS_TOTAL, type SharedTableMemory, SWARMS, TableMemory } from './table-memory.ts';
import { newTableMemory, type TableLimits, TableParts } from './table-parts.ts';

export type { TableLimits } from './table-parts.ts';

/** What {@link SwarmTable.announce} returns instead of a swarm. */
export const NO_ROOM = -1;
export const TOO_MANY = -2;

/**
 * A swarm is known by its number within a shard. `find`, `announce`, `leave`, `restore` and `enter` enter the shard of an info hash and
 * are followed by `exit`; what takes a number in between is about the shard that was entered.
 */
export class SwarmTable {
  readonly #limits: TableLimits;
  readonly memory: TableMemory;
  readonly #parts: TableParts;
  readonly #shards: readonly Shard[];
  /** None on one thread. */
  readonly #locks: readonly Lock[];
  readonly #runs: readonly [PeerRuns, PeerRuns, PeerRuns];
  #shard: Shard;
  #lock: Lock | null = null;
  #hash = 0;

  /** A table of this thread's own. */
  static local(random: Random, limits: TableLimits): SwarmTable {
    return new SwarmTable(newTableMemory(random, limits, false), random, limits);
  }

  /** A table that other threads can open too. */
  static newShared(random: Random, limits: TableLimits): SwarmTable {
    return new SwarmTable(newTableMemory(random, limits, true), random, limits);
  }

  /** Another thread's table; `limits` are the same as there. */
  static open(shared: SharedTableMemory, random: Random, limits: TableLimits): SwarmTable {
    return new SwarmTable(TableMemory.open(shared), random, limits);
  }

  private constructor(memory: TableMemory, random: Random, limits: TableLimits) {
    this.#limits = limits;
    this.memory = memory;
    this.#parts = new TableParts(memory, random, limits);
    const { shards, locks, runs } = this.#parts;
    this.#shards = shards;
    this.#locks = locks;
    this.#runs = runs;
    this.#shard = shards[0]!;
  }

  get keepsIds(): boolean {
    return this.#runs[0].keepsIds;
  }

  get swarmCount(): number {
    return this.memory.control[SWARMS]!;
  }

  get peerCount(): number {
    return this.memory.control[PEERS]!;
  }

  get seedCount(): number {
    return this.memory.control[SEEDS_TOTAL]!;
  }

  /** 32 bits that stand for an address, or an IPv6 subscriber; keyed. */
  addressHash(ip: Uint8Array): number {
    const runs = this.#runs[ip.length === 4 ? 0 : 1];
    runs.setKey(ip, 0);
    return runs.address();
  }

  /** What the segments take; the words of control are a third of a megabyte beside them. */
  get memoryBytes(): number {
    return this.memory.memoryBytes;
  }

  /** Enters the shard of an info hash. False where a dead thread holds it. */
  enter(infoHash: Uint8Array, at = 0): boolean {
    let hash = this.memory.control[HASH_SEED]!;
    for (let i = 0; i < 5; i++) hash = mix(hash, readU32(infoHash, at + 4 * i));
    this.#hash = finish(hash);
    return this.enterShard(this.#hash >>> (32 - this.#parts.shardLog2));
  }

  /** Lets other threads into the shard. Without effect where none was entered. */
  exit(): void {
    this.#lock?.release();
    this.#lock = null;
  }

  /** The number of a swarm by the 20 bytes of its info hash from `at` on; -1 where it is unknown. */
  find(infoHash: Uint8Array, at = 0): number {
    return this.enter(infoHash, at) ? this.#shard.lookup.find(infoHash, at, this.#hash) : -1;
  }

  seeds(swarm: number): number {
    return this.#shard.records.get(swarm, SEEDS);
  }

  /** All that are no seeds, partial seeds among them. */
  leeches(swarm: number): number {
    return this.#shard.records.countOf(swarm) - this.seeds(swarm);
  }

  partialSeeds(swarm: number): number {
    return this.#shard.records.get(swarm, PARTIALS);
  }

  completed(swarm: number): number {
    return this.#shard.records.get(swarm, COMPLETED);
  }

  /**
   * Notes that a peer is there, as LEECH, PARTIAL_SEED or SEED. `completes`: see {@link Shard.update}. `peerId`: for a table that
   * keeps them. `perAddress`: limits for a peer that is new. Returns the swarm, or NO_ROOM, or TOO_MANY.
   */
  announce(
    infoHash: Uint8Array,
    ip: Uint8Array,
    port: number,
    role: number,
    completes: boolean,
    nowS: number,
    peerId: Uint8Array = NOBODY,
    perAddress: AddressLimits | null = null,
  ): number {
    const family = ip.length === 4 ? IPV4 : IPV6;
    this.#runs[family].setKey(ip, port);
    this.#runs[family].setId(peerId);
    return this.note(this.find(infoHash), infoHash, family, role, completes, nowS, perAddress);
  }

  /** Likewise for the peer that a family's runs have as their key, of a swarm as {@link find} returned it. */
  note(
    known: number,
    infoHash: Uint8Array,
    family: Family,
    role: number,
    completes: boolean,
    nowS: number,
    perAddress: AddressLimits | null,
  ): number {
    let swarm = known;
    if (swarm >= 0 && this.#shard.update(swarm, family, role, completes, nowS)) return swarm;
    if (this.peerCount >= this.#limits.maxPeers || !this.#isEntered) return NO_ROOM;
    if (
      perAddress !== null &&
      !this.#parts.counts.allow(this.#runs[family].address(), readU32(infoHash, 0), perAddress)
    ) {
      return TOO_MANY;
    }
    if (swarm < 0 && this.swarmCount < this.#limits.maxSwarms) swarm = this.#shard.add(infoHash, this.#hash);
    return swarm >= 0 && this.#shard.addPeer(swarm, family, role, completes, nowS) ? swarm : NO_ROOM;
  }

  /** Forgets a peer that said goodbye. Returns the swarm, or -1 where it is unknown. */
  leave(infoHash: Uint8Array, ip: Uint8Array, port: number, nowS: number): number {
    const swarm = this.find(infoHash);
    const family = ip.length === 4 ? IPV4 : IPV6;
    if (swarm >= 0) {
      this.#runs[family].setKey(ip, port);
      this.#shard.leave(swarm, family, nowS);
    }
    return swarm;
  }

  /**
   * Writes up to `wanted` compact peers of one family for the peer `ip`, `port` into `into` from `at` on, and their peer ids into
   * `ids`; see {@link PeerWalk.pick}. Returns how many.
   */
  pick(
    swarm: number,
    family: 4 | 6,
    ip: Uint8Array,
    port: number,
    wanted: number,
    seedsToo: boolean,
    network: Network | null,
    into: DataView,
    at: number,
    ids: Uint8Array | null,
  ): number {
    const each = family === 4 ? IPV4 : IPV6;
    const { runs } = this.#shard.sets[each];
    const isOwn = ip.length === runs.keyLength;
    // Port 0 is nobody: a peer of the other family cannot be the asker, nor in its network.
    runs.setKey(isOwn ? ip : NOBODY, isOwn ? port : 0);
    return this.choose(swarm, each, wanted, seedsToo, isOwn ? network : null, into, at, ids);
  }

  /** Likewise for the peer that a family's runs have as their key; `extras`: what comes with each. */
  choose(
    swarm: number,
    family: Family,
    wanted: number,
    seedsToo: boolean,
    network: Network | null,
    into: DataView,
    at: number,
    extras: Uint8Array | null,
  ): number {
    const { records, sets } = this.#shard;
    const root = records.get(swarm, ROOT + family);
    if (root === 0 || wanted <= 0) return 0;
    const shape = records.shape(swarm, family);
    const count = records.get(swarm, COUNT + family);
    return this.#parts.walk.pick(sets[family], root, shape, count, wanted, seedsToo, network, into, at, extras);
  }

  get shardCount(): number {
    return this.#shards.length;
  }

  /** Enters a shard by its number. False where a dead thread holds it. */
  enterShard(number: number): boolean {
    assert(this.#lock === null, 'a thread is in one shard at a time');
    const lock = this.#locks[number];
    if (lock !== undefined && !lock.acquire()) return false;
    this.#lock = lock ?? null;
    this.#shard = this.#shards[number]!;
    return true;
  }

  /** The shard that was entered. */
  get shard(): Shard {
    return this.#shard;
  }

  /** The hash of a swarm's info hash in the shard entered. */
  hashOf(swarm: number): number {
    let hash = this.memory.control[HASH_SEED]!;
    for (let word = 0; word < 5; word++) hash = mix(hash, this.#shard.records.get(swarm, word));
    return finish(hash);
  }

  /** Corrects a count of completions, also of a swarm that is not here. False where the table is full. */
  restore(infoHash: Uint8Array, completed: (known: number) => number, nowS: number): boolean {
    let swarm = this.find(infoHash);
    const count = completed(swarm < 0 ? 0 : this.completed(swarm));
    if (swarm < 0) {
      if (count === 0) return true;
      const hasRoom = this.#isEntered && this.swarmCount < this.#limits.maxSwarms;
      swarm = hasRoom ? this.#shard.add(infoHash, this.#hash) : NO_ROOM;
      if (swarm < 0) return false;
      this.#shard.touch(swarm, nowS);
    }
    this.#shard.records.set(swarm, COMPLETED, count);
    return true;
  }

  /**
   * Clears away after a thread that is no more (its number as {@link setLockOwner} had it): a shard in which it was is emptied, since it
   * may be half changed; its peers are known again within an interval. The sweep forgets its web peers. Returns how many shards.
   */
  recover(owner: number): number {
    let emptied = 0;
    for (const [i, lock] of this.#locks.entries()) {
      if (!lock.ownedBy(owner)) continue;
      this.#shards[i]!.reset();
      lock.release();
      emptied++;
    }
    this.memory.recoverPool(owner);
    this.#parts.lost.add(owner);
    return emptied;
  }

  /** With locks, `find` says -1 also where the shard could not be entered. */
  get #isEntered(): boolean {
    return this.#locks.length === 0 || this.#lock !== null;
  }
}

const NOBODY = new Uint8Array(20);
