// How even a limited rate is, from counts of bytes over time.

const WINDOW_MS = 10_000;
/** Not looked at: connecting, the first buckets, the kernel's buffers. */
const BEGIN_MS = 1000;
const END_MS = 300;
const BURST_MS = 100;

export class Evenness {
  readonly #bytesPerMs: number;
  readonly #ms: number[] = [];
  readonly #bytes: number[] = [];
  /** The last look that saw nothing new. */
  #quietMs = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  add(ms: number, bytes: number): void {
    const [lastMs, lastBytes] = [this.#ms.at(-1), this.#bytes.at(-1)];
    if (bytes > 0 && bytes === lastBytes) {
      this.#quietMs = ms;
      return;
    }
    // What comes after a pause counts from the end of the pause: it is a lump, not a share of the whole time.
    if (lastMs !== undefined && lastBytes !== undefined && this.#quietMs > lastMs) this.#push(this.#quietMs, lastBytes);
    this.#push(ms, bytes);
  }

  /** `payloadBytes`: what the whole transfer carried; headers and requests are taken to be spread evenly over it. */
  figures(payloadBytes: number): Record<string, number> {
    const share = payloadBytes / (this.#bytes.at(-1) ?? 1);
    const begun = this.#ms.findIndex((_, i) => this.#bytes[i]! > 0.005 * payloadBytes);
    const fromMs = this.#ms[begun]! + BEGIN_MS;
    const toMs = this.#ms.at(-1)! - END_MS;
    const inside = this.#ms.flatMap((ms, i) =>
      ms >= fromMs && ms <= toMs ? [{ ms, bytes: this.#bytes[i]! * share }] : [],
    );
    const [first, last] = [inside[0]!, inside.at(-1)!];
    return {
      megabytesPerSecond: (last.bytes - first.bytes) / (last.ms - first.ms) / 1000,
      errorPercent: this.#worstError(inside) * 100,
      burst: this.#largestBurst(inside) / (this.#bytesPerMs * BURST_MS),
    };
  }

  #push(ms: number, bytes: number): void {
    this.#ms.push(ms);
    this.#bytes.push(bytes);
  }

  #worstError(samples: readonly Sample[]): number {
    let worst = 0;
    let from = 0;
    for (const to of samples) {
      while (from + 1 < samples.length && to.ms - samples[from + 1]!.ms >= WINDOW_MS) from++;
      const { ms, bytes } = samples[from]!;
      if (to.ms - ms < WINDOW_MS) continue;
      worst = Math.max(worst, Math.abs((to.bytes - bytes) / ((to.ms - ms) * this.#bytesPerMs) - 1));
    }
    return worst;
  }

  /** Bytes beyond the rate in any span of time, however short: the height of the bucket that would have let them pass. */
  #largestBurst(samples: readonly Sample[]): number {
    let lowest = Number.POSITIVE_INFINITY;
    let largest = 0;
    for (const { ms, bytes } of samples) {
      const ahead = bytes - ms * this.#bytesPerMs;
      lowest = Math.min(lowest, ahead);
      largest = Math.max(largest, ahead - lowest);
    }
    return largest;
  }
}

interface Sample {
  readonly ms: number;
  readonly bytes: number;
}
