// Threads on Node: workers that all run one module, beside this one or in the built program.

import { type TransferListItem, Worker } from 'node:worker_threads';
import type { Thread, ThreadEvents, Threads } from '../../ports/threads.ts';

/** `module`: where the workers begin. */
export function createNodeThreads(module: URL, name: string): Threads {
  return { start: (data, events, handed = []) => new NodeThread(module, name, data, events, handed) };
}

class NodeThread implements Thread {
  readonly #worker: Worker;
  #error: Error | null = null;

  constructor(module: URL, name: string, data: unknown, events: ThreadEvents, handed: readonly unknown[]) {
    const transferList = handed as TransferListItem[];
    this.#worker = new Worker(module, { name, workerData: data, transferList, execArgv: [] });
    this.#worker.on('message', (message) => events.onMessage(message));
    this.#worker.on('error', (error) => {
      this.#error = error as Error;
    });
    this.#worker.on('exit', () => events.onEnd(this.#error));
  }

  post(message: unknown): void {
    this.#worker.postMessage(message);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
