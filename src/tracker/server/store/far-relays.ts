// Frames for connections of other trackers: gathered, and sent by the store to the place of each once a turn. So much is under
// way to the store at most; what comes beyond is dropped, and offered again with the next announce.
//
//   a batch:  place of who sends it 4 | info hash 20 | peer id 20 | length 4 | role 1 | peer id of who sends it 20 | frame   …

import { MAX_SENT_LENGTH } from '../../../ports/swarm-store.ts';
import { HASH_LENGTH } from '../../protocol/announce.ts';
import { isPassedOn } from '../../protocol/passed-frames.ts';
import { CHANGE_GONE } from '../../protocol/swarm-changes.ts';
import { BATCH_HEAD_LENGTH, FrameBatches, readFrames } from './frame-batches.ts';

/** In the place of a role: an answer, which does not say what its peer is. */
export const NO_ROLE: number = CHANGE_GONE;
const ABOUT_LENGTH: number = 1 + HASH_LENGTH;
/** Bytes gathered and under way: a second of some thousand offers. */
const MAX_UNDER_WAY: number = 4 * 1024 * 1024;
/** Half of them for one place: the server of a cluster that it is sent by may say nothing, and others are not to wait for it. */
const MAX_A_PLACE: number = MAX_UNDER_WAY / 2;

export class FarRelays {
  readonly #place: number;
  readonly #send: (place: number, batch: Uint8Array) => Promise<void>;
  readonly #batches = new FrameBatches();
  readonly #about = new Uint8Array(ABOUT_LENGTH);
  /** Gathered, or sent and not taken by the store: all of them, and those for each place that has any. */
  #bytes = 0;
  readonly #bytesFor = new Map<number, number>();

  /** `place`: of this tracker. `send`: see {@link SwarmLink.send}; it rejects while there is no store. */
  constructor(place: number, send: (place: number, batch: Uint8Array) => Promise<void>) {
    this.#place = place;
    this.#send = send;
  }

  /**
   * Adds a frame of the peer `from` for the one that has `peerId` in the swarm, at a place. `role`: of `from`, as trackers tell each other,
   * or NO_ROLE. False where too much is under way.
   */
  add(
    place: number,
    infoHash: Uint8Array,
    peerId: Uint8Array,
    from: Uint8Array,
    role: number,
    frame: Uint8Array,
  ): boolean {
    const length = BATCH_HEAD_LENGTH + ABOUT_LENGTH + frame.length;
    const there = this.#bytesFor.get(place) ?? 0;
    if (this.#bytes + length > MAX_UNDER_WAY || there + length > MAX_A_PLACE) return false;
    if (this.#batches.lengthFor(place) + length > MAX_SENT_LENGTH) this.#sendTo(place);
    this.#about[0] = role;
    this.#about.set(from, 1);
    this.#batches.add(place, this.#place, infoHash, peerId, frame, this.#about);
    this.#count(place, length);
    return true;
  }

  /** Sends what was gathered. */
  flush(): void {
    for (const place of this.#batches.waiting) this.#sendTo(place);
  }

  #sendTo(place: number): void {
    const batch = this.#batches.take(place);
    if (batch === null) return;
    const isOver = (): void => this.#count(place, -batch.length);
    // What the store does not take is lost, as what a client does not read.
    this.#send(place, batch).then(isOver, isOver);
  }

  #count(place: number, change: number): void {
    this.#bytes += change;
    const there = (this.#bytesFor.get(place) ?? 0) + change;
    if (there === 0) this.#bytesFor.delete(place);
    else this.#bytesFor.set(place, there);
  }
}

/** One frame that came from another tracker; a single object is filled again for each. All bytes are lent. */
export class FarFrame {
  infoHash: Uint8Array = new Uint8Array(0);
  /** For whom it is. */
  peerId: Uint8Array = new Uint8Array(0);
  /** Whose it is, where that one's connection is, and its role, as trackers tell each other, or NO_ROLE. */
  from: Uint8Array = new Uint8Array(0);
  place = 0;
  role = 0;
  frame: Uint8Array = new Uint8Array(0);
}

/**
 * Calls for every frame of a batch that another tracker has sent. Whoever can write to the store may have made it up: false where
 * some of it was no such frame, which is left out.
 */
export function readFarFrames(batch: Uint8Array, far: FarFrame, each: (far: FarFrame) => void): boolean {
  if (batch.length > MAX_SENT_LENGTH) return false;
  let isGood = true;
  const isWhole = readFrames(batch, (place, infoHash, peerId, bytes) => {
    far.place = place;
    far.infoHash = infoHash;
    far.peerId = peerId;
    far.role = bytes[0] ?? NO_ROLE;
    far.from = bytes.subarray(1, ABOUT_LENGTH);
    far.frame = bytes.subarray(ABOUT_LENGTH);
    if (far.role <= NO_ROLE && isPassedOn(far.frame)) each(far);
    else isGood = false;
  });
  return isWhole && isGood;
}
