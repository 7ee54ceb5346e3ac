// How long answers took.

import type { Waits } from '../frame.ts';

export class Waiting {
  readonly who: string;
  readonly #ms: number[] = [];

  constructor(who: string) {
    this.who = who;
  }

  note(ms: number): void {
    this.#ms.push(ms);
  }

  figures(): Waits {
    const sorted = Float64Array.from(this.#ms).sort();
    const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
    return { who: this.who, answers: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), mostMs: at(1) };
  }
}
