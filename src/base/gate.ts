// Something that happens once, or fails, and that many may wait for.

type State<T> =
  | { readonly is: 'shut' }
  | { readonly is: 'open'; readonly value: T }
  | { readonly is: 'failed'; readonly error: unknown };

const SHUT: State<never> = { is: 'shut' };

/**
 * A promise with its outcome decided from outside, once; waiting can be aborted without touching the others. Costs next
 * to nothing while nobody waits.
 */
export class Gate<T> {
  #state: State<T> = SHUT;
  #decided: Promise<void> | null = null;
  #onDecided: (() => void) | null = null;

  get isOpen(): boolean {
    return this.#state.is === 'open';
  }

  get isDecided(): boolean {
    return this.#state.is !== 'shut';
  }

  /** What counts is the first call of `open` or `fail`. */
  open(value: T): void {
    this.#decide({ is: 'open', value });
  }

  fail(error: unknown): void {
    this.#decide({ is: 'failed', error });
  }

  /** Rejects with the signal's reason when it aborts first. */
  wait(options: { readonly signal?: AbortSignal } = {}): Promise<T> {
    const { signal } = options;
    if (!signal) return this.#outcome();
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error);
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      this.#outcome()
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  async #outcome(): Promise<T> {
    if (this.#state.is === 'shut') {
      this.#decided ??= new Promise((resolve) => {
        this.#onDecided = resolve;
      });
      await this.#decided;
    }
    const state = this.#state;
    if (state.is === 'open') return state.value;
    throw (state as { error: unknown }).error;
  }

  #decide(state: State<T>): void {
    if (this.#state.is !== 'shut') return;
    this.#state = state;
    this.#onDecided?.();
    this.#onDecided = null;
    this.#decided = null;
  }
}
