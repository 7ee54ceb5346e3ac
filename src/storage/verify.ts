// Full recheck: hashes what is on disk on all cores and says which pieces are good, bad or missing.

import { Bitfield } from '../base/bitfield.ts';
import { equalBytes } from '../base/bytes.ts';
import type { Geometry } from '../metainfo/geometry.ts';
import type { Content, HashJob, HashOutcome, PieceCheck, PieceIo } from '../ports/piece-io.ts';
import type { Layout } from './layout.ts';

/** Bytes that one worker hashes in one batch: some milliseconds of work, so that progress and a stop come soon. */
const BATCH_BYTES_PER_WORKER = 8 * 1024 * 1024;
/** Batches under way: while the last jobs of one finish, the next keeps the other workers busy. */
const BATCHES_IN_FLIGHT = 2;

/** What the pieces of a torrent must hash to. Null: not known yet (v2 piece layers not fetched). */
export interface CheckSource {
  check(piece: number): PieceCheck | null;
}

export interface VerifyTarget {
  readonly geometry: Geometry;
  readonly layout: Layout;
  readonly checks: CheckSource;
  readonly content: Content;
}

export interface VerifyOptions {
  /** Which pieces to hash; without it all. */
  readonly pieces?: Bitfield;
  onProgress?(doneBytes: number, totalBytes: number): void;
  readonly signal?: AbortSignal;
}

/** Disjoint. A piece whose hash is not known is in none of them. */
export interface VerifyResult {
  readonly good: Bitfield;
  /** All bytes are there, and wrong. */
  readonly bad: Bitfield;
  /** A file is missing or too short. */
  readonly missing: Bitfield;
}

/**
 * Hashes pieces as they are on disk; v1 by SHA-1, v2 by their trees, hybrid by both. Memory does not grow with the
 * content. Rejects with the signal's reason when it aborts (nothing is under way any more then), and with what the
 * content throws.
 */
export async function verifyContent(
  env: { readonly pieceIo: Pick<PieceIo, 'parallel'> },
  target: VerifyTarget,
  options: VerifyOptions = {},
): Promise<VerifyResult> {
  const { geometry, checks, content } = target;
  const { pieceCount } = geometry;
  const result = {
    good: new Bitfield(pieceCount),
    bad: new Bitfield(pieceCount),
    missing: new Bitfield(pieceCount),
  };
  const isWanted = (piece: number): boolean => options.pieces?.has(piece) ?? true;
  let totalBytes = 0;
  for (let piece = 0; piece < pieceCount; piece++) if (isWanted(piece)) totalBytes += geometry.dataBytes(piece);
  let doneBytes = 0;
  let next = 0;
  options.onProgress?.(0, totalBytes);

  function takeBatch(): Batch {
    const batch: Batch = { pieces: [], checks: [], jobs: [], lengthBytes: 0 };
    const enoughBytes = env.pieceIo.parallel * BATCH_BYTES_PER_WORKER;
    for (; next < pieceCount; next++) {
      if (!isWanted(next)) continue;
      if (batch.jobs.length >= env.pieceIo.parallel && batch.lengthBytes >= enoughBytes) break;
      batch.lengthBytes += geometry.dataBytes(next);
      const check = checks.check(next);
      if (check === null) continue;
      batch.pieces.push(next);
      batch.checks.push(check);
      batch.jobs.push(hashJob(target, next, check));
    }
    return batch;
  }

  async function lane(): Promise<void> {
    while (next < pieceCount && !options.signal?.aborted) {
      const batch = takeBatch();
      const outcomes = await content.hash(batch.jobs).catch((error: unknown) => {
        next = pieceCount; // the other lane stops too
        throw error;
      });
      for (const [i, outcome] of outcomes.entries()) {
        const { present } = outcome;
        const field = !present ? result.missing : matches(outcome, batch.checks[i]!) ? result.good : result.bad;
        field.set(batch.pieces[i]!);
      }
      doneBytes += batch.lengthBytes;
      options.onProgress?.(doneBytes, totalBytes);
    }
  }

  const lanes = await Promise.allSettled(Array.from({ length: BATCHES_IN_FLIGHT }, lane));
  for (const outcome of lanes) if (outcome.status === 'rejected') throw outcome.reason;
  options.signal?.throwIfAborted();
  return result;
}

interface Batch {
  readonly pieces: number[];
  readonly checks: PieceCheck[];
  readonly jobs: HashJob[];
  lengthBytes: number;
}

function hashJob(target: VerifyTarget, piece: number, check: PieceCheck): HashJob {
  const hasTree = check.root !== null;
  return {
    spans: target.layout.pieceSpans(piece),
    lengthBytes: target.geometry.pieceBytes(piece),
    sha1: check.sha1 !== null,
    treeBytes: hasTree ? check.treeBytes : 0,
    leafCount: hasTree ? check.leafCount : 0,
    wantLeaves: false,
  };
}

function matches(outcome: HashOutcome, check: PieceCheck): boolean {
  return isEqual(check.sha1, outcome.sha1) && isEqual(check.root, outcome.root);
}

function isEqual(wanted: Uint8Array | null, found: Uint8Array | null): boolean {
  return wanted === null || (found !== null && equalBytes(wanted, found));
}
