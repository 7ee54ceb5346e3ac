// Asks again and again, one question at a time, while somebody looks.

import { type ReadonlySignal, type Signal, signal } from '@preact/signals';

export interface Answer<T> {
  readonly value: T;
  readonly atMs: number;
}

/** What the world gives; a test has one of its own. */
export interface PollWorld {
  nowMs(): number;
  /** Calls back after so long; returns how to call it off. */
  after(delayMs: number, act: () => void): () => void;
  isVisible(): boolean;
  /** Hears when the page is shown or hidden; returns how to end it. */
  onVisibility(act: () => void): () => void;
}

export const browserWorld: PollWorld = {
  nowMs: () => performance.now(),
  after: (delayMs, act) => {
    const timer = setTimeout(act, delayMs);
    return () => clearTimeout(timer);
  },
  isVisible: () => document.visibilityState === 'visible',
  onVisibility: (act) => {
    document.addEventListener('visibilitychange', act);
    return () => document.removeEventListener('visibilitychange', act);
  },
};

export class Poll<T> {
  readonly #ask: () => Promise<T>;
  readonly #everyMs: number;
  readonly #goesOn: (fault: Error) => boolean;
  readonly #world: PollWorld;
  readonly #answer: Signal<Answer<T> | null> = signal(null);
  readonly #fault: Signal<Error | null> = signal(null);
  #callOff: () => void = () => undefined;
  #unwatch: () => void = () => undefined;
  #running = false;
  #asking = false;

  /** `goesOn`: whether it asks on by itself after such a fault. */
  constructor(
    ask: () => Promise<T>,
    everyMs: number,
    goesOn: (fault: Error) => boolean = () => true,
    world: PollWorld = browserWorld,
  ) {
    this.#ask = ask;
    this.#everyMs = everyMs;
    this.#goesOn = goesOn;
    this.#world = world;
  }

  /** The last answer, which stays while there is a fault. */
  get answer(): ReadonlySignal<Answer<T> | null> {
    return this.#answer;
  }

  /** Why the last question had no answer; null: it had one. */
  get fault(): ReadonlySignal<Error | null> {
    return this.#fault;
  }

  /** Begins; returns how to end it. */
  start(): () => void {
    this.#running = true;
    this.#unwatch = this.#world.onVisibility(() => this.again());
    this.again();
    return () => {
      this.#running = false;
      this.#callOff();
      this.#unwatch();
    };
  }

  /** Asks now, unless a question is on its way. */
  again(): void {
    this.#callOff();
    if (this.#running && !this.#asking && this.#world.isVisible()) void this.#once();
  }

  async #once(): Promise<void> {
    this.#asking = true;
    try {
      const value = await this.#ask();
      if (!this.#running) return;
      this.#answer.value = { value, atMs: this.#world.nowMs() };
      this.#fault.value = null;
    } catch (error) {
      if (this.#running) this.#fault.value = error as Error;
    } finally {
      this.#asking = false;
      const fault = this.#fault.value;
      if (this.#running && this.#world.isVisible() && (fault === null || this.#goesOn(fault))) {
        this.#callOff = this.#world.after(this.#everyMs, () => this.again());
      }
    }
  }
}
