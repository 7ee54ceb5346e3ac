// The peers of one swarm and family: one run, or, for large swarms, a directory of runs that are split one at a time
// (extendible hashing), so that no announce moves more than one run's peers.
//
//   shape 0…10       root is a run of 2^shape records
//   LARGE | depth    root is a directory of 2^depth addresses of runs of 1024 records; entry e has the peers whose hash
//                    has e in the bits above the tenth. A run that was split less often stands in several entries:
//                    the first of them counts, the others are its aliases.

import type { Arena } from './arena.ts';
import { type PeerRuns, RUN_LOG2 } from './peer-runs.ts';
import { SEGMENT_WORDS, type TableMemory } from './table-memory.ts';

export const LARGE = 0x100;
/** A directory has to fit a segment: 16,384 runs, ten million peers in one swarm. */
const MAX_DEPTH = 14;
const RUN_MASK: number = (1 << RUN_LOG2) - 1;
const IN_SEGMENT: number = SEGMENT_WORDS - 1;

export class PeerSets {
  readonly runs: PeerRuns;
  /** The set that {@link add}, {@link shrink} and {@link move} leave behind; {@link fold} leaves it where it is. */
  root = 0;
  shape = 0;
  readonly #memory: TableMemory;

  constructor(memory: TableMemory, runs: PeerRuns) {
    this.#memory = memory;
    this.runs = runs;
  }

  /** The run that has the peer in question, or would have it; 2^{@link runLog2} records. `root` is not 0. */
  runOf(root: number, shape: number): number {
    return shape < LARGE ? root : this.entry(root, (this.runs.hash >>> RUN_LOG2) & ((1 << (shape - LARGE)) - 1));
  }

  runLog2(shape: number): number {
    return shape < LARGE ? shape : RUN_LOG2;
  }

  /** Slots that a walk over the set visits, aliases and free ones included. */
  slots(root: number, shape: number): number {
    if (root === 0) return 0;
    return shape < LARGE ? 1 << shape : 1 << (shape - LARGE + RUN_LOG2);
  }

  /** The run that `slot` of a walk is in; 0 where it belongs to an alias. */
  runAt(root: number, shape: number, slot: number): number {
    if (shape < LARGE) return root;
    const entry = slot >>> RUN_LOG2;
    const run = this.entry(root, entry);
    return entry !== 0 && this.entry(root, withoutTopBit(entry)) === run ? 0 : run;
  }

  /** Where `slot` of a walk is in its run. */
  slotIn(shape: number, slot: number): number {
    return shape < LARGE ? slot : slot & RUN_MASK;
  }

  /** Adds the peer in question, which must not be there, to a set of `count` peers. False where there is no room. */
  add(arena: Arena, root: number, shape: number, count: number, role: number, time: number): boolean {
    this.root = root;
    this.shape = shape;
    if (root === 0) {
      this.shape = 0;
      this.root = this.runs.allocate(arena, 0);
      if (this.root === 0) return false;
    } else if (shape < LARGE && !this.runs.hasRoom(count, shape) && !this.#grow(arena)) return false;
    if (this.shape < LARGE) return this.runs.insert(this.root, this.shape, role, time, false);
    while (!this.runs.insert(this.runOf(this.root, this.shape), RUN_LOG2, role, time, true)) {
      if (!this.#split(arena)) return false;
    }
    return true;
  }

  /** Gives back what a set of `count` peers has no use for: one step. {@link fold} does it for the runs of a large one. */
  shrink(arena: Arena, root: number, shape: number, count: number): void {
    this.root = root;
    this.shape = shape;
    if (root === 0) return;
    if (shape >= LARGE) {
      if (shape > LARGE) this.#halve(arena);
      else if (count < RUN_MASK / 2) {
        this.root = this.entry(root, 0);
        this.shape = RUN_LOG2;
        arena.release(root, 1, directoryLog2(0));
      }
    } else if (count === 0) {
      this.runs.release(arena, root, shape);
      this.root = 0;
      this.shape = 0;
    } else if (count < this.runs.crowd(shape)) this.#resize(arena, shape - 1);
  }

  /**
   * Merges the run of an entry with its lower half where both together fill less than half of one. A walk has gone over
   * that one before: so it misses nobody, as it would if it merged a run with one that is still to come.
   */
  fold(arena: Arena, root: number, shape: number, entry: number): void {
    if (shape <= LARGE) return;
    const half = 1 << (shape - LARGE - 1);
    if (entry < half) return;
    const low = entry - half;
    const [kept, given] = [this.entry(root, low), this.entry(root, entry)];
    if (kept === given) return;
    if (this.runs.countIn(kept, RUN_LOG2) + this.runs.countIn(given, RUN_LOG2) > RUN_MASK / 2) return;
    this.runs.copy(given, RUN_LOG2, kept, RUN_LOG2);
    this.runs.release(arena, given, RUN_LOG2);
    this.#setEntry(root, entry, kept);
  }

  /** Moves the run that begins at `slot` of a walk out of an old segment of the arena, and the directory too. */
  move(arena: Arena, root: number, shape: number, slot: number): void {
    this.root = root;
    this.shape = shape;
    if (shape < LARGE) {
      if (arena.isOld(root)) this.#resize(arena, shape);
      return;
    }
    if (arena.isOld(root)) this.#setDirectory(arena, shape - LARGE);
    const run = this.runAt(this.root, shape, slot);
    if (run === 0 || !arena.isOld(run)) return;
    const moved = this.runs.allocate(arena, RUN_LOG2);
    if (moved === 0) return;
    this.runs.copy(run, RUN_LOG2, moved, RUN_LOG2);
    this.runs.release(arena, run, RUN_LOG2);
    for (let entry = 0; entry < 1 << (shape - LARGE); entry++) {
      if (this.entry(this.root, entry) === run) this.#setEntry(this.root, entry, moved);
    }
  }

  entry(root: number, entry: number): number {
    return this.#memory.view(root)[(root & IN_SEGMENT) + entry]!;
  }

  #setEntry(root: number, entry: number, run: number): void {
    this.#memory.view(root)[(root & IN_SEGMENT) + entry] = run;
  }

  #grow(arena: Arena): boolean {
    if (this.shape < RUN_LOG2) return this.#resize(arena, this.shape + 1);
    const directory = arena.allocate(1, directoryLog2(0));
    if (directory === 0) return false;
    this.#setEntry(directory, 0, this.root);
    this.root = directory;
    this.shape = LARGE;
    return true;
  }

