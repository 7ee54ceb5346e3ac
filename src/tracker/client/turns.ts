// Many torrents, one tracker: only so many ask it at a time, the others wait for their turn.

interface Lane {
  running: number;
  /** Those who still fetch something come first. */
  readonly urgent: Set<() => void>;
  readonly others: Set<() => void>;
}

/** Bounds what goes on at once, for each host by itself. */
export class Turns {
  readonly #width: number;
  readonly #lanes: Map<string, Lane> = new Map();

  /** `width`: acts of one host at once. */
  constructor(width: number) {
    this.#width = width;
  }

  /** Calls `act` when it is its turn, and gives what it gives. Rejects with the signal's reason where it aborts before. */
  async run<T>(host: string, urgent: boolean, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    let lane = this.#lanes.get(host);
    if (!lane) {
      lane = { running: 0, urgent: new Set(), others: new Set() };
      this.#lanes.set(host, lane);
    }
    if (lane.running < this.#width) lane.running++;
    else await waitIn(urgent ? lane.urgent : lane.others, signal);
    try {
      return await act();
    } finally {
      this.#next(host, lane);
    }
  }

  /** The turn goes to the next one, or is free. */
  #next(host: string, lane: Lane): void {
    const queue = lane.urgent.size > 0 ? lane.urgent : lane.others;
    const next = queue.values().next();
    if (!next.done) {
      queue.delete(next.value);
      next.value();
    } else if (--lane.running === 0) {
      this.#lanes.delete(host);
    }
  }
}

function waitIn(queue: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = (): void => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    };
    const onAbort = (): void => {
      queue.delete(go);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    queue.add(go);
  });
}
