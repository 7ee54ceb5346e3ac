// The counters of all threads in shared memory, a row each. Threads count in objects of their own and write them here once
// a second.
//
//   row:   counters of TrackerCounters | of FaultCounters | gauges of ThreadGauges      each a float of 8 bytes

import { FAULTS } from './faults.ts';
import { type GaugeStats, type ProcessStats, TrackerCounters } from './stats.ts';

/** What a thread says of itself beside its counters: as it is now, no sum over time. */
export class ThreadGauges {
  /** See {@link Pacing}. */
  ageS = 0;
  intervalS = 0;
  /** 1, or 0 where the row is nobody's. */
  serves = 1;
  /** When it wrote this, by the clock that all threads have. */
  atMs = 0;
  /** When it last swept the table; the first thread alone does. */
  sweptMs = 0;
  rssBytes = 0;
  heapBytes = 0;
  cpuS = 0;
  loopDelayP99Ms = 0;
  /** {@link NO_STORE}, {@link STORE_UP} or {@link STORE_AWAY}. */
  store = 0;
}

export const NO_STORE = 0;
export const STORE_UP = 1;
export const STORE_AWAY = 2;

type Count = Exclude<keyof TrackerCounters, 'faults'>;
type Gauge = keyof ThreadGauges;
const COUNTS = Object.keys(new TrackerCounters()).filter((name) => name !== 'faults') as Count[];
const GAUGES = Object.keys(new ThreadGauges()) as Gauge[];
/** What a thread takes with it. */
const ENDING: readonly Gauge[] = ['serves', 'heapBytes', 'loopDelayP99Ms', 'store'];
const FAULTS_AT = COUNTS.length;
const GAUGES_AT: number = FAULTS_AT + FAULTS.length;
const ROW: number = GAUGES_AT + GAUGES.length;

export class CounterBoard {
  readonly #rows: Float64Array;

  /** Memory for a board of so many threads. */
  static memory(threads: number): SharedArrayBuffer {
    return new SharedArrayBuffer(threads * ROW * 8);
  }

  constructor(memory: SharedArrayBuffer) {
    this.#rows = new Float64Array(memory);
  }

  write(row: number, counters: TrackerCounters, gauges: ThreadGauges): void {
    this.#count(row, counters);
    for (const [i, name] of GAUGES.entries()) this.#rows[row * ROW + GAUGES_AT + i] = gauges[name];
  }

  /** How long peers may be silent: the longest of all threads, since the table is swept for all of them. */
  get ageS(): number {
    return Math.max(...this.#gauge('ageS'));
  }

  get gauges(): GaugeStats {
    return {
      threads: this.#gauge('serves').reduce((sum, serves) => sum + serves),
      intervalS: Math.max(...this.#gauge('intervalS')),
      process: this.#costs(),
      store: this.#store(),
    };
  }

  /** When the thread that has been silent for longest last wrote its row. */
  get oldestMs(): number {
    const serves = this.#gauge('serves');
    return Math.min(...this.#gauge('atMs').filter((_, row) => serves[row] === 1));
  }

  get sweptMs(): number {
    return this.#gauge('sweptMs')[0]!;
  }

  /** The thread of a row has ended: nothing is expected of it. Its counts stay, and how long its peers may be silent. */
  retire(row: number): void {
    for (const name of ENDING) this.#rows[row * ROW + GAUGES_AT + GAUGES.indexOf(name)] = 0;
  }

  /** Null where the first thread, which speaks for the process, measures nothing. */
  #costs(): ProcessStats | null {
    const rssBytes = this.#gauge('rssBytes')[0]!;
    if (rssBytes === 0) return null;
    return {
      rssBytes,
      heapBytes: this.#gauge('heapBytes').reduce((sum, bytes) => sum + bytes),
      cpuS: this.#gauge('cpuS')[0]!,
      loopDelayP99Ms: Math.max(...this.#gauge('loopDelayP99Ms')),
    };
  }

  /** Away where one thread cannot reach it. */
  #store(): 'up' | 'away' | null {
    const worst = Math.max(...this.#gauge('store'));
    if (worst === NO_STORE) return null;
    return worst === STORE_AWAY ? 'away' : 'up';
  }

  /** A row, for a thread that takes another's place: it has no connection. */
  read(row: number): TrackerCounters {
    const counters = new TrackerCounters();
    this.#add(row, counters);
    counters.httpConnections = 0;
    counters.wsConnections = 0;
    counters.wsHeldBytes = 0;
    return counters;
  }

  /** The sum of all rows, of which `row` is as `own` has it now. */
  total(row: number, own: TrackerCounters): TrackerCounters {
    this.#count(row, own);
    const sum = new TrackerCounters();
    for (let each = 0; each * ROW < this.#rows.length; each++) this.#add(each, sum);
    return sum;
  }

  /** One gauge of every thread. */
  #gauge(name: Gauge): number[] {
    const values: number[] = [];
    for (let at = GAUGES_AT + GAUGES.indexOf(name); at < this.#rows.length; at += ROW) values.push(this.#rows[at]!);
    return values;
  }

  #count(row: number, counters: TrackerCounters): void {
    const at = row * ROW;
    for (const [i, name] of COUNTS.entries()) this.#rows[at + i] = counters[name];
    for (const [i, name] of FAULTS.entries()) this.#rows[at + FAULTS_AT + i] = counters.faults[name];
  }

  #add(row: number, sum: TrackerCounters): void {
    const at = row * ROW;
    for (const [i, name] of COUNTS.entries()) sum[name] += this.#rows[at + i]!;
    for (const [i, name] of FAULTS.entries()) sum.faults[name] += this.#rows[at + FAULTS_AT + i]!;
  }
}
