// Buffers for what is read ahead, used again and kept within a budget.

/** Shared memory, so that a thread other than the main one may fill it. */
type Memory = Uint8Array;

/**
 * Lends buffers of some sizes, each a block size times a power of two. A buffer that comes back is kept for the next
 * who wants its size, and let go when another size needs the room.
 */
export class UnitMemory {
  readonly #budgetBytes: number;
  readonly #blockBytes: number;
  /** Kept buffers by exponent of their size. */
  readonly #kept: Memory[][] = [];
  #lentBytes = 0;
  #keptBytes = 0;

  constructor(budgetBytes: number, blockBytes: number) {
    this.#budgetBytes = budgetBytes;
    this.#blockBytes = blockBytes;
  }

  /** Bytes that are lent now; above the budget only what was taken by force. */
  get lentBytes(): number {
    return this.#lentBytes;
  }

  /** A buffer of at least `blockCount` blocks, with old contents; null where the budget has no room for it. */
  take(blockCount: number): Memory | null {
    const exponent = exponentOf(blockCount);
    const size = this.#blockBytes << exponent;
    if (this.#lentBytes + size > this.#budgetBytes) return null;
    return this.#lend(exponent, size);
  }

  /** Like {@link take}, whatever the budget says. */
  takeByForce(blockCount: number): Memory {
    const exponent = exponentOf(blockCount);
    return this.#lend(exponent, this.#blockBytes << exponent);
  }

  give(memory: Memory): void {
    this.#lentBytes -= memory.length;
    if (this.#lentBytes + this.#keptBytes + memory.length > this.#budgetBytes) return;
    const exponent = exponentOf(memory.length / this.#blockBytes);
    this.#kept[exponent] ??= [];
    this.#kept[exponent].push(memory);
    this.#keptBytes += memory.length;
  }

  #lend(exponent: number, size: number): Memory {
    this.#lentBytes += size;
    const again = this.#kept[exponent]?.pop();
    if (again) {
      this.#keptBytes -= size;
      return again;
    }
    this.#letGo();
    return new Uint8Array(new SharedArrayBuffer(size));
  }

  /** Drops kept buffers until everything fits the budget. */
  #letGo(): void {
    for (const list of this.#kept) {
      while (this.#lentBytes + this.#keptBytes > this.#budgetBytes) {
        const memory = list?.pop();
        if (!memory) break;
        this.#keptBytes -= memory.length;
      }
    }
  }
}

function exponentOf(blockCount: number): number {
  return blockCount <= 1 ? 0 : 32 - Math.clz32(blockCount - 1);
}
