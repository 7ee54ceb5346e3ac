// The last hour of the tracker in steps of ten seconds, in shared memory: the first thread writes it, every thread can tell
// it.
//
//   memory:   steps ever written | end of the last, ms since 1970 | row | row | …     a row has a float for every column
//
// There is room for one row more than is told, so that the row being written is none of those being read.

export const HISTORY_STEP_S = 10;
/** An hour of steps. */
const STEPS = 360;
const ROOM: number = STEPS + 1;
const HEAD_LENGTH = 2;

/** One step. Announces, scrapes, errors and bytes are rates a second; the rest is as it was at the end. */
export class HistoryPoint {
  announcesHttp = 0;
  announcesUdp = 0;
  announcesWs = 0;
  scrapes = 0;
  errors = 0;
  bytesIn = 0;
  bytesOut = 0;
  peers = 0;
  seeds = 0;
  torrents = 0;
  /** 99th percentile of the step, milliseconds. */
  loopDelayMs = 0;
  rssBytes = 0;
}

export type HistoryColumn = keyof HistoryPoint;

const COLUMNS = Object.keys(new HistoryPoint()) as HistoryColumn[];

/** What `/stats/history` says. */
export interface TrackerHistory {
  readonly stepS: number;
  /** When the last step ended, milliseconds since 1970. */
  readonly endMs: number;
  /** All of one length, the oldest step first; at most an hour. */
  readonly columns: Readonly<Record<HistoryColumn, readonly number[]>>;
}

export class HistoryRing {
  readonly #words: Float64Array;

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer((HEAD_LENGTH + ROOM * COLUMNS.length) * 8);
  }

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Float64Array(memory);
  }

  /** Steps ever added: what `read` gives is the same as long as this is. */
  get added(): number {
    return this.#words[0]!;
  }

  /** For the first thread alone. */
  add(point: HistoryPoint, endMs: number): void {
    const at = this.#rowAt(this.added);
    for (const [i, name] of COLUMNS.entries()) this.#words[at + i] = point[name];
    this.#words[1] = endMs;
    this.#words[0]!++;
  }

  read(): TrackerHistory {
    const { added } = this;
    const count = Math.min(added, STEPS);
    const columns: Partial<Record<HistoryColumn, number[]>> = {};
    for (const [i, name] of COLUMNS.entries()) {
      columns[name] = Array.from({ length: count }, (_, n) => this.#words[this.#rowAt(added - count + n) + i]!);
    }
    return { stepS: HISTORY_STEP_S, endMs: this.#words[1]!, columns: columns as TrackerHistory['columns'] };
  }

  #rowAt(step: number): number {
    return HEAD_LENGTH + (step % ROOM) * COLUMNS.length;
  }
}
