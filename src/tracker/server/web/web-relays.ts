// Frames for connections of other threads: gathered, and posted once a turn. What a thread has not handled yet is counted
// in shared memory, so that one which falls behind is sent no more than it can hold.
//
//   a batch:  connection 4 | info hash 20 | peer id 20 | length 4 | frame   …

import { readU32, writeU32 } from '../../../base/bytes.ts';
import { HASH_LENGTH } from '../../protocol/announce.ts';

const HEAD_LENGTH: number = 8 + 2 * HASH_LENGTH;
/** First room of a batch; it grows. */
const BATCH_LENGTH = 4096;
/** Bytes that may wait for a thread: what it passes on in less than a second. */
const MAX_WAITING_BYTES: number = 8 * 1024 * 1024;
/** Threads are counted modulo this; more of them share a count. */
const PLACES = 64;

/** One word a thread: bytes that are on their way to it. */
export function relayMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * PLACES);
}

interface Batch {
  bytes: Uint8Array;
  length: number;
}

export class WebRelays {
  readonly #waiting: Int32Array;
  readonly #post: (thread: number, batch: Uint8Array) => void;
  readonly #batches = new Map<number, Batch>();

  /** `post` sends a batch to a thread, which calls {@link read} with it. */
  constructor(memory: SharedArrayBuffer, post: (thread: number, batch: Uint8Array) => void) {
    this.#waiting = new Int32Array(memory);
    this.#post = post;
  }

  /** Adds a frame for the connection that has `peerId` in the swarm. False where its thread has too much to do. */
  add(thread: number, connection: number, infoHash: Uint8Array, peerId: Uint8Array, frame: Uint8Array): boolean {
    const batch = this.#batchFor(thread, HEAD_LENGTH + frame.length);
    if (Atomics.load(this.#waiting, thread % PLACES) + batch.length > MAX_WAITING_BYTES) return false;
    const { bytes, length } = batch;
    writeU32(bytes, length, connection);
    bytes.set(infoHash, length + 4);
    bytes.set(peerId, length + 4 + HASH_LENGTH);
    writeU32(bytes, length + 4 + 2 * HASH_LENGTH, frame.length);
    bytes.set(frame, length + HEAD_LENGTH);
    batch.length += HEAD_LENGTH + frame.length;
    return true;
  }

  /** Posts what was gathered. */
  flush(): void {
    for (const [thread, { bytes, length }] of this.#batches) {
      // Nothing was taken for it.
      if (length === 0) continue;
      Atomics.add(this.#waiting, thread % PLACES, length);
      this.#post(thread, bytes.slice(0, length));
    }
    this.#batches.clear();
  }

  /** Calls for every frame of a batch that came for `thread`; frames are views of it. */
  read(
    thread: number,
    batch: Uint8Array,
    each: (connection: number, infoHash: Uint8Array, peerId: Uint8Array, frame: Uint8Array) => void,
  ): void {
    Atomics.sub(this.#waiting, thread % PLACES, batch.length);
    for (let at = 0; at < batch.length; ) {
      const idAt = at + 4 + HASH_LENGTH;
      const start = at + HEAD_LENGTH;
      const end = start + readU32(batch, start - 4);
      each(
        readU32(batch, at),
        batch.subarray(at + 4, idAt),
        batch.subarray(idAt, start - 4),
        batch.subarray(start, end),
      );
      at = end;
    }
  }

  /** Forgets what was on its way to a thread that is no more. */
  forget(thread: number): void {
    Atomics.store(this.#waiting, thread % PLACES, 0);
  }

  #batchFor(thread: number, more: number): Batch {
    let batch = this.#batches.get(thread);
    if (batch === undefined) {
      batch = { bytes: new Uint8Array(BATCH_LENGTH + more), length: 0 };
      this.#batches.set(thread, batch);
    } else if (batch.bytes.length < batch.length + more) {
      const bytes = new Uint8Array(2 * (batch.length + more));
      bytes.set(batch.bytes.subarray(0, batch.length));
      batch.bytes = bytes;
    }
    return batch;
  }
}
