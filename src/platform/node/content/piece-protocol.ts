// What the main thread and the piece workers say to each other. One message a commit, one a group of hash jobs.

import type { ErrorCode } from '../../../base/errors.ts';
import { BLOCK_BYTES } from '../../../metainfo/geometry.ts';
import type { HashJob, HashOutcome } from '../../../ports/piece-io.ts';
import type { PackedSpec } from './file-table.ts';

/**
 * Of all that is below. Threads that went for want of work come back from what is on disk then, which may be of another
 * version of Shoal than the program that runs.
 */
export const PROTOCOL_VERSION = 1;

/** `request` numbers come back in the answer; messages without one are not answered. */
export type WorkerMessage =
  /** Makes shared memory known under a number, once a worker, so that a commit names just the number. */
  | { readonly kind: 'slot'; readonly slot: number; readonly memory: SharedArrayBuffer }
  | { readonly kind: 'forgetSlot'; readonly slot: number }
  | { readonly kind: 'content'; readonly content: number; readonly spec: PackedSpec }
  | ({ readonly request: number; readonly content: number } & WorkerJob)
  /** Commits of pieces of one length, each answered when it is done. */
  | { readonly kind: 'together'; readonly commits: readonly NumberedCommit[] };

export type NumberedCommit = { readonly request: number; readonly content: number } & CommitJob;

export type WorkerJob =
  | CommitJob
  | HashGroup
  | ReadJob
  | { readonly kind: 'reserve'; readonly file: number }
  /** What is on disk of `files` goes into the shared memory of a ContentStates. */
  | { readonly kind: 'states'; readonly files: Uint32Array; readonly numbers: Float64Array }
  | { readonly kind: 'sync'; readonly files: Uint32Array }
  | FinishJob
  | { readonly kind: 'closeContent' };

/** Fills shared memory, which nobody else touches meanwhile. */
export interface ReadJob {
  readonly kind: 'read';
  readonly into: Uint8Array;
  readonly spans: Float64Array;
}

export interface CommitJob {
  readonly kind: 'commit';
  readonly slot: number;
  readonly lengthBytes: number;
  readonly sha1: Uint8Array | null;
  readonly root: Uint8Array | null;
  readonly treeBytes: number;
  readonly leafCount: number;
  readonly spans: Float64Array;
}

/** Jobs packed by {@link packJobs}. */
export interface HashGroup {
  readonly kind: 'hash';
  readonly jobs: Float64Array;
}

/** Finishes a run of files, then makes the links. */
export interface FinishJob {
  readonly kind: 'finish';
  readonly firstFile: number;
  readonly endFile: number;
  readonly symlinks: readonly { readonly path: readonly string[]; readonly target: readonly string[] }[];
}

/** Of a commit; `digest` is the root of a good piece or the leaves of a bad one. */
export interface CommitAnswer {
  readonly good: boolean;
  readonly digest: Uint8Array | null;
}

/** Of a hash group: one byte a job, and the digests of those present one after another (SHA-1, root, leaves). */
export interface HashAnswer {
  readonly present: Uint8Array;
  readonly digests: Uint8Array;
  /** Every file that was opened, and its length then, in turn. */
  readonly lengths: Float64Array;
}

export type WorkerAnswer =
  | { readonly request: number; readonly failed: false; readonly value: unknown }
  | { readonly request: number; readonly failed: true; readonly code: ErrorCode; readonly message: string };

const SHA1_BYTES = 20;
const SHA256_BYTES = 32;
const HEADER_NUMBERS = 6;

/** `[length, sha1, treeBytes, leafCount, wantLeaves, count of span numbers, ...spans]` a job. */
export function packJobs(jobs: readonly HashJob[]): Float64Array {
  let length = 0;
  for (const job of jobs) length += HEADER_NUMBERS + job.spans.length;
  const out = new Float64Array(length);
  let at = 0;
  for (const job of jobs) {
    out[at] = job.lengthBytes;
    out[at + 1] = job.sha1 ? 1 : 0;
    out[at + 2] = job.treeBytes;
    out[at + 3] = job.leafCount;
    out[at + 4] = job.wantLeaves ? 1 : 0;
    out[at + 5] = job.spans.length;
    out.set(job.spans, at + HEADER_NUMBERS);
    at += HEADER_NUMBERS + job.spans.length;
  }
  return out;
}

/** Inverse of {@link packJobs}; the spans are views. */
export function unpackJobs(packed: Float64Array): HashJob[] {
  const out: HashJob[] = [];
  for (let at = 0; at < packed.length; ) {
    const end = at + HEADER_NUMBERS + packed[at + 5]!;
    out.push({
      lengthBytes: packed[at]!,
      sha1: packed[at + 1] === 1,
      treeBytes: packed[at + 2]!,
      leafCount: packed[at + 3]!,
      wantLeaves: packed[at + 4] === 1,
      spans: packed.subarray(at + HEADER_NUMBERS, end),
    });
    at = end;
  }
  return out;
}

/** The outcomes of a group; digests are owned copies, so that keeping one does not keep the group. */
export function unpackOutcomes(jobs: readonly HashJob[], answer: HashAnswer): HashOutcome[] {
  let at = 0;
  const take = (length: number): Uint8Array => {
    at += length;
    return answer.digests.slice(at - length, at);
  };
  return jobs.map((job, i) => {
    if (answer.present[i] === 0) return { present: false, sha1: null, root: null, leaves: null };
    const sha1 = job.sha1 ? take(SHA1_BYTES) : null;
    const root = job.leafCount > 0 ? take(SHA256_BYTES) : null;
    const leaves = job.leafCount > 0 && job.wantLeaves ? take(leafBytes(job.treeBytes)) : null;
    return { present: true, sha1, root, leaves };
  });
}

/** Length of the concatenated leaves of a tree over `treeBytes`. */
export function leafBytes(treeBytes: number): number {
  return Math.ceil(treeBytes / BLOCK_BYTES) * SHA256_BYTES;
}
