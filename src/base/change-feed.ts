// Changes for whoever listens: bounded, so that a slow listener loses changes and is told, and never holds the rest up.

/** Told in the place of changes that were lost: look at the snapshot. */
export interface Lagged {
  readonly kind: 'lagged';
  readonly missed: number;
}

/** So many changes wait for one listener at most; a page that is away for a moment needs no more. */
const MAX_WAITING = 1000;

interface Listener<T> {
  queue: (T | Lagged)[];
  missed: number;
  wake: (() => void) | null;
}

export class ChangeFeed<T> {
  readonly #listeners: Set<Listener<T>> = new Set();
  #closed = false;

  /** Adds a change for everybody who listens; nearly free while nobody does. */
  tell(change: T): void {
    for (const listener of this.#listeners) {
      if (listener.queue.length < MAX_WAITING) listener.queue.push(change);
      else listener.missed++;
      listener.wake?.();
    }
  }

  /** Ends every listener's loop once it has taken what waits. */
  close(): void {
    this.#closed = true;
    for (const listener of this.#listeners) listener.wake?.();
  }

  /** Changes from now on, until the signal aborts or the feed is closed. */
  async *listen(options: { readonly signal: AbortSignal }): AsyncGenerator<T | Lagged, void, void> {
    const listener: Listener<T> = { queue: [], missed: 0, wake: null };
    this.#listeners.add(listener);
    const wake = (): void => listener.wake?.();
    options.signal.addEventListener('abort', wake);
    try {
      while (!options.signal.aborted) {
        const next = listener.queue;
        listener.queue = [];
        if (listener.missed > 0) next.push({ kind: 'lagged', missed: listener.missed });
        listener.missed = 0;
        yield* next;
        if (this.#closed && listener.queue.length === 0) return;
        await new Promise<void>((resolve) => {
          listener.wake = resolve;
          if (listener.queue.length > 0 || options.signal.aborted || this.#closed) resolve();
        });
        listener.wake = null;
      }
    } finally {
      options.signal.removeEventListener('abort', wake);
      this.#listeners.delete(listener);
    }
  }
}
