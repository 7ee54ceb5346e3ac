// Choosing peers for an answer: some of the asker's own network, where there are any, the rest at random, all alike.
//
// A random start and a random odd stride over groups of slots visit each slot at most once and every slot with the same
// probability: no peer is favoured, none comes twice.

import type { Random } from '../../../ports/random.ts';
import type { Network } from '../network.ts';
import { LEECH, type PeerRuns, roleIn } from './peer-runs.ts';
import { LARGE, type PeerSets } from './peer-sets.ts';
import { SEGMENT_WORDS, type TableMemory } from './table-memory.ts';

/** Slots that are neighbours share a cache line: in larger sets a group of them is looked at together… */
const GROUP_LOG2 = 3;
const SMALL_SET = 64;
/** …but not for few peers, of which crowded groups would give too few. */
const FEW = 32;
/** So many slots are looked at for peers of the asker's network: all of most swarms, a sample of a large one. */
const NEAR_VISITS = 512;
const IN_SEGMENT: number = SEGMENT_WORDS - 1;

export class PeerWalk {
  readonly #memory: TableMemory;
  readonly #random: Random;
  /** Addresses of the records chosen, those of the asker's network and others. */
  readonly #near: Uint32Array;
  readonly #others: Uint32Array;
  #nearCount = 0;
  #otherCount = 0;
  #chosen = 0;
  #turn = 0;

  /** `most`: peers of an answer at most. */
  constructor(memory: TableMemory, random: Random, most: number) {
    this.#memory = memory;
    this.#random = random;
    this.#near = new Uint32Array(most);
    this.#others = new Uint32Array(most);
  }

  /**
   * Chooses up to `wanted` peers of a set of `count`, not the one that the runs' key names, and without `seedsToo` none
   * that downloads no more. Up to half are of `network` (null: nobody is), more only where there are too few others.
   * Writes them, compact, into `into` from `at` on, and what comes with each into `extras`, where that is not null.
   * Returns their number.
   */
  pick(
    sets: PeerSets,
    root: number,
    shape: number,
    count: number,
    wanted: number,
    seedsToo: boolean,
    network: Network | null,
    into: DataView,
    at: number,
    extras: Uint8Array | null,
  ): number {
    // The asker is not among those that it wants.
    if (shape < LARGE && count - (sets.runs.namesNobody ? 0 : 1) <= wanted) {
      return this.#writeAll(sets, root, shape, wanted, seedsToo, into, at, extras);
    }
    const picked = this.#choose(sets, root, shape, wanted, seedsToo, network);
    this.#write(sets, into, at, extras);
    return picked;
  }

