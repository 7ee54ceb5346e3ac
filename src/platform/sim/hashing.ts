// The hashing threads of a simulated host: real digests, at the price of virtual time.

import { BLOCK_BYTES } from '../../metainfo/geometry.ts';
import { merkleRoot, NODE_BYTES } from '../../metainfo/merkle.ts';
import type { Hashes } from '../../ports/hashes.ts';
import type { SimProgram } from './program.ts';

export interface DigestWish {
  readonly sha1: boolean;
  readonly treeBytes: number;
  /** 0: no tree. */
  readonly leafCount: number;
}

export interface PieceDigests {
  readonly sha1: Uint8Array | null;
  readonly root: Uint8Array | null;
  readonly leaves: Uint8Array | null;
}

export class HashingThreads {
  readonly parallel: number;
  readonly #program: SimProgram;
  readonly #hashes: Hashes;
  readonly #bytesPerSecond: number;
  readonly #freeAtMs: number[];

  constructor(program: SimProgram, hashes: Hashes, threads: number, bytesPerSecond: number) {
    this.#program = program;
    this.#hashes = hashes;
    this.#bytesPerSecond = bytesPerSecond;
    this.parallel = threads;
    this.#freeAtMs = new Array<number>(threads).fill(0);
  }

  /** Digests of `bytes` as they are when the thread is through with them. */
  digest(bytes: Uint8Array, wish: DigestWish): Promise<PieceDigests> {
    const hashed = (wish.sha1 ? bytes.length : 0) + (wish.leafCount > 0 ? wish.treeBytes : 0);
    const nowMs = this.#program.schedule.nowMs;
    const thread = this.#freeAtMs.indexOf(Math.min(...this.#freeAtMs));
    const doneMs = Math.max(nowMs, this.#freeAtMs[thread]!) + (hashed * 1000) / this.#bytesPerSecond;
    this.#freeAtMs[thread] = doneMs;
    return this.#program.answer(doneMs - nowMs, 'hashing', () => this.#compute(bytes, wish));
  }

  #compute(bytes: Uint8Array, wish: DigestWish): PieceDigests {
    const sha1 = wish.sha1 ? this.#hashes.sha1(bytes) : null;
    if (wish.leafCount === 0) return { sha1, root: null, leaves: null };
    const sha256 = (part: Uint8Array): Uint8Array => this.#hashes.sha256(part);
    const leaves = new Uint8Array(Math.ceil(wish.treeBytes / BLOCK_BYTES) * NODE_BYTES);
    for (let at = 0, leaf = 0; at < wish.treeBytes; at += BLOCK_BYTES, leaf += NODE_BYTES) {
      leaves.set(sha256(bytes.subarray(at, Math.min(at + BLOCK_BYTES, wish.treeBytes))), leaf);
    }
    return { sha1, root: merkleRoot(leaves, wish.leafCount, sha256), leaves };
  }
}
