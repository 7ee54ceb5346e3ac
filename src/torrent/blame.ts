// Who sent bad data: block by block, once it is known what the piece should have been.

import type { Address } from '../base/address.ts';
import { equalBytes } from '../base/bytes.ts';
import { BLOCK_BYTES } from '../metainfo/geometry.ts';
import type { Hashes } from '../ports/hashes.ts';

/**
 * Memory for failed pieces: the pieces that failed first are forgotten, and their liars found when they lie again. It is
 * room for 200 pieces of 16 MiB, or six of 512 MiB.
 */
const MAX_BYTES: number = 8 << 20;
/** A digest, and a reference to who sent the block. */
const BYTES_A_BLOCK = 40;
/** Failures of one piece remembered: liars of earlier ones are found when it is good at last. */
const MAX_FAILURES_A_PIECE = 8;

interface Failure {
  /** Who delivered each block. */
  readonly senders: readonly (Address | null)[];
  /** SHA-256 of each block, concatenated. */
  readonly digests: Uint8Array;
}

/**
 * Remembers what the blocks of a failed piece hashed to and who sent them. When the piece is good, or its true leaf
 * hashes are known (BEP 52), those whose blocks differ are the liars; the others were innocent.
 */
export class Blame {
  readonly #hashes: Hashes;
  /** The piece that failed last at the end. */
  readonly #failures: Map<number, Failure[]> = new Map();
  #bytes = 0;

  constructor(hashes: Hashes) {
    this.#hashes = hashes;
  }

  /** Whether this piece has failed before. */
  isSuspect(piece: number): boolean {
    return this.#failures.has(piece);
  }

  /** SHA-256 of every block of a piece: what leaves are in a v2 tree. */
  digests(bytes: Uint8Array, blockCount: number): Uint8Array {
    const out = new Uint8Array(blockCount * 32);
    for (let i = 0; i < blockCount; i++) {
      out.set(this.#hashes.sha256(bytes.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES)), i * 32);
    }
    return out;
  }

  failed(piece: number, senders: readonly (Address | null)[], digests: Uint8Array): void {
    const failures = this.#failures.get(piece) ?? [];
    if (failures.length >= MAX_FAILURES_A_PIECE) return;
    failures.push({ senders, digests });
    this.#failures.delete(piece);
    this.#failures.set(piece, failures);
    this.#bytes += senders.length * BYTES_A_BLOCK;
    for (const oldest of this.#failures.keys()) {
      if (this.#bytes <= MAX_BYTES || oldest === piece) break;
      this.#forget(oldest);
    }
    // Of one piece alone, too, the first failures go.
    while (this.#bytes > MAX_BYTES && failures.length > 1) {
      this.#bytes -= failures.shift()!.senders.length * BYTES_A_BLOCK;
    }
  }

  #forget(piece: number): void {
    for (const { senders } of this.#failures.get(piece) ?? []) this.#bytes -= senders.length * BYTES_A_BLOCK;
    this.#failures.delete(piece);
  }

  /** The truth about a piece is known: returns who lied about it, each once, and forgets the piece. */
  settle(piece: number, truth: Uint8Array): Address[] {
    const liars = new Map<string, Address>();
    for (const { senders, digests } of this.#failures.get(piece) ?? []) {
      for (const block of differing(digests, truth)) {
        const sender = senders[block];
        if (sender) liars.set(sender.key, sender);
      }
    }
    this.#forget(piece);
    return [...liars.values()];
  }
}

/** Indices of the 32-byte digests that differ. */
export function differing(a: Uint8Array, b: Uint8Array): number[] {
  const out: number[] = [];
  for (let at = 0; at + 32 <= Math.min(a.length, b.length); at += 32) {
    if (!equalBytes(a.subarray(at, at + 32), b.subarray(at, at + 32))) out.push(at / 32);
  }
  return out;
}