  #choose(
    sets: PeerSets,
    root: number,
    shape: number,
    wanted: number,
    seedsToo: boolean,
    network: Network | null,
  ): number {
    this.#nearCount = 0;
    this.#otherCount = 0;
    const slots = sets.slots(root, shape);
    const groupLog2 = slots > SMALL_SET && wanted >= FEW ? GROUP_LOG2 : 0;
    const groups = slots >> groupLog2;
    const stride = this.#strideOver(groups);
    let group = this.#random.below(groups);
    // An answer may end within a group: which slot of it comes first is chance too.
    this.#turn = this.#random.below(1 << groupLog2);
    const half = network === null ? 0 : wanted >> 1;
    const nearVisits = network === null ? 0 : NEAR_VISITS;
    // In a swarm of many seeds a seed would look at all of them to find a leech.
    const most = Math.min(slots, 16 * wanted + NEAR_VISITS);
    if (groupLog2 === 0 && shape < LARGE) {
      this.#lookThrough(sets.runs, root, group, stride, slots, most, wanted, half, nearVisits, seedsToo, network);
      return this.#divide(wanted, half);
    }
    for (let visited = 0; visited < most; group = (group + stride) & (groups - 1)) {
      const near = Math.min(this.#nearCount, half);
      if (this.#otherCount + near >= wanted && (near === half || visited >= nearVisits)) break;
      this.#look(sets, root, shape, group << groupLog2, 1 << groupLog2, wanted, seedsToo, network);
      visited += 1 << groupLog2;
    }
    return this.#divide(wanted, half);
  }

  /** Where all of a set that is one run are wanted: they are chosen and written in one pass. */
  #writeAll(
    sets: PeerSets,
    run: number,
    shape: number,
    wanted: number,
    seedsToo: boolean,
    into: DataView,
    at: number,
    extras: Uint8Array | null,
  ): number {
    const { runs } = sets;
    const { words, tail, extraLength } = runs;
    const length = runs.keyLength + 2;
    const memory = this.#memory.view(run);
    const base = run & IN_SEGMENT;
    const slots = sets.slots(run, shape);
    // Clients may ask the first ones alone: who stands there is chance.
    const stride = this.#strideOver(slots);
    let slot = this.#random.below(slots);
    let written = 0;
    for (let i = 0; i < slots && written < wanted; i++) {
      const from = base + slot * words;
      slot = (slot + stride) & (slots - 1);
      const word = memory[from + tail]!;
      if (word === 0 || (!seedsToo && roleIn(word) !== LEECH) || runs.isKey(memory, from)) continue;
      runs.write(memory, from, into, at + written * length);
      if (extras !== null) runs.writeExtra(memory, from, extras, written * extraLength);
      written++;
    }
    return written;
  }

  #write(sets: PeerSets, into: DataView, at: number, extras: Uint8Array | null): void {
    const { runs } = sets;
    const { extraLength } = runs;
    const length = runs.keyLength + 2;
    let memory: Uint32Array = NOTHING;
    let segment = -1;
    const near = this.#near;
    const others = this.#others;
    const nearCount = this.#nearCount;
    const chosen = this.#chosen;
    for (let i = 0; i < chosen; i++) {
      const address = i < nearCount ? near[i]! : others[i - nearCount]!;
      // Peers of one run, which most answers have, are in one segment.
      if (address - (address & IN_SEGMENT) !== segment) {
        segment = address - (address & IN_SEGMENT);
        memory = this.#memory.view(address);
      }
      runs.write(memory, address & IN_SEGMENT, into, at + i * length);
      if (extras !== null) runs.writeExtra(memory, address & IN_SEGMENT, extras, i * extraLength);
    }
  }

  /** A random one with which a walk over a power of two visits each once. */
  #strideOver(count: number): number {
    return (this.#random.below(count) | 1) & (count - 1 || 1);
  }

  #divide(wanted: number, half: number): number {
    if (this.#nearCount > half) {
      this.#nearCount = Math.min(this.#nearCount, Math.max(half, wanted - this.#otherCount));
    }
    this.#chosen = Math.min(wanted, this.#nearCount + this.#otherCount);
    return this.#chosen;
  }

  /** What {@link #look} does slot by slot, for a set that is one run: most are. */
  #lookThrough(
    runs: PeerRuns,
    run: number,
    start: number,
    stride: number,
    slots: number,
    most: number,
    wanted: number,
    half: number,
    nearVisits: number,
    seedsToo: boolean,
    network: Network | null,
  ): void {
    const memory = this.#memory.view(run);
    const base = run & IN_SEGMENT;
    const { words, tail } = runs;
    const near = this.#near;
    const others = this.#others;
    let nearCount = 0;
    let otherCount = 0;
    let slot = start;
    for (let visited = 0; visited < most; visited++) {
      const enough = otherCount + Math.min(nearCount, half) >= wanted;
      if (enough && (nearCount >= half || visited >= nearVisits)) break;
      const at = base + slot * words;
      slot = (slot + stride) & (slots - 1);
      const word = memory[at + tail]!;
      if (word === 0 || (!seedsToo && roleIn(word) !== LEECH) || runs.isKey(memory, at)) continue;
      if (network?.holds(memory, at)) {
        if (nearCount < wanted) near[nearCount++] = run - base + at;
      } else if (otherCount < wanted) others[otherCount++] = run - base + at;
    }
    this.#nearCount = nearCount;
    this.#otherCount = otherCount;
  }

  #look(
    sets: PeerSets,
    root: number,
    shape: number,
    slot: number,
    count: number,
    wanted: number,
    seedsToo: boolean,
    network: Network | null,
  ): void {
    const run = sets.runAt(root, shape, slot);
    if (run === 0) return;
    const { runs } = sets;
    const memory = this.#memory.view(run);
    const first = (run & IN_SEGMENT) + sets.slotIn(shape, slot) * runs.words;
    for (let i = 0; i < count; i++) {
      const at = first + ((i + this.#turn) & (count - 1)) * runs.words;
      const tail = memory[at + runs.tail]!;
      if (tail === 0 || (!seedsToo && roleIn(tail) !== LEECH) || runs.isKey(memory, at)) continue;
      const address = run - (run & IN_SEGMENT) + at;
      if (network?.holds(memory, at)) {
        if (this.#nearCount < wanted) this.#near[this.#nearCount++] = address;
      } else if (this.#otherCount < wanted) this.#others[this.#otherCount++] = address;
    }
  }
}

const NOTHING = new Uint32Array(0);