  #resize(arena: Arena, log2: number): boolean {
    const run = this.runs.allocate(arena, log2);
    if (run === 0) return false;
    this.runs.copy(this.root, this.shape, run, log2);
    this.runs.release(arena, this.root, this.shape);
    this.root = run;
    this.shape = log2;
    return true;
  }

  /** Splits the run of the peer in question. */
  #split(arena: Arena): boolean {
    let depth = this.shape - LARGE;
    const entry = (this.runs.hash >>> RUN_LOG2) & ((1 << depth) - 1);
    const run = this.entry(this.root, entry);
    let own = depth;
    while (own > 0 && this.entry(this.root, entry ^ (1 << (own - 1))) === run) own--;
    if (own === depth && (depth === MAX_DEPTH || !this.#setDirectory(arena, ++depth))) return false;
    const bit = 1 << (own + RUN_LOG2);
    const zeros = this.runs.allocate(arena, RUN_LOG2);
    const ones = zeros === 0 ? 0 : this.runs.allocate(arena, RUN_LOG2);
    if (ones === 0) {
      if (zeros !== 0) this.runs.release(arena, zeros, RUN_LOG2);
      return false;
    }
    this.runs.copy(run, RUN_LOG2, zeros, RUN_LOG2, bit, 0);
    this.runs.copy(run, RUN_LOG2, ones, RUN_LOG2, bit, bit);
    this.runs.release(arena, run, RUN_LOG2);
    for (let at = entry & ((1 << own) - 1); at < 1 << depth; at += 1 << own) {
      this.#setEntry(this.root, at, (at >>> own) & 1 ? ones : zeros);
    }
    return true;
  }

  /** Half the directory, where the other half has nothing but aliases. */
  #halve(arena: Arena): void {
    const half = 1 << (this.shape - LARGE - 1);
    for (let entry = 0; entry < half; entry++) {
      if (this.entry(this.root, entry) !== this.entry(this.root, entry + half)) return;
    }
    this.#setDirectory(arena, this.shape - LARGE - 1);
  }

  /** The directory in a new block of a depth that is the same, one more or one less. */
  #setDirectory(arena: Arena, depth: number): boolean {
    const before = this.shape - LARGE;
    const directory = arena.allocate(1, directoryLog2(depth));
    if (directory === 0) return false;
    for (let entry = 0; entry < 1 << depth; entry++) {
      this.#setEntry(directory, entry, this.entry(this.root, entry & ((1 << before) - 1)));
    }
    arena.release(this.root, 1, directoryLog2(before));
    this.root = directory;
    this.shape = LARGE + depth;
    return true;
  }
}

/** Blocks have two words at least. */
function directoryLog2(depth: number): number {
  return Math.max(1, depth);
}

function withoutTopBit(entry: number): number {
  return entry ^ (1 << (31 - Math.clz32(entry)));
}
