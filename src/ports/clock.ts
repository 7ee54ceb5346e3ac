// Time as the house sees it: two readings and two ways to be called later.

export interface Timer {
  /** After this the callback never runs. Idempotent. */
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds since an arbitrary start; may have a fraction. */
  nowMs(): number;
  /** Milliseconds since 1970-01-01 UTC; may jump. */
  wallMs(): number;
  /** Runs `callback` once, not before `delayMs` have passed. A timer alone does not keep the program running. */
  after(delayMs: number, callback: () => void): Timer;
  /** Runs `callback` once when what is ready in this turn (chunks of all sockets) has been handled. */
  defer(callback: () => void): void;
}

/** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      timer.cancel();
      reject(signal!.reason as Error);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
