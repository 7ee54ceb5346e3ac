// All swarms of a tracker: who is where, counts, fair choice, expiry. The data is in typed arrays: no object a swarm,
// none a peer.
//
//   info hash -> SwarmRecords: counts | run of IPv4 peers | run of IPv6 peers
//                                        `-> PeerRuns        `-> PeerRuns

import { writeU32 } from '../../base/bytes.ts';
import type { Random } from '../../ports/random.ts';
import { LEECH, PARTIAL_SEED, PeerRuns, SEED, timeOf } from './peer-runs.ts';
import { COMPLETED, COUNT, EMPTY_SINCE, LOG2, PARTIALS, RUN, SEEDS, SwarmRecords } from './swarm-records.ts';

/** A swarm without peers is remembered for a day if anyone has completed, so that its count stays true. */
const KEEP_COMPLETED_S = 24 * 3600;

export interface TableLimits {
  /** More info hashes are refused: anyone may announce any, and memory ends. */
  readonly maxSwarms: number;
  readonly maxPeers: number;
}

/** A swarm is known by its number, which is good until the next announce or sweep. */
export class SwarmTable {
  readonly #limits: TableLimits;
  readonly #swarms: SwarmRecords;
  /** IPv4 and IPv6. */
  readonly #runs: readonly [PeerRuns, PeerRuns];
  #peerCount = 0;
  #seedCount = 0;

  constructor(random: Random, limits: TableLimits) {
    this.#limits = limits;
    this.#swarms = new SwarmRecords(random.below(2 ** 32));
    this.#runs = [new PeerRuns(4, random), new PeerRuns(16, random)];
  }

  get swarmCount(): number {
    return this.#swarms.count;
  }

  get peerCount(): number {
    return this.#peerCount;
  }

  get seedCount(): number {
    return this.#seedCount;
  }

  /** What the arrays take. */
  get memoryBytes(): number {
    const runs = this.#runs[0].memoryBytes + this.#runs[1].memoryBytes;
    return runs + this.#swarms.memoryBytes;
  }

  /** The number of a swarm by the 20 bytes of its info hash from `at` on; -1 where it is unknown. */
  find(infoHash: Uint8Array, at = 0): number {
    return this.#swarms.find(infoHash, at);
  }

  seeds(swarm: number): number {
    return this.#swarms.get(swarm, SEEDS);
  }

  /** All that are no seeds, partial seeds among them. */
  leeches(swarm: number): number {
    return this.#swarms.get(swarm, COUNT) + this.#swarms.get(swarm, COUNT + 1) - this.#swarms.get(swarm, SEEDS);
  }

  partialSeeds(swarm: number): number {
    return this.#swarms.get(swarm, PARTIALS);
  }

  completed(swarm: number): number {
    return this.#swarms.get(swarm, COMPLETED);
  }

