// Frames for connections of other threads: gathered, and posted once a turn. What a thread has not handled yet is counted
// in shared memory, so that one which falls behind is sent no more than it can hold.

import { FrameBatches, readFrames } from '../store/frame-batches.ts';

/** Bytes that may wait for a thread: what it passes on in less than a second. */
const MAX_WAITING_BYTES: number = 8 * 1024 * 1024;
/** Threads are counted modulo this; more of them share a count. */
const PLACES = 64;

/** One word a thread: bytes that are on their way to it. */
export function relayMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * PLACES);
}

export class WebRelays {
  readonly #waiting: Int32Array;
  readonly #post: (thread: number, batch: Uint8Array) => void;
  readonly #batches = new FrameBatches();

  /** `post` sends a batch to a thread, which calls {@link read} with it. */
  constructor(memory: SharedArrayBuffer, post: (thread: number, batch: Uint8Array) => void) {
    this.#waiting = new Int32Array(memory);
    this.#post = post;
  }

  /** Adds a frame for the connection that has `peerId` in the swarm. False where its thread has too much to do. */
  add(thread: number, connection: number, infoHash: Uint8Array, peerId: Uint8Array, frame: Uint8Array): boolean {
    const waiting = Atomics.load(this.#waiting, thread % PLACES) + this.#batches.lengthFor(thread);
    if (waiting > MAX_WAITING_BYTES) return false;
    this.#batches.add(thread, connection, infoHash, peerId, frame);
    return true;
  }

  /** Posts what was gathered. */
  flush(): void {
    for (const thread of this.#batches.waiting) {
      const batch = this.#batches.take(thread)!;
      Atomics.add(this.#waiting, thread % PLACES, batch.length);
      this.#post(thread, batch);
    }
  }

  /** Calls for every frame of a batch that came for `thread`; frames are views of it. */
  read(
    thread: number,
    batch: Uint8Array,
    each: (connection: number, infoHash: Uint8Array, peerId: Uint8Array, frame: Uint8Array) => void,
  ): void {
    Atomics.sub(this.#waiting, thread % PLACES, batch.length);
    readFrames(batch, each);
  }

  /** Forgets what was on its way to a thread that is no more. */
  forget(thread: number): void {
    Atomics.store(this.#waiting, thread % PLACES, 0);
  }
}
