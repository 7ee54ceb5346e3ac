// Full recheck: hashes what is on disk on all cores and says which pieces are good, bad or missing.

import { Bitfield } from '../base/bitfield.ts';
import { equalBytes } from '../base/bytes.ts';
import type { Geometry } from '../metainfo/geometry.ts';
import type { PieceChecks } from '../metainfo/piece-check.ts';
import type { Content, HashOutcome, PieceCheck, PieceIo } from '../ports/piece-io.ts';
import { hashJob, hashPieces } from './hash-run.ts';
import type { Layout } from './layout.ts';

export interface VerifyTarget {
  readonly geometry: Geometry;
  readonly layout: Layout;
  readonly checks: Pick<PieceChecks, 'of' | 'isKnown'>;
  readonly content: Content;
}

export interface VerifyOptions {
  /** Which pieces to hash; without it all. */
  readonly pieces?: Bitfield;
  /** Bytes hashed and to be hashed: at the start, and from time to time. */
  onProgress?(doneBytes: number, totalBytes: number): void;
  readonly signal?: AbortSignal;
}

/** Pieces are in one field at most; one whose hash is not known is in none. */
export interface VerifyResult {
  readonly good: Bitfield;
  /** All bytes are there, and wrong. */
  readonly bad: Bitfield;
  /** A file is missing or too short. */
  readonly missing: Bitfield;
  /** By content file: how long it was when it was opened for that; NaN where no piece of it was looked at. */
  readonly lengths: Float64Array;
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
  const { geometry, layout, checks, content } = target;
  const { pieceCount } = geometry;
  const [good, bad, missing] = [new Bitfield(pieceCount), new Bitfield(pieceCount), new Bitfield(pieceCount)];
  const lengths = new Float64Array(layout.files.length).fill(Number.NaN);
  const isWanted = (piece: number): boolean => (options.pieces?.has(piece) ?? true) && checks.isKnown(piece);
  let totalBytes = 0;
  for (let piece = 0; piece < pieceCount; piece++) if (isWanted(piece)) totalBytes += geometry.pieceBytes(piece);
  const onProgress = (doneBytes: number): void => options.onProgress?.(doneBytes, totalBytes);
  onProgress(0);
  await hashPieces({
    content,
    parallel: env.pieceIo.parallel,
    pieceCount,
    job(piece) {
      if (!isWanted(piece)) return null;
      const check = checks.of(piece);
      const leafCount = check.root === null ? 0 : check.leafCount;
      const digests = { sha1: check.sha1 !== null, treeBytes: check.treeBytes, leafCount };
      return hashJob(layout.pieceSpans(piece), geometry.pieceBytes(piece), digests);
    },
    onOutcome(piece, outcome) {
      const field = !outcome.present ? missing : matches(outcome, checks.of(piece)) ? good : bad;
      field.set(piece);
    },
    onProgress,
    lengths,
    signal: options.signal,
  });
  return { good, bad, missing, lengths };
}

function matches(outcome: HashOutcome, check: PieceCheck): boolean {
  return isEqual(check.sha1, outcome.sha1) && isEqual(check.root, outcome.root);
}

function isEqual(wanted: Uint8Array | null, found: Uint8Array | null): boolean {
  return wanted === null || (found !== null && equalBytes(wanted, found));
}
