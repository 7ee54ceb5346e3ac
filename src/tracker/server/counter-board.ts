// The counters of all threads in shared memory, a row each. Threads count in objects of their own and write them here once
// a second.

import { TrackerCounters } from './stats.ts';

type Name = keyof TrackerCounters;
const NAMES: readonly Name[] = Object.keys(new TrackerCounters()) as Name[];
/** The last of a row is how long the peers of its thread may be silent. */
const ROW: number = NAMES.length + 1;

export class CounterBoard {
  readonly #rows: Float64Array;

  /** Memory for a board of so many threads. */
  static memory(threads: number): SharedArrayBuffer {
    return new SharedArrayBuffer(threads * ROW * 8);
  }

  constructor(memory: SharedArrayBuffer) {
    this.#rows = new Float64Array(memory);
  }

  /** `ageS`: see {@link Pacing.ageS}. */
  write(row: number, counters: TrackerCounters, ageS: number): void {
    this.#count(row, counters);
    this.#rows[row * ROW + NAMES.length] = ageS;
  }

  /** The longest of all threads: the table is swept for all of them. */
  get ageS(): number {
    let longest = 0;
    for (let at = NAMES.length; at < this.#rows.length; at += ROW) longest = Math.max(longest, this.#rows[at]!);
    return longest;
  }

  /** A row, for a thread that takes another's place: it has no connection. */
  read(row: number): TrackerCounters {
    const counters = new TrackerCounters();
    for (const [i, name] of NAMES.entries()) counters[name] = this.#rows[row * ROW + i]!;
    counters.httpConnections = 0;
    return counters;
  }

  /** The sum of all rows, of which `row` is as `own` has it now. */
  total(row: number, own: TrackerCounters): TrackerCounters {
    this.#count(row, own);
    const sum = new TrackerCounters();
    for (let at = 0; at < this.#rows.length; at += ROW) {
      for (const [i, name] of NAMES.entries()) sum[name] += this.#rows[at + i]!;
    }
    return sum;
  }

  #count(row: number, counters: TrackerCounters): void {
    for (const [i, name] of NAMES.entries()) this.#rows[row * ROW + i] = counters[name];
  }
}
