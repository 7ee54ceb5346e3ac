// Frames for connections elsewhere, gathered by where they go: one message takes all of a turn.
//
//   a batch:  number 4 | info hash 20 | peer id 20 | length 4 | frame   …

import { EMPTY, readU32, writeU32 } from '../../../base/bytes.ts';
import { HASH_LENGTH } from '../../protocol/announce.ts';

/** What a batch has beside each frame. */
export const BATCH_HEAD_LENGTH: number = 8 + 2 * HASH_LENGTH;
/** First room of a batch; it grows. */
const BATCH_LENGTH = 4096;

interface Batch {
  bytes: Uint8Array;
  length: number;
}

export class FrameBatches {
  readonly #batches = new Map<number, Batch>();

  /** Bytes gathered for somewhere. */
  lengthFor(to: number): number {
    return this.#batches.get(to)?.length ?? 0;
  }

  /** Adds a frame, behind `about`, for who has `peerId` in the swarm. */
  add(
    to: number,
    number: number,
    infoHash: Uint8Array,
    peerId: Uint8Array,
    frame: Uint8Array,
    about: Uint8Array = EMPTY,
  ): void {
    const frameLength = about.length + frame.length;
    const batch = this.#batchFor(to, BATCH_HEAD_LENGTH + frameLength);
    const { bytes, length } = batch;
    writeU32(bytes, length, number);
    bytes.set(infoHash, length + 4);
    bytes.set(peerId, length + 4 + HASH_LENGTH);
    writeU32(bytes, length + 4 + 2 * HASH_LENGTH, frameLength);
    bytes.set(about, length + BATCH_HEAD_LENGTH);
    bytes.set(frame, length + BATCH_HEAD_LENGTH + about.length);
    batch.length += BATCH_HEAD_LENGTH + frameLength;
  }

  /** Takes out what was gathered for somewhere; null where nothing was. */
  take(to: number): Uint8Array | null {
    const batch = this.#batches.get(to);
    if (batch === undefined) return null;
    this.#batches.delete(to);
    return batch.bytes.slice(0, batch.length);
  }

  /** Where something is to go. */
  get waiting(): readonly number[] {
    return this.#batches.size === 0 ? NOWHERE : [...this.#batches.keys()];
  }

  #batchFor(to: number, more: number): Batch {
    let batch = this.#batches.get(to);
    if (batch === undefined) {
      batch = { bytes: new Uint8Array(BATCH_LENGTH + more), length: 0 };
      this.#batches.set(to, batch);
    } else if (batch.bytes.length < batch.length + more) {
      const bytes = new Uint8Array(2 * (batch.length + more));
      bytes.set(batch.bytes.subarray(0, batch.length));
      batch.bytes = bytes;
    }
    return batch;
  }
}

const NOWHERE: readonly number[] = [];

/** Calls for every frame of a batch, all views of it. False where it ends amid one: what came before was told. */
export function readFrames(
  batch: Uint8Array,
  each: (number: number, infoHash: Uint8Array, peerId: Uint8Array, frame: Uint8Array) => void,
): boolean {
  for (let at = 0; at < batch.length; ) {
    const idAt = at + 4 + HASH_LENGTH;
    const start = at + BATCH_HEAD_LENGTH;
    if (start > batch.length) return false;
    const end = start + readU32(batch, start - 4);
    if (end > batch.length) return false;
    each(readU32(batch, at), batch.subarray(at + 4, idAt), batch.subarray(idAt, start - 4), batch.subarray(start, end));
    at = end;
  }
  return true;
}
