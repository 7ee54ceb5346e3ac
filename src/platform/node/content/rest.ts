// Whether something has had nothing to do for a while: then it gives up what it holds, which it makes anew when needed.

/** Longer than a pause between two pieces of a slow transfer, so that nothing is given up and made again all the time. */
const REST_MS = 30_000;

/** Calls `act` when a rest has lasted for {@link REST_MS}. Beginning and ending rests is nearly free; keeps no process alive. */
export class Rest {
  readonly #act: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isResting = false;

  constructor(act: () => void) {
    this.#act = act;
  }

  begin(): void {
    this.#isResting = true;
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(this.#onTime, REST_MS).unref();
  }

  end(): void {
    this.#isResting = false;
  }

  /** For good: nothing is called any more. */
  stop(): void {
    this.#isResting = false;
    clearTimeout(this.#timer);
  }

  readonly #onTime = (): void => {
    this.#timer = undefined;
    if (this.#isResting) this.#act();
  };
}
