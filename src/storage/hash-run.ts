// Hashing many pieces as they are on disk, all workers busy, memory and waiting time bounded.

import type { Content, HashJob, HashOutcome } from '../ports/piece-io.ts';

/** Bytes that one worker hashes in one batch: some milliseconds of work, so that progress and a stop come soon. */
const BATCH_BYTES_PER_WORKER = 8 * 1024 * 1024;
/** Pieces that one worker is given in one batch, to hash them side by side, unless they are very long. */
const BATCH_PIECES_PER_WORKER = 8;
const MAX_BATCH_BYTES_PER_WORKER = 8 * BATCH_BYTES_PER_WORKER;
/** Batches under way: while the last jobs of one finish, the next keeps the other workers busy. */
const BATCHES_IN_FLIGHT = 2;

export interface HashRun {
  readonly content: Content;
  /** How many jobs run side by side: `PieceIo.parallel`. */
  readonly parallel: number;
  readonly pieceCount: number;
  /** What to hash of a piece; null: nothing, it is passed over. Called once a piece, in order. */
  job(piece: number): HashJob | null;
  /** Called once for every job, in no order. */
  onOutcome(piece: number, outcome: HashOutcome): void;
  /** Bytes hashed so far, after every batch. */
  onProgress(doneBytes: number): void;
  /** Gets by content file how long the files were that were opened. */
  readonly lengths?: Float64Array;
  readonly signal?: AbortSignal | undefined;
}

interface Batch {
  readonly pieces: number[];
  readonly jobs: HashJob[];
  lengthBytes: number;
}

/**
 * Carries the run out. Rejects with the signal's reason when it aborts, and with what the content or `onOutcome` throws;
 * either way nothing is under way any more then.
 */
export async function hashPieces(run: HashRun): Promise<void> {
  let next = 0;
  let doneBytes = 0;

  function takeBatch(): Batch {
    const batch: Batch = { pieces: [], jobs: [], lengthBytes: 0 };
    const isFull = (): boolean => {
      const [jobs, lengthBytes] = [batch.jobs.length / run.parallel, batch.lengthBytes / run.parallel];
      if (jobs < 1 || lengthBytes < BATCH_BYTES_PER_WORKER) return false;
      return jobs >= BATCH_PIECES_PER_WORKER || lengthBytes >= MAX_BATCH_BYTES_PER_WORKER;
    };
    while (next < run.pieceCount && !isFull()) {
      const piece = next++;
      const job = run.job(piece);
      if (job === null) continue;
      batch.pieces.push(piece);
      batch.jobs.push(job);
      batch.lengthBytes += job.lengthBytes;
    }
    return batch;
  }

  async function lane(): Promise<void> {
    while (next < run.pieceCount && !run.signal?.aborted) {
      const batch = takeBatch();
      const outcomes = await run.content.hash(batch.jobs, run.lengths);
      for (const [i, outcome] of outcomes.entries()) run.onOutcome(batch.pieces[i]!, outcome);
      doneBytes += batch.lengthBytes;
      run.onProgress(doneBytes);
    }
  }

  const lanes = Array.from({ length: BATCHES_IN_FLIGHT }, () =>
    lane().catch((error: unknown) => {
      next = run.pieceCount; // the other lane ends with its batch
      throw error;
    }),
  );
  for (const outcome of await Promise.allSettled(lanes)) if (outcome.status === 'rejected') throw outcome.reason;
  run.signal?.throwIfAborted();
}

/** A job for a piece with these digests; `leafCount` 0: no tree. */
export function hashJob(
  spans: Float64Array,
  lengthBytes: number,
  digests: { readonly sha1: boolean; readonly treeBytes: number; readonly leafCount: number },
): HashJob {
  const { sha1, treeBytes, leafCount } = digests;
  return { spans, lengthBytes, sha1, treeBytes: leafCount === 0 ? 0 : treeBytes, leafCount, wantLeaves: false };
}
