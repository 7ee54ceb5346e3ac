// The PieceIo port in the simulated world: slots with a budget, and contents that are opened.

import { assert } from '../../base/assert.ts';
import { type CopyBytes, copyBytes } from '../../base/block-copy.ts';
import type { Hashes } from '../../ports/hashes.ts';
import type { Content, ContentSpec, PieceIo, PieceSlot } from '../../ports/piece-io.ts';
import type { SimClock } from './clock.ts';
import { SimContent } from './content.ts';
import type { SimDisk } from './disk.ts';
import { HashingThreads } from './hashing.ts';
import type { SimProgram } from './program.ts';

// Who reads or writes a slot that it has given back works with rubbish, and a test sees it.
const POISON = 0xdd;

export class SimPieceIo implements PieceIo {
  readonly copy: CopyBytes = copyBytes;
  readonly #program: SimProgram;
  readonly #disk: SimDisk;
  readonly #clock: SimClock;
  readonly #threads: HashingThreads;
  readonly #budgetBytes: number;
  readonly #slots: Set<PieceSlot> = new Set();
  readonly #contents: Set<SimContent> = new Set();
  #usedBytes = 0;

  constructor(program: SimProgram, disk: SimDisk, clock: SimClock, hashes: Hashes, budgetBytes: number) {
    this.#program = program;
    this.#disk = disk;
    this.#clock = clock;
    this.#threads = new HashingThreads(program, hashes, disk.hashThreads, disk.hashBytesPerSecond);
    this.#budgetBytes = budgetBytes;
  }

  get parallel(): number {
    return this.#threads.parallel;
  }

  acquire(lengthBytes: number): PieceSlot | null {
    if (!this.#program.canAct()) return null;
    if (this.#slots.size > 0 && this.#usedBytes + lengthBytes > this.#budgetBytes) return null;
    const slot: PieceSlot = { bytes: new Uint8Array(lengthBytes) };
    this.#slots.add(slot);
    this.#usedBytes += lengthBytes;
    this.#program.opened(slot, 'piece slot');
    return slot;
  }

  release(slot: PieceSlot): void {
    if (!this.#program.canAct()) return;
    assert(this.#slots.delete(slot), 'a slot is released once');
    this.#usedBytes -= slot.bytes.length;
    slot.bytes.fill(POISON);
    this.#program.closed(slot);
  }

  open(spec: ContentSpec): Content {
    const holds = (slot: PieceSlot): boolean => this.#slots.has(slot);
    const content: SimContent = new SimContent(this.#program, this.#disk, this.#clock, this.#threads, spec, {
      holds,
      closed: () => this.#contents.delete(content),
    });
    this.#contents.add(content);
    return content;
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#contents, (content) => content.close()));
  }
}
