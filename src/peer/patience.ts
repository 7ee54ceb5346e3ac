// How much of our time one remote may take by messages that cost us more than it: each has its price, and the sum a limit.

/** What a remote may cost at once: metadata, or the hashes of a large file, are asked for in one go. */
const MOST_MICROS = 500_000;
/** What is forgiven every millisecond: a twentieth of a core, for as long as it stays. */
const MICROS_A_MS = 50;

/** Prices in microseconds, rounded up. A price times what may be on the way is far below the limit for honest remotes. */
export const PRICES = {
  /** Interested or not: a slot may go to it, or to another. */
  interest: 2,
  /** What was asked of it is free for others, and all peers are looked at. */
  choke: 20,
  /** A refusal, or a block that nobody takes. */
  stray: 2,
  /** Each request that a message is looked for in. */
  requestLook: 0.005,
  /** An extended message: decoding, and an answer that no rate limit holds back. */
  extended: 20,
  hashMessage: 5,
  /** For every hash that is looked up and sent. */
  hash: 0.125,
  /** Every byte of content that is read and hashed to answer. */
  hashedByte: 0.001,
  /** A cancel, which is looked for in what it has asked for. */
  cancel: 1,
  /** Every piece of a bitfield: counted down, counted up, and a new order of them all. */
  bitfieldPiece: 0.02,
} as const;

/** A bucket that leaks: `bears` what is added until it is full. */
export class Patience {
  #micros = 0;
  #atMs: number;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** Adds a price; false, adding nothing, where that is too much. */
  bears(micros: number, nowMs: number): boolean {
    const left = Math.max(0, this.#micros - (nowMs - this.#atMs) * MICROS_A_MS);
    this.#atMs = nowMs;
    const isTooMuch = left + micros > MOST_MICROS;
    this.#micros = isTooMuch ? left : left + micros;
    return !isTooMuch;
  }
}
