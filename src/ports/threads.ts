// Threads of this program that run one of its parts, told by messages of plain values; shared memory may be among them.

export interface ThreadEvents {
  onMessage(message: unknown): void;
  /** Once, whether it was stopped or died: of what, or null. */
  onEnd(error: Error | null): void;
}

export interface Thread {
  post(message: unknown): void;
  /** Resolves when it runs no more. */
  stop(): Promise<void>;
}

export interface Threads {
  /** Starts a thread, which gets `data` to begin with; what of it is in `handed` changes hands. */
  start(data: unknown, events: ThreadEvents, handed?: readonly unknown[]): Thread;
}
