// A running hash over all that the world delivers. Two runs with one seed must give one hash.

/** What was delivered. The numbers go into the hash: never reuse one. */
export const TRACE = {
  timer: 1,
  deferred: 2,
  accept: 3,
  open: 4,
  chunk: 5,
  sent: 6,
  end: 7,
  close: 8,
  datagram: 9,
  answer: 10,
  start: 11,
  crash: 12,
} as const;

export type TraceKind = keyof typeof TRACE;

/** Told of every delivery, for looking at where two runs part. `digest` is of the bytes delivered, 0 without any. */
export type TraceWatcher = (nowMs: number, kind: TraceKind, host: number, size: number, digest: number) => void;

export class Trace {
  /** Deliveries so far. As every call into the program is noted, a change tells that the program ran. */
  count = 0;
  readonly #watch: TraceWatcher | undefined;
  readonly #time: Float64Array = new Float64Array(1);
  readonly #timeWords: Uint32Array = new Uint32Array(this.#time.buffer);
  #low = 0x811c9dc5;
  #high = 0x9e3779b9;

  constructor(watch?: TraceWatcher) {
    this.#watch = watch;
  }

  /** `host` is the number of the host that is told; `size` is bytes, or 0. */
  note(nowMs: number, kind: TraceKind, host: number, size: number, digest = 0): void {
    this.count++;
    this.#time[0] = nowMs;
    this.#mix(this.#timeWords[0]!);
    this.#mix(this.#timeWords[1]!);
    this.#mix((TRACE[kind] << 24) ^ host);
    this.#mix(size);
    this.#mix(digest);
    this.#watch?.(nowMs, kind, host, size, digest);
  }

  /** 16 hex digits. */
  hash(): string {
    return hex(this.#high) + hex(this.#low);
  }

  #mix(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x01000193);
    this.#low ^= this.#low >>> 15;
    this.#high = Math.imul(this.#high ^ this.#low, 0x85ebca6b);
    this.#high ^= this.#high >>> 13;
  }
}

/** A fast 32-bit digest of bytes, for telling changes; no protection against anybody. */
export function digestOf(bytes: Uint8Array): number {
  let out = bytes.length ^ 0x9747b28c;
  const whole = bytes.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    out = Math.imul(out ^ word, 0x5bd1e995);
    out ^= out >>> 15;
  }
  for (let at = whole; at < bytes.length; at++) out = Math.imul(out ^ bytes[at]!, 0x01000193);
  return out ^ (out >>> 13);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
