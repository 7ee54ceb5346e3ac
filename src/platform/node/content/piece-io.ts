// The PieceIo port on Node: a pool of shared memory, worker threads that hash and write, and the contents open in it.

import { availableParallelism } from 'node:os';
import { assert } from '../../../base/assert.ts';
import type { CopyBytes } from '../../../base/block-copy.ts';
import type { Content, ContentSpec, PieceIo, PieceSlot } from '../../../ports/piece-io.ts';
import { fastestCopy } from './native-copy.ts';
import { NodeContent } from './node-content.ts';
import { PieceWorkers } from './piece-workers.ts';
import { ReadableFiles } from './readable-files.ts';
import { NodeSlot, SlotPool } from './slot-pool.ts';

/**
 * A piece waits in memory from its first block to the end of its commit, and each peer is asked for pieces of its own: eight
 * of 10 MB/s have some forty of 1 MiB begun. With half of it they stood still half of the time.
 */
const DEFAULT_BUDGET_BYTES = 64 * 1024 * 1024;

/** More threads than this meet the limits of memory and disk, not of hashing. */
const MAX_WORKERS = 8;

export interface PieceIoOptions {
  /** Memory for pieces; twice as much while pieces longer than a quarter of it are fetched. */
  readonly slotBudgetBytes?: number;
  /** Threads; by default one for each core. */
  readonly workers?: number;
  /** Start the threads now: for those who know that they will hash, and have something to do meanwhile. */
  readonly startNow?: boolean;
}

/** Touches no disk yet, and starts no thread unless told to, or until there is something to write to. */
export function createNodePieceIo(options: PieceIoOptions = {}): PieceIo {
  return new NodePieceIo(options);
}

class NodePieceIo implements PieceIo {
  readonly copy: CopyBytes = fastestCopy();
  readonly #workers: PieceWorkers;
  readonly #pool: SlotPool;
  readonly #readable = new ReadableFiles();
  readonly #contents = new Set<NodeContent>();
  #nextContent = 0;
  #closed: Promise<void> | undefined;

  constructor(options: PieceIoOptions) {
    this.#workers = new PieceWorkers(options.workers ?? Math.min(availableParallelism(), MAX_WORKERS));
    if (options.startNow) this.#workers.start();
    this.#pool = new SlotPool(options.slotBudgetBytes ?? DEFAULT_BUDGET_BYTES, (slot) =>
      this.#workers.forgetSlot(slot),
    );
  }

  get parallel(): number {
    return this.#workers.count;
  }

  acquire(lengthBytes: number, mayBeDirty = false): PieceSlot | null {
    return this.#pool.acquire(lengthBytes, mayBeDirty);
  }

  release(slot: PieceSlot): void {
    assert(slot instanceof NodeSlot, 'a slot of this pool');
    this.#pool.release(slot);
  }

  open(spec: ContentSpec): Content {
    assert(!this.#closed, 'the piece store is open');
    const shared = { id: this.#nextContent++, spec };
    // They take as long to start as the first pieces to come.
    if (spec.writable) this.#workers.start();
    const content = new NodeContent(shared, this.#workers, this.#readable, (closed) => this.#contents.delete(closed));
    this.#contents.add(content);
    return content;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#contents].map((content) => content.close()));
    this.#pool.close();
    await this.#workers.close();
  }
}
