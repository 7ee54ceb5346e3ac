// The worker threads of a tracker, as the first thread sees them: started, watched, replaced when one dies.

import { describeError, ShoalError } from '../../base/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { Thread, Threads } from '../../ports/threads.ts';
import type { SwarmTable } from './table/swarm-table.ts';
import { STOP_WORKER, type WorkerJob, type WorkerMessage } from './worker.ts';

export interface WorkersOptions {
  readonly threads: Threads;
  readonly table: SwarmTable;
  readonly log: Log;
  /** Hears batches of frames for the first thread; see {@link WebRelays}. */
  hear(batch: Uint8Array): void;
  /** Forgets what was on its way to a thread that is no more, and what that of the row had to tell. False where it is to be tried again. */
  forget(thread: number, row: number): boolean;
  /** Of worker `row`, but for its name. */
  readonly job: Omit<WorkerJob, 'owner' | 'row'>;
  /** The thread of a row has ended. */
  ended(row: number): void;
  /** Resolves after about a second: for threads to end by themselves, and before a dead one is replaced. */
  patience(): Promise<void>;
}

/** The name of the thread that starts the others. */
export const FIRST_THREAD = 1;

export class Workers {
  readonly #options: WorkersOptions;
  readonly #running = new Map<number, Thread>();
  /** Name of the worker started last. */
  #owner = FIRST_THREAD;
  #closed = false;
  #ended: (() => void) | null = null;

  constructor(options: WorkersOptions) {
    this.#options = options;
  }

  /** Starts the worker of a row of the board. Rejects with what it could not do. */
  start(row: number): Promise<void> {
    const { threads, job, ended } = this.#options;
    const owner = ++this.#owner;
    let served = false;
    return new Promise((resolve, reject) => {
      const thread = threads.start(
        { ...job, owner, row },
        {
          onMessage: (message) => {
            const said = message as WorkerMessage;
            if (said.kind === 'frames') {
              this.relay(said.to, said.batch);
              return;
            }
            served ||= said.kind === 'ready';
            if (said.kind === 'ready') resolve();
            else reject(new ShoalError('LISTEN_FAILED', said.reason));
          },
          onEnd: (error) => {
            this.#running.delete(owner);
            ended(row);
            if (this.#running.size === 0) this.#ended?.();
            reject(error ?? new ShoalError('STOPPED', 'a thread of the tracker has ended'));
            if (!this.#closed) void this.#replace(owner, row, error, served);
          },
        },
      );
      this.#running.set(owner, thread);
    });
  }

  /** Passes a batch of frames on to a thread; to one that is no more they are lost. */
  relay(to: number, batch: Uint8Array): void {
    if (to === FIRST_THREAD) this.#options.hear(batch);
    else this.#running.get(to)?.post(batch);
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    this.#closed = true;
    const threads = [...this.#running.values()];
    for (const thread of threads) thread.post(STOP_WORKER);
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    if (threads.length > 0) await Promise.race([ended, this.#options.patience()]);
    // Whoever hangs is ended as it is.
    await Promise.all([...this.#running.values()].map((thread) => thread.stop()));
    // None is left that could be in a shard; what it was in is emptied before it is saved.
    for (let owner = 2; owner <= this.#owner; owner++) this.#options.table.recover(owner);
  }

  /** One that never served would not serve the next time. */
  async #replace(owner: number, row: number, error: Error | null, served: boolean): Promise<void> {
    const { log, table, patience } = this.#options;
    const emptied = table.recover(owner);
    // Where two have died, that of the other may have to be done first.
    while (!this.#options.forget(owner, row) && !this.#closed) await patience();
    const what = { error: error === null ? 'it ended' : describeError(error), shardsEmptied: emptied };
    if (!served) {
      log.write('error', 'a thread of the tracker could not serve; the others go on without it', what);
      return;
    }
    log.write('warn', 'a thread of the tracker died; another takes its place', what);
    await patience();
    if (!this.#closed) await this.start(row).catch(() => undefined);
  }
}
