// What a tracker says of itself, the same whichever of its threads is asked.

import type { Clock } from '../../../ports/clock.ts';
import type { SwarmTable } from '../table/swarm-table.ts';
import type { CounterBoard } from './counter-board.ts';
import type { HistoryRing, TrackerHistory } from './history.ts';
import { metricsText } from './metrics.ts';
import { type TrackerCounters, type TrackerStats, trackerStats } from './stats.ts';

/** A thread writes its row every second; one that does not for so long hangs. */
const HANGING_MS = 15_000;
/** The sweep rests for half a minute between two rounds. */
const SWEEP_LATE_MS = 90_000;

export interface StatusOptions {
  readonly clock: Clock;
  readonly table: SwarmTable;
  readonly board: CounterBoard;
  /** The row of this thread, and what it counts. */
  readonly row: number;
  readonly counters: TrackerCounters;
  readonly history: HistoryRing;
  /** When the tracker began, by the clock that all threads have. */
  readonly startedMs: number;
  readonly hasCatalogue: boolean;
}

/** `isWell` false: whoever divides requests among trackers should leave this one out. */
export interface Health {
  readonly isWell: boolean;
  /** One line. */
  readonly text: string;
}

export class Status {
  readonly #options: StatusOptions;
  /** Said once: the clock on the wall may jump. */
  readonly #startedS: number;

  constructor(options: StatusOptions) {
    this.#options = options;
    const { clock, startedMs } = options;
    this.#startedS = Math.round(clock.wallMs() - (clock.nowMs() - startedMs)) / 1000;
  }

  stats(): TrackerStats {
    const { clock, table, board, row, counters, startedMs, hasCatalogue } = this.#options;
    const total = board.total(row, counters);
    const uptimeS = (clock.nowMs() - startedMs) / 1000;
    return trackerStats({ table, total, gauges: board.gauges, uptimeS, hasCatalogue });
  }

  metrics(): string {
    return metricsText(this.stats(), this.#startedS);
  }

  /** Changes when `historySteps` does. */
  history(): TrackerHistory {
    return this.#options.history.read();
  }

  get historySteps(): number {
    return this.#options.history.added;
  }

  /** A tracker whose store is away still answers, and so do the others that share it: it stays in use. */
  health(): Health {
    const { board, clock } = this.#options;
    const nowMs = clock.nowMs();
    const hanging = board.oldestMs < nowMs - HANGING_MS;
    if (hanging) return { isWell: false, text: `a thread hangs for ${seconds(nowMs - board.oldestMs)}` };
    if (board.sweptMs < nowMs - SWEEP_LATE_MS) {
      return { isWell: false, text: `old peers are not forgotten for ${seconds(nowMs - board.sweptMs)}` };
    }
    return {
      isWell: true,
      text: board.gauges.store === 'away' ? 'ok, but the store is away: answered from what is known' : 'ok',
    };
  }
}

function seconds(ms: number): string {
  return `${Math.floor(ms / 1000)} s`;
}
