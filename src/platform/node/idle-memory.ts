// Memory that V8 keeps and nobody needs, given back to the system while the process has nothing to do.
//
// A start leaves garbage, and a young generation as large as it gets (32 MiB). V8 tidies up when new objects want room: in
// a process that waits for peers, hardly ever.

import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Between two looks. */
const LOOK_MS = 1000;
/** Less than this share of a core is idle: a collection takes some hundredths of a second, and would delay others. */
const IDLE_CORE = 0.05;
/** Collections are worth so much growth since the last ones. */
const WORTH_BYTES: number = 8 * 1024 * 1024;
/** V8 lets go of the young generation in a collection before which little was made for 5 s. */
const QUIET_LOOKS = 6;

export interface HeapMeasures {
  /** CPU time of the process up to now, all threads. */
  cpuMs(): number;
  /** What the heap takes of the system's memory. */
  heapBytes(): number;
  /** Of the whole heap, or (nearly free) of what is young. */
  collect(what: 'all' | 'young'): void;
}

/** The second gives back pages that the first found half empty, the third the young generation. */
const COLLECTIONS = ['all', 'all', 'young'] as const;

/** When to collect; `look` is to be called every {@link LOOK_MS}. */
export class IdleMemory {
  readonly #measures: HeapMeasures;
  #cpuMs = 0;
  /** The heap after the last collections. */
  #settledBytes = 0;
  /** How many of {@link COLLECTIONS} were made. */
  #made = 0;
  /** Idle looks in a row since the last one. */
  #quiet = 0;

  constructor(measures: HeapMeasures) {
    this.#measures = measures;
  }

  look(): void {
    const cpuMs = this.#measures.cpuMs();
    const isIdle = cpuMs - this.#cpuMs < IDLE_CORE * LOOK_MS;
    this.#cpuMs = cpuMs;
    this.#quiet = isIdle ? this.#quiet + 1 : 0;
    if (!isIdle || !this.#isDue()) return;
    this.#measures.collect(COLLECTIONS[this.#made]!);
    this.#cpuMs = this.#measures.cpuMs();
    this.#quiet = 0;
    this.#made = (this.#made + 1) % COLLECTIONS.length;
    if (this.#made === 0) this.#settledBytes = this.#measures.heapBytes();
  }

  #isDue(): boolean {
    if (this.#made === 0) return this.#measures.heapBytes() - this.#settledBytes >= WORTH_BYTES;
    return COLLECTIONS[this.#made] === 'all' || this.#quiet >= QUIET_LOOKS;
  }
}

/** Looks after this process's memory until the function that is returned is called; keeps no process alive. */
export function giveBackIdleMemory(): () => void {
  const memory = new IdleMemory({
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    heapBytes: () => getHeapStatistics().total_physical_size,
    collect: collectGarbage,
  });
  const timer = setInterval(() => memory.look(), LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** V8 has the function for contexts that are made while this flag is set; keeping it would keep its context. */
function collectGarbage(what: 'all' | 'young'): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect !== 'function') return;
  // With any argument Node 20 collects what is young only.
  if (what === 'all') collect();
  else collect({ type: 'minor' });
}
