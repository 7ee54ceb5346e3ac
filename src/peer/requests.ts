// The blocks asked of one peer and not yet received, in the order they were asked for.

import { BLOCK_BYTES } from '../metainfo/geometry.ts';

/**
 * A queue of (piece, block) in typed arrays. Remotes answer in order nearly always, so looking from the front finds a
 * block at once; one that is taken from the middle leaves a hole that the front passes over later.
 *
 * ```
 *            head                    tail
 *   pieces  |  7   7   7   .   8   8  |      . = hole (-1)
 *   blocks  | 12  13  14   .   0   1  |
 * ```
 */
export class Requests {
  #pieces: Int32Array = new Int32Array(64);
  #blocks: Int32Array = new Int32Array(64);
  #mask = 63;
  #head = 0;
  #tail = 0;
  #count = 0;

  /** Outstanding requests. */
  get count(): number {
    return this.#count;
  }

  add(piece: number, block: number): void {
    if (this.#tail - this.#head > this.#mask) this.#grow();
    const at = this.#tail++ & this.#mask;
    this.#pieces[at] = piece;
    this.#blocks[at] = block;
    this.#count++;
  }

  has(piece: number, block: number): boolean {
    return this.#find(piece, block) >= 0;
  }

  /** Takes a request out; false where there is none such. */
  remove(piece: number, block: number): boolean {
    const at = this.#find(piece, block);
    if (at < 0) return false;
    this.#pieces[at & this.#mask] = -1;
    this.#count--;
    if (this.#count === 0) {
      this.#head = this.#tail;
    } else {
      while (this.#pieces[this.#head & this.#mask] === -1) this.#head++;
    }
    return true;
  }

  clear(): void {
    this.#head = this.#tail = this.#count = 0;
  }

  /** Oldest first. `visit` must not change the queue. */
  forEach(visit: (piece: number, block: number) => void): void {
    for (let at = this.#head; at < this.#tail; at++) {
      const piece = this.#pieces[at & this.#mask]!;
      if (piece >= 0) visit(piece, this.#blocks[at & this.#mask]!);
    }
  }

  #find(piece: number, block: number): number {
    for (let at = this.#head; at < this.#tail; at++) {
      const slot = at & this.#mask;
      if (this.#pieces[slot] === piece && this.#blocks[slot] === block) return at;
    }
    return -1;
  }

  #grow(): void {
    const size = (this.#mask + 1) * 2;
    const [pieces, blocks] = [new Int32Array(size), new Int32Array(size)];
    let tail = 0;
    this.forEach((piece, block) => {
      pieces[tail] = piece;
      blocks[tail++] = block;
    });
    [this.#pieces, this.#blocks, this.#mask, this.#head, this.#tail] = [pieces, blocks, size - 1, 0, tail];
  }
}

/** The block that begins at this byte of a piece, or -1 where no block begins there. */
export function blockAt(beginBytes: number): number {
  return beginBytes % BLOCK_BYTES === 0 ? beginBytes / BLOCK_BYTES : -1;
}
