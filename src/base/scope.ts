// Who opens it closes it: a scope owns an abort signal and closes what was opened in it, last in, first out.

type Close = () => void | Promise<void>;

/**
 * `add` what must be closed, then `close()` once or many times: every call returns the same promise.
 * `signal` aborts first, so that waits end before things are closed. A failing close does not stop the others;
 * the first failure is thrown at the end.
 */
export class Scope {
  readonly #controller: AbortController = new AbortController();
  #closers: Close[] = [];
  #closing: Promise<void> | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** Registers a close; on a closed scope it runs at once. Returns a function that forgets it again. */
  add(close: Close): () => void {
    if (this.#closing) {
      void close();
      return () => undefined;
    }
    this.#closers.push(close);
    return () => {
      const at = this.#closers.lastIndexOf(close);
      if (at >= 0) this.#closers.splice(at, 1);
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#run();
    return this.#closing;
  }

  async #run(): Promise<void> {
    const closers = this.#closers.reverse();
    this.#closers = [];
    this.#controller.abort();
    let failure: { error: unknown } | undefined;
    for (const close of closers) {
      try {
        await close();
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure) throw failure.error;
  }
}
