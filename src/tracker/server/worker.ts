// One worker of a tracker: a thread that serves announces over the swarm table that all share. What it needs is told once,
// in plain values; sweep, snapshots and clearing up are the first thread's.

import { assert } from '../../base/assert.ts';
import { describeError } from '../../base/errors.ts';
import type { Timer } from '../../ports/clock.ts';
import { silentLog } from '../../ports/log.ts';
import type { ListenOptions } from '../../ports/sockets.ts';
import { ConnectionIds } from './connection-ids.ts';
import type { PageFile } from './http/pages.ts';
import type { Settings } from './options.ts';
import { Serving, type ServingEnv, type ServingParts } from './serving.ts';
import { CounterBoard } from './status/counter-board.ts';
import { HistoryRing } from './status/history.ts';
import type { ProcessMeter } from './status/process-meter.ts';
import { Status } from './status/status.ts';
import { ThreadReport } from './status/thread-report.ts';
import type { Places } from './store/kept-place.ts';
import { UntoldCompletions } from './store/untold-completions.ts';
import { setLockOwner } from './table/lock.ts';
import { SwarmTable } from './table/swarm-table.ts';
import type { SharedTableMemory } from './table/table-memory.ts';
import { WebRelays } from './web/web-relays.ts';

export interface WorkerJob {
  /** Its name on locks: 2 and up, never used again. */
  readonly owner: number;
  /** Its row on the board. */
  readonly row: number;
  readonly table: SharedTableMemory;
  readonly board: SharedArrayBuffer;
  readonly history: SharedArrayBuffer;
  readonly relays: SharedArrayBuffer;
  /** See {@link UntoldCompletions}; null without a store. */
  readonly untold: ArrayBuffer | SharedArrayBuffer | null;
  readonly places: Places;
  readonly settings: Settings;
  readonly pages: readonly PageFile[];
  /** Ports filled in. */
  readonly listen: readonly ListenOptions[];
  readonly connectionKey: Uint8Array;
  readonly trackerId: Uint8Array;
  /** When the tracker began, by the clock that all threads have. */
  readonly startedMs: number;
}

export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly reason: string }
  /** Frames for connections of another thread; see {@link WebRelays}. A worker is sent them as they are. */
  | { readonly kind: 'frames'; readonly to: number; readonly batch: Uint8Array };
/** What a worker is told beside batches of frames: to close and end. */
export const STOP_WORKER = 'stop';

export interface RunningWorker {
  /** Takes what the first thread has posted, but for {@link STOP_WORKER}. */
  hear(message: unknown): void;
  close(): Promise<void>;
}

const TICK_MS = 1000;

/** What a worker's thread has of its own beside what it is told. */
export interface WorkerParts extends Pick<ServingParts, 'access' | 'ledger' | 'others' | 'gzip' | 'store'> {
  readonly meter: ProcessMeter | null;
}

/** Serves until what it resolves with is closed. `env.clock` shows the same time on all threads. */
export async function runTrackerWorker(
  env: ServingEnv,
  job: WorkerJob,
  say: (message: WorkerMessage) => void,
  { meter, ...own }: WorkerParts,
): Promise<RunningWorker> {
  setLockOwner(job.owner);
  const { clock, random } = env;
  const table = SwarmTable.open(job.table, random, job.settings.table);
  const board = new CounterBoard(job.board);
  const counters = board.read(job.row);
  const history = new HistoryRing(job.history);
  const { startedMs, settings } = job;
  const { hasCatalogue } = settings;
  const serving = new Serving(env, {
    settings,
    table,
    counters,
    ids: new ConnectionIds(job.connectionKey),
    trackerId: job.trackerId,
    ...own,
    untold: job.untold === null ? null : new UntoldCompletions(job.untold, job.row),
    places: job.places,
    hearsPlace: false,
    log: silentLog,
    pages: job.pages,
    thread: job.owner,
    relays: new WebRelays(job.relays, (to, batch) => say({ kind: 'frames', to, batch })),
    status: new Status({ clock, table, board, row: job.row, counters, history, startedMs, hasCatalogue }),
  });
  const { pacing, mirror } = serving;
  const report = new ThreadReport({ board, row: job.row, counters, pacing, mirror, meter });
  let timer: Timer | null = null;
  const tick = (): void => {
    serving.tick();
    report.write(clock.nowMs());
    timer = clock.after(TICK_MS, tick);
  };
  try {
    assert(job.untold === null || mirror !== null, 'a thread shares the swarms of the store as the first one does');
    // The first thread has found out what there is to be told.
    await mirror?.open();
    for (const listen of job.listen) await serving.listen(listen);
    tick();
    say({ kind: 'ready' });
  } catch (error) {
    say({ kind: 'failed', reason: describeError(error) });
  }
  return {
    hear: (message) => {
      if (message instanceof Uint8Array) serving.hear(message);
    },
    close: async () => {
      timer?.cancel();
      await serving.close();
    },
  };
}
