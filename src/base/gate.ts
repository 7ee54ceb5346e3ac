// Something that happens once, or fails, and that many may wait for.

/** A promise with its outcome decided from outside, once; waiting can be aborted without touching the others. */
export class Gate<T> {
  readonly #promise: Promise<T>;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;
  #state: 'shut' | 'open' | 'failed' = 'shut';

  constructor() {
    this.#promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A failure that nobody waits for is no unhandled rejection.
    this.#promise.catch(() => undefined);
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isDecided(): boolean {
    return this.#state !== 'shut';
  }

  /** What counts is the first call of `open` or `fail`. */
  open(value: T): void {
    if (this.#state !== 'shut') return;
    this.#state = 'open';
    this.#resolve(value);
  }

  fail(error: unknown): void {
    if (this.#state !== 'shut') return;
    this.#state = 'failed';
    this.#reject(error);
  }

  /** Rejects with the signal's reason when it aborts first. */
  wait(options: { readonly signal?: AbortSignal } = {}): Promise<T> {
    const { signal } = options;
    if (!signal) return this.#promise;
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error);
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      this.#promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }
}
