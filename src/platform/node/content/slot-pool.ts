// Memory for pieces under a byte budget. Freed memory is kept for the next piece of its size, for as long as there are any.

import { assert } from '../../../base/assert.ts';
import type { PieceSlot } from '../../../ports/piece-io.ts';
import type { SharedSlot } from './piece-workers.ts';
import { Rest } from './rest.ts';

/** Smaller pieces share this size. */
const MIN_CAPACITY_BYTES = 16 * 1024;

/**
 * With fewer slots than this one piece cannot be received while others are written: for pieces so long the budget is
 * doubled, for all alike, so that no torrent takes the room of another.
 */
const FEW_SLOTS = 4;

/** Small enough to stay in the first caches. */
const ZEROS = new Uint8Array(16 * 1024);

/** A piece in shared memory, which may be a little longer than `bytes`. */
export class NodeSlot implements PieceSlot {
  readonly bytes: Uint8Array;
  readonly shared: SharedSlot;
  isReleased = false;
  /** Commits under way: meanwhile the memory must not be given to another piece. */
  commits = 0;

  constructor(shared: SharedSlot, lengthBytes: number) {
    this.shared = shared;
    this.bytes = new Uint8Array(shared.memory, 0, lengthBytes);
  }
}

export class SlotPool {
  readonly #budgetBytes: number;
  readonly #forget: (slot: SharedSlot) => void;
  readonly #freeByCapacity = new Map<number, SharedSlot[]>();
  /** Memory of acquired and of free slots together. */
  #heldBytes = 0;
  #acquiredCount = 0;
  /** Nothing is acquired. */
  readonly #rest: Rest = new Rest(() => this.#giveUpFree(0));
  /** Acquired slots of which fewer than {@link FEW_SLOTS} fit the budget. */
  #longCount = 0;
  #nextId = 0;

  /** `forget` is told of memory that the pool gives up. */
  constructor(budgetBytes: number, forget: (slot: SharedSlot) => void) {
    this.#budgetBytes = budgetBytes;
    this.#forget = forget;
  }

  /** Null while the budget is used up; one slot is always given, so that a piece larger than the budget can be fetched. */
  acquire(lengthBytes: number, mayBeDirty: boolean): NodeSlot | null {
    const capacity = capacityFor(lengthBytes);
    const used = this.#freeByCapacity.get(capacity)?.pop();
    const shared = used ?? this.#allocate(capacity);
    if (shared === null) return null;
    if (this.#acquiredCount++ === 0) this.#rest.end();
    if (this.#isLong(capacity)) this.#longCount++;
    const slot = new NodeSlot(shared, lengthBytes);
    // Padding is never written to and must be zero; new memory is.
    if (used && !mayBeDirty) clear(slot.bytes);
    return slot;
  }

  release(slot: NodeSlot): void {
    assert(!slot.isReleased, 'a slot is released once');
    assert(slot.commits === 0, 'a slot is not released during its commit');
    slot.isReleased = true;
    if (--this.#acquiredCount === 0) this.#rest.begin();
    const capacity = slot.shared.memory.byteLength;
    const free = this.#freeByCapacity.get(capacity);
    const limitBytes = this.#limitFor(capacity);
    if (this.#isLong(capacity)) this.#longCount--;
    if (this.#heldBytes > limitBytes) this.#giveUp(slot.shared);
    else if (free) free.push(slot.shared);
    else this.#freeByCapacity.set(capacity, [slot.shared]);
  }

  /** Nothing is given up by itself any more. */
  close(): void {
    this.#rest.stop();
  }

  #allocate(capacity: number): SharedSlot | null {
    const roomBytes = this.#limitFor(capacity) - capacity;
    if (this.#heldBytes > roomBytes) this.#giveUpFree(roomBytes);
    if (this.#heldBytes > roomBytes && this.#acquiredCount > 0) return null;
    this.#heldBytes += capacity;
    return { id: this.#nextId++, memory: new SharedArrayBuffer(capacity) };
  }

  #isLong(capacity: number): boolean {
    return capacity * FEW_SLOTS > this.#budgetBytes;
  }

  #limitFor(capacity: number): number {
    return this.#longCount > 0 || this.#isLong(capacity) ? 2 * this.#budgetBytes : this.#budgetBytes;
  }

  /** Gives up free memory of other sizes until no more than `mostBytes` are held, or none is left. */
  #giveUpFree(mostBytes: number): void {
    for (const free of this.#freeByCapacity.values()) {
      while (free.length > 0 && this.#heldBytes > mostBytes) this.#giveUp(free.pop()!);
    }
  }

  #giveUp(shared: SharedSlot): void {
    this.#heldBytes -= shared.memory.byteLength;
    this.#forget(shared);
  }
}

/** `fill` on shared memory stores byte by byte (0.4 s a GiB); copying zeros takes a fifth of that. */
function clear(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    bytes.set(bytes.length - at < ZEROS.length ? ZEROS.subarray(0, bytes.length - at) : ZEROS, at);
  }
}

/** Four sizes an octave: last pieces and pieces of small files find used memory, and at most a quarter is wasted. */
function capacityFor(lengthBytes: number): number {
  if (lengthBytes <= MIN_CAPACITY_BYTES) return MIN_CAPACITY_BYTES;
  const unit = 2 ** (Math.floor(Math.log2(lengthBytes)) - 2);
  return Math.ceil(lengthBytes / unit) * unit;
}
