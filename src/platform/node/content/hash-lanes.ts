// Hashes of several messages side by side, by the optional native module (native/hash_lanes.c); one after another by OpenSSL
// where it was not built, and where so few messages are no slower that way.

import { hash } from 'node:crypto';
import { loadNative } from '../native.ts';

/** Of calls and layout; a module of another one is left alone. */
const VERSION = 2;
const STATE_BYTES = 160;
const SHA1_BYTES = 20;
const SHA256_BYTES = 32;

/** Messages whose SHA-1 is made at once. */
export const LANES = 8;

/** The module as it is; for tests. */
export interface HashLanesModule {
  readonly version: number;
  /** Fewer messages are hashed faster one by one; 0: however many they are. */
  readonly leastSha1: number;
  readonly leastSha256: number;
  /** Feeds a chunk of each message; `totalBytes` of a message come with the last one, and give the digests. */
  sha1(
    state: Uint8Array,
    isFirst: boolean,
    chunks: readonly Uint8Array[],
    totalBytes: number,
    digests: Uint8Array,
  ): void;
  sha256(bytes: Uint8Array, unitBytes: number, digests: Uint8Array): void;
  /** Keeps all threads to the kernels of a lesser processor: 1 AVX2, 2 and 3 AVX-512. Those in use now, which this one has. */
  use(most: number): number;
}

let loaded: HashLanesModule | null | undefined;

/** Null where it was not built; it may still say that this processor hashes nothing faster with it. */
export function loadHashLanes(): HashLanesModule | null {
  if (loaded === undefined) loaded = loadNative<HashLanesModule>('hash_lanes', VERSION);
  return loaded;
}

/** Whether so many messages of one length are hashed faster together than one by one. */
export function isSha1Shared(messages: number): boolean {
  const least = loadHashLanes()?.leastSha1 ?? 0;
  return least > 0 && messages >= least;
}

/** SHA-1 of messages of one length, at most {@link LANES}; each may come in chunks. For use where {@link isSha1Shared}. */
export class Sha1Lanes {
  readonly #state: Uint8Array = new Uint8Array(STATE_BYTES);
  readonly #digests: Uint8Array = new Uint8Array(LANES * SHA1_BYTES);
  #fed = 0;

  /** The next chunk of each message, all of one length: a multiple of 64 bytes, but for the last one. */
  update(chunks: readonly Uint8Array[], isLast: boolean): void {
    const isFirst = this.#fed === 0;
    this.#fed += chunks[0]!.length;
    loadHashLanes()!.sha1(this.#state, isFirst, chunks, isLast ? this.#fed : 0, this.#digests);
  }

  /** Of a message, by its place, after the last chunk; an owned copy. */
  digest(message: number): Uint8Array {
    return this.#digests.slice(message * SHA1_BYTES, (message + 1) * SHA1_BYTES);
  }
}

/** SHA-256 of each `unitBytes` of `bytes`, the last of which may be shorter, one after another into `out` from `at` on. */
export function sha256Units(bytes: Uint8Array, unitBytes: number, out: Uint8Array, at: number): void {
  const whole = Math.floor(bytes.length / unitBytes);
  const native = loadHashLanes();
  let done = 0;
  if (native && native.leastSha256 > 0 && whole >= native.leastSha256) {
    native.sha256(bytes.subarray(0, whole * unitBytes), unitBytes, out.subarray(at));
    done = whole;
  }
  for (let from = done * unitBytes; from < bytes.length; from += unitBytes, done++) {
    const unit = bytes.subarray(from, Math.min(from + unitBytes, bytes.length));
    out.set(hash('sha256', unit, 'buffer'), at + done * SHA256_BYTES);
  }
}
