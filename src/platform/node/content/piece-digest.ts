// The digests of one piece, fed chunk by chunk: SHA-1 of all of it, and the merkle tree of BEP 52 over its data.

import { createHash, type Hash, hash } from 'node:crypto';
import { BLOCK_BYTES } from '../../../metainfo/geometry.ts';
import { sha256Units } from './hash-lanes.ts';
import { leafBytes } from './piece-protocol.ts';

const NODE_BYTES = 32;

export interface Digests {
  readonly sha1: Uint8Array | null;
  /** Null where no tree was asked for. */
  readonly root: Uint8Array | null;
  readonly leaves: Uint8Array | null;
}

export class PieceDigest {
  readonly #lengthBytes: number;
  readonly #wantSha1: boolean;
  readonly #treeBytes: number;
  readonly #leafCount: number;
  readonly #leaves: Uint8Array | null;
  #sha1: Hash | Uint8Array | null = null;
  #at = 0;

  /** `leafCount` 0: no tree. Otherwise a power of two; leaves past `treeBytes` are 32 zero bytes. */
  constructor(lengthBytes: number, wantSha1: boolean, treeBytes: number, leafCount: number) {
    this.#lengthBytes = lengthBytes;
    this.#wantSha1 = wantSha1;
    this.#treeBytes = treeBytes;
    this.#leafCount = leafCount;
    this.#leaves = leafCount > 0 ? new Uint8Array(leafBytes(treeBytes)) : null;
  }

  /** The next bytes of the piece; all chunks but the last are multiples of 16 KiB long. */
  update(chunk: Uint8Array): void {
    if (this.#wantSha1) this.#updateSha1(chunk);
    if (this.#leaves) this.#addLeaves(this.#leaves, chunk);
    this.#at += chunk.length;
  }

  finish(): Digests {
    const sha1 = this.#sha1 === null || this.#sha1 instanceof Uint8Array ? this.#sha1 : this.#sha1.digest();
    const root = this.#leaves && treeRoot(this.#leaves, this.#leafCount);
    return { sha1, root, leaves: this.#leaves };
  }

  #updateSha1(chunk: Uint8Array): void {
    // A piece in one chunk, as all small ones are, takes the one-shot function, which costs a third less to set up.
    if (chunk.length === this.#lengthBytes) {
      this.#sha1 = hash('sha1', chunk, 'buffer');
      return;
    }
    this.#sha1 ??= createHash('sha1');
    (this.#sha1 as Hash).update(chunk);
  }

  #addLeaves(leaves: Uint8Array, chunk: Uint8Array): void {
    const bytes = chunk.subarray(0, Math.max(0, this.#treeBytes - this.#at));
    sha256Units(bytes, BLOCK_BYTES, leaves, (this.#at / BLOCK_BYTES) * NODE_BYTES);
  }
}

/** Root over `leafCount` leaves, of which those not given are zero; whole subtrees of such are computed once a level. */
function treeRoot(leaves: Uint8Array, leafCount: number): Uint8Array {
  let nodes = leaves;
  let zero: Uint8Array = new Uint8Array(NODE_BYTES);
  for (let width = leafCount; width > 1; width /= 2) {
    const count = nodes.length / NODE_BYTES;
    const above = new Uint8Array(Math.ceil(count / 2) * NODE_BYTES);
    const pairs = count >> 1;
    sha256Units(nodes.subarray(0, pairs * 2 * NODE_BYTES), 2 * NODE_BYTES, above, 0);
    if (count % 2 === 1) above.set(hashNodes(nodes.subarray(-NODE_BYTES), zero), pairs * NODE_BYTES);
    nodes = above;
    zero = hashNodes(zero, zero);
  }
  return nodes.length === 0 ? zero : nodes.slice(0, NODE_BYTES);
}

function hashNodes(left: Uint8Array, right: Uint8Array): Uint8Array {
  const pair = new Uint8Array(2 * NODE_BYTES);
  pair.set(left);
  pair.set(right, NODE_BYTES);
  return hash('sha256', pair, 'buffer');
}
