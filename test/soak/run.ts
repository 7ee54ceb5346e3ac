// What all parts of one soak share: its options, its folder, what went wrong, what was counted, and waiting that ends with it.

import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Chance, seededChance } from '../interop/harness/chance.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** A line of progress now and then. */
  readonly say: (line: string) => void;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
}

/** What was done, by name: `copies v1`, `kills` … */
export type Counts = Record<string, number>;

export class Run {
  readonly options: SoakOptions;
  readonly folder: string;
  readonly failures: string[] = [];
  readonly counts: Counts = {};
  /** Set again when everybody is there. */
  startedMs: number = performance.now();
  readonly #over: AbortController = new AbortController();
  #folders = 0;

  constructor(options: SoakOptions, folder: string) {
    this.options = options;
    this.folder = folder;
    // Everybody waits for it.
    setMaxListeners(0, this.#over.signal);
    const end = (): void => this.#over.abort();
    if (options.signal.aborted) end();
    options.signal.addEventListener('abort', end, { once: true });
  }

  /** Aborts when time is up, when something failed for good, and at Ctrl-C. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  get seconds(): number {
    return (performance.now() - this.startedMs) / 1000;
  }

  end(): void {
    this.#over.abort();
  }

  /** The first failure decides; the run goes on, to show whether it is the only one. */
  fail(what: string): void {
    const line = `${this.seconds.toFixed(0)} s: ${what}`;
    this.failures.push(line);
    this.options.say(`FAILED ${line}`);
  }

  count(name: string, by = 1): void {
    this.counts[name] = (this.counts[name] ?? 0) + by;
  }

  most(name: string, value: number): void {
    this.counts[name] = Math.max(this.counts[name] ?? 0, Math.round(value));
  }

  /** The same for the same seed and name, whatever the others do. */
  chance(name: string): Chance {
    let seed = this.options.seed;
    for (const character of name) seed = (Math.imul(seed, 31) + character.charCodeAt(0)) >>> 0;
    return seededChance(seed);
  }

  async newFolder(name: string): Promise<string> {
    const path = join(this.folder, `${name}-${++this.#folders}`);
    await mkdir(path);
    return path;
  }

  /** Also resolves when the run is over. */
  wait(milliseconds: number): Promise<void> {
    if (this.isOver) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.over.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.over.addEventListener('abort', done, { once: true });
    });
  }
}