  /**
   * Notes that a peer is there, as LEECH, PARTIAL_SEED or SEED. `completes`: it has just become a seed, which counts
   * unless it was one before. Returns the swarm, or -1 where the table is full.
   */
  announce(infoHash: Uint8Array, ip: Uint8Array, port: number, role: number, completes: boolean, nowS: number): number {
    let swarm = this.find(infoHash);
    if (swarm < 0) {
      if (this.swarmCount >= this.#limits.maxSwarms || this.#peerCount >= this.#limits.maxPeers) return -1;
      swarm = this.#swarms.add(infoHash);
    }
    const family = ip.length === 4 ? 0 : 1;
    const runs = this.#runs[family];
    runs.setKey(ip, port);
    const run = this.#swarms.get(swarm, RUN + family);
    const slot = run === 0 ? -1 : runs.find(run, this.#swarms.get(swarm, LOG2 + family));
    const before = slot < 0 ? LEECH : runs.role(run, slot);
    if (slot < 0) {
      if (this.#peerCount >= this.#limits.maxPeers || !this.#addPeer(swarm, family, role, timeOf(nowS))) return -1;
    } else {
      runs.update(run, slot, role, timeOf(nowS));
    }
    this.#countRole(swarm, before, -1);
    this.#countRole(swarm, role, 1);
    if (completes && before !== SEED) this.#swarms.change(swarm, COMPLETED, 1);
    return swarm;
  }

  /** Forgets a peer that said goodbye. Returns the swarm, or -1 where it is unknown. */
  leave(infoHash: Uint8Array, ip: Uint8Array, port: number, nowS: number): number {
    const swarm = this.find(infoHash);
    const family = ip.length === 4 ? 0 : 1;
    const run = swarm < 0 ? 0 : this.#swarms.get(swarm, RUN + family);
    if (run === 0) return swarm;
    this.#runs[family].setKey(ip, port);
    const slot = this.#runs[family].find(run, this.#swarms.get(swarm, LOG2 + family));
    if (slot >= 0) {
      this.#removePeer(swarm, family, slot, nowS);
      this.#shrink(swarm, family);
    }
    return swarm;
  }

  /** Compact peers of one family for the peer `ip`, `port`; see {@link PeerRuns.pick}. Returns how many bytes were written. */
  pick(
    swarm: number,
    family: 4 | 6,
    ip: Uint8Array,
    port: number,
    wanted: number,
    seedsToo: boolean,
    into: Uint8Array,
  ): number {
    const i = family === 4 ? 0 : 1;
    const runs = this.#runs[i];
    const run = this.#swarms.get(swarm, RUN + i);
    if (run === 0 || wanted <= 0) return 0;
    // Port 0 is nobody: a peer of the other family cannot be the asker.
    if (ip.length === runs.ipLength) runs.setKey(ip, port);
    else runs.setKey(NOBODY, 0);
    return runs.pick(run, this.#swarms.get(swarm, LOG2 + i), wanted, seedsToo, into) * (runs.ipLength + 2);
  }

  /** Numbers below this may be swarms; the others of these methods of the sweep take only those that {@link isSwarm}. */
  get end(): number {
    return this.#swarms.end;
  }

  isSwarm(swarm: number): boolean {
    return !this.#swarms.isFree(swarm);
  }

  /** Slots of a swarm's run, free ones included. */
  slots(swarm: number, family: 0 | 1): number {
    return this.#swarms.get(swarm, RUN + family) === 0 ? 0 : 2 ** this.#swarms.get(swarm, LOG2 + family);
  }

  /** Forgets the peers in slots `start` to `end` that were not heard for more than `ageS` seconds. */
  expire(swarm: number, family: 0 | 1, start: number, end: number, nowS: number, ageS: number): void {
    const runs = this.#runs[family];
    const run = this.#swarms.get(swarm, RUN + family);
    const time = timeOf(nowS);
    for (let slot = start; slot < end; slot++) {
      // Removing moves another peer into the slot: it is looked at again.
      while (!runs.isFree(run, slot) && runs.ageS(run, slot, time) > ageS) this.#removePeer(swarm, family, slot, nowS);
    }
  }

  /** Gives back memory that a swarm has no more use for, and the swarm itself when nobody has been in it for long. */
  tidy(swarm: number, nowS: number): void {
    this.#shrink(swarm, 0);
    this.#shrink(swarm, 1);
    if (!this.#isEmpty(swarm)) return;
    const emptyS = nowS - this.#swarms.get(swarm, EMPTY_SINCE);
    if (this.completed(swarm) === 0 || emptyS >= KEEP_COMPLETED_S) this.#swarms.remove(swarm);
  }

  /** Calls `visit` with every swarm's number and info hash (lent for the call). The table must not change meanwhile. */
  forEachSwarm(visit: (swarm: number, infoHash: Uint8Array) => void): void {
    const hash = new Uint8Array(20);
    for (let swarm = 0; swarm < this.#swarms.end; swarm++) {
      if (this.#swarms.isFree(swarm)) continue;
      for (let i = 0; i < 5; i++) writeU32(hash, 4 * i, this.#swarms.get(swarm, i));
      visit(swarm, hash);
    }
  }

  /** Calls `visit` with every peer of a family: its compact form (lent for the call), its role, its age. */
  forEachPeer(
    swarm: number,
    family: 4 | 6,
    nowS: number,
    visit: (compact: Uint8Array, role: number, ageS: number) => void,
  ): void {
    const i = family === 4 ? 0 : 1;
    const runs = this.#runs[i];
    const run = this.#swarms.get(swarm, RUN + i);
    if (run === 0) return;
    const compact = new Uint8Array(runs.ipLength + 2);
    for (let slot = 0; slot < 2 ** this.#swarms.get(swarm, LOG2 + i); slot++) {
      if (runs.isFree(run, slot)) continue;
      runs.write(run, slot, compact, 0);
      visit(compact, runs.role(run, slot), runs.ageS(run, slot, timeOf(nowS)));
    }
  }

  /** Puts back a count of completions, for a swarm that was stored. False where the table is full. */
  restore(infoHash: Uint8Array, completed: number, nowS: number): boolean {
    let swarm = this.find(infoHash);
    if (swarm < 0) {
      if (this.swarmCount >= this.#limits.maxSwarms) return false;
      swarm = this.#swarms.add(infoHash);
      this.#swarms.set(swarm, EMPTY_SINCE, Math.floor(nowS));
    }
    this.#swarms.set(swarm, COMPLETED, completed);
    return true;
  }

  // ---- peers

  #addPeer(swarm: number, family: 0 | 1, role: number, time: number): boolean {
    const runs = this.#runs[family];
    let run = this.#swarms.get(swarm, RUN + family);
    let log2 = this.#swarms.get(swarm, LOG2 + family);
    if (run === 0) {
      log2 = 0;
      run = runs.allocate(log2);
    } else if (!runs.hasRoom(this.#swarms.get(swarm, COUNT + family), log2)) {
      if (!runs.canGrow(log2)) return false;
      run = runs.resize(run, log2, ++log2);
    }
    this.#swarms.set(swarm, RUN + family, run);
    this.#swarms.set(swarm, LOG2 + family, log2);
    runs.insert(run, log2, role, time);
    this.#swarms.change(swarm, COUNT + family, 1);
    this.#swarms.set(swarm, EMPTY_SINCE, 0);
    this.#peerCount++;
    return true;
  }

  #removePeer(swarm: number, family: 0 | 1, slot: number, nowS: number): void {
    const runs = this.#runs[family];
    const run = this.#swarms.get(swarm, RUN + family);
    this.#countRole(swarm, runs.role(run, slot), -1);
    runs.remove(run, this.#swarms.get(swarm, LOG2 + family), slot);
    this.#swarms.change(swarm, COUNT + family, -1);
    this.#peerCount--;
    if (this.#isEmpty(swarm)) this.#swarms.set(swarm, EMPTY_SINCE, Math.floor(nowS));
  }

  #isEmpty(swarm: number): boolean {
    return this.#swarms.get(swarm, COUNT) + this.#swarms.get(swarm, COUNT + 1) === 0;
  }

  #countRole(swarm: number, role: number, change: 1 | -1): void {
    if (role === SEED) {
      this.#swarms.change(swarm, SEEDS, change);
      this.#seedCount += change;
    } else if (role === PARTIAL_SEED) this.#swarms.change(swarm, PARTIALS, change);
  }

  /** Gives a run back that has no peers, and a smaller one to a run that is less than a quarter full. */
  #shrink(swarm: number, family: 0 | 1): void {
    const runs = this.#runs[family];
    const run = this.#swarms.get(swarm, RUN + family);
    const log2 = this.#swarms.get(swarm, LOG2 + family);
    const count = this.#swarms.get(swarm, COUNT + family);
    if (run === 0) return;
    if (count === 0) {
      runs.release(run, log2);
      this.#swarms.set(swarm, RUN + family, 0);
      this.#swarms.set(swarm, LOG2 + family, 0);
    } else if (count < 2 ** log2 / 4) {
      this.#swarms.set(swarm, RUN + family, runs.resize(run, log2, log2 - 1));
      this.#swarms.set(swarm, LOG2 + family, log2 - 1);
    }
  }
}

const NOBODY = new Uint8Array(16);
