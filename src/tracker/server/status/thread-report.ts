// What a thread of the tracker writes on the board once a second, for whichever thread is asked.

import type { SwarmMirror } from '../access.ts';
import type { Pacing } from '../pacing.ts';
import { type CounterBoard, NO_STORE, STORE_AWAY, STORE_UP, ThreadGauges } from './counter-board.ts';
import type { ProcessMeter } from './process-meter.ts';
import type { TrackerCounters } from './stats.ts';

/** The delay of the event loop is told of so long a time. */
const DELAY_WINDOW_MS = 10_000;

export interface ThreadReportOptions {
  readonly board: CounterBoard;
  /** The thread's row. */
  readonly row: number;
  readonly counters: TrackerCounters;
  readonly pacing: Pacing;
  readonly mirror: SwarmMirror | null;
  readonly meter: ProcessMeter | null;
}

export class ThreadReport {
  readonly #options: ThreadReportOptions;
  readonly gauges: ThreadGauges = new ThreadGauges();
  #windowEndMs = 0;

  constructor(options: ThreadReportOptions) {
    this.#options = options;
  }

  write(nowMs: number): void {
    const { board, row, counters, pacing, mirror, meter } = this.#options;
    const { gauges } = this;
    gauges.atMs = nowMs;
    gauges.ageS = pacing.ageS();
    gauges.intervalS = pacing.meanIntervalS();
    gauges.store = mirror === null ? NO_STORE : mirror.isAway ? STORE_AWAY : STORE_UP;
    if (meter !== null) {
      gauges.rssBytes = meter.rssBytes();
      gauges.heapBytes = meter.heapBytes();
      gauges.cpuS = meter.cpuS();
      if (nowMs >= this.#windowEndMs) {
        this.#windowEndMs = nowMs + DELAY_WINDOW_MS;
        gauges.loopDelayP99Ms = meter.takeLoopDelayP99Ms();
      }
    }
    board.write(row, counters, gauges);
  }
}
