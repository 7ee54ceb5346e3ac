// Hashing what is on disk, in a piece worker: each piece is read and hashed in steps, so that memory stays small however
// long a piece is, and what was read is still in the cache of the core when it is hashed. Neighbours of one length go side
// by side where their SHA-1 is computed faster so (hash-lanes.ts).

import { closeSync, readSync } from 'node:fs';
import { ShoalError } from '../../../base/errors.ts';
import { BLOCK_BYTES } from '../../../metainfo/geometry.ts';
import { type HashJob, SPAN_STRIDE } from '../../../ports/piece-io.ts';
import { fileError } from '../system-errors.ts';
import { openReadable } from './content-files.ts';
import { hasFileBatches, MANY_FILES, readFiles } from './file-batch.ts';
import type { FileTable } from './file-table.ts';
import { isSha1Shared, LANES, Sha1Lanes } from './hash-lanes.ts';
import { type Digests, PieceDigest } from './piece-digest.ts';
import { type HashAnswer, unpackJobs } from './piece-protocol.ts';

/** A multiple of the 16 KiB of a leaf. Larger steps were no faster, and this one stays in the second-level cache. */
const STEP_BYTES = 256 * 1024;
/** For each of several pieces: as many leaves as are hashed side by side. */
const LANE_STEP_BYTES: number = LANES * BLOCK_BYTES;

let step: Uint8Array | undefined;

/** Hashes a group of packed jobs; the file in use is kept open from job to job. */
export function hashGroup(table: FileTable, packed: Float64Array): HashAnswer {
  step ??= new Uint8Array(Math.max(STEP_BYTES, LANES * LANE_STEP_BYTES));
  const memory = step;
  const jobs = unpackJobs(packed);
  const present = new Uint8Array(jobs.length);
  const digests: Uint8Array[] = [];
  const lengths: number[] = [];
  const readers = Array.from({ length: Math.min(LANES, jobs.length) }, () => new SpanReader(table, lengths));
  try {
    for (let i = 0; i < jobs.length; ) {
      const count = alike(jobs, i);
      if (isSha1Shared(count)) hashTogether(readers, jobs.slice(i, i + count), memory, digests, present, i);
      else for (let k = i; k < i + count; k++) if (hashJob(readers[0]!, jobs[k]!, memory, digests)) present[k] = 1;
      i += count;
    }
  } finally {
    for (const reader of readers) reader.close();
  }
  return { present, digests: new Uint8Array(Buffer.concat(digests)), lengths: Float64Array.from(lengths) };
}

/** How many jobs from one on are of its length and want the SHA-1, {@link LANES} at most; at least 1. */
function alike(jobs: readonly HashJob[], from: number): number {
  const { lengthBytes, sha1 } = jobs[from]!;
  let end = from + 1;
  while (sha1 && end < from + LANES && jobs[end]?.sha1 && jobs[end]!.lengthBytes === lengthBytes) end++;
  return end - from;
}

function hashTogether(
  readers: readonly SpanReader[],
  jobs: readonly HashJob[],
  memory: Uint8Array,
  out: Uint8Array[],
  present: Uint8Array,
  firstJob: number,
): void {
  const { lengthBytes } = jobs[0]!;
  const sha1 = new Sha1Lanes();
  const trees = jobs.map((job) => new PieceDigest(lengthBytes, false, job.treeBytes, job.leafCount));
  present.fill(1, firstJob, firstJob + jobs.length);
  jobs.forEach((job, lane) => {
    readers[lane]!.start(job.spans);
  });
  for (let at = 0; at < lengthBytes; at += LANE_STEP_BYTES) {
    const count = Math.min(LANE_STEP_BYTES, lengthBytes - at);
    const chunks = jobs.map((_, lane) => memory.subarray(lane * LANE_STEP_BYTES, lane * LANE_STEP_BYTES + count));
    chunks.forEach((chunk, lane) => {
      if (present[firstJob + lane] === 0) return;
      if (readers[lane]!.fill(chunk, at)) trees[lane]!.update(chunk);
      else present[firstJob + lane] = 0;
    });
    sha1.update(chunks, at + count === lengthBytes);
  }
  jobs.forEach((job, lane) => {
    if (present[firstJob + lane] === 1) pushDigests(job, { ...trees[lane]!.finish(), sha1: sha1.digest(lane) }, out);
  });
}

function hashJob(reader: SpanReader, job: HashJob, memory: Uint8Array, out: Uint8Array[]): boolean {
  const digest = new PieceDigest(job.lengthBytes, job.sha1, job.treeBytes, job.leafCount);
  reader.start(job.spans);
  for (let at = 0; at < job.lengthBytes; at += STEP_BYTES) {
    const chunk = memory.subarray(0, Math.min(STEP_BYTES, job.lengthBytes - at));
    if (!reader.fill(chunk, at)) return false;
    digest.update(chunk);
  }
  pushDigests(job, digest.finish(), out);
  return true;
}

function pushDigests(job: HashJob, { sha1, root, leaves }: Digests, out: Uint8Array[]): void {
  if (sha1) out.push(sha1);
  if (root) out.push(root);
  if (leaves && job.wantLeaves) out.push(leaves);
}

/** Fills `bytes` as the spans say; FILE_CHANGED where a file is missing or too short. */
export function readSpans(table: FileTable, spans: Float64Array, bytes: Uint8Array): void {
  const reader = new SpanReader(table, []);
  try {
    reader.start(spans);
    if (reader.fill(bytes, 0)) return;
    throw new ShoalError(
      'FILE_CHANGED',
      `"${reader.path}" was changed from outside: it is missing or shorter than it was; verify the content again`,
    );
  } finally {
    reader.close();
  }
}

/** Reads the bytes that spans describe, in order. */
class SpanReader {
  readonly #table: FileTable;
  readonly #lengths: number[];
  #file = -1;
  #descriptor: number | null = null;
  #spans: Float64Array = new Float64Array(0);
  /** Spans before this one end before what is read next. */
  #first = 0;

  /** `lengths` gets every file that is opened, and its length. */
  constructor(table: FileTable, lengths: number[]) {
    this.#table = table;
    this.#lengths = lengths;
  }

  /** Of the file that was read last. */
  get path(): string {
    return this.#table.path(this.#file);
  }

  start(spans: Float64Array): void {
    this.#spans = spans;
    this.#first = 0;
  }

  /** Fills `chunk`, which stands at `at` in the piece; false where a file is missing or too short. */
  fill(chunk: Uint8Array, at: number): boolean {
    const spans = this.#spans;
    const end = at + chunk.length;
    let filled = at;
    for (let i = this.#first; i < spans.length; ) {
      const spanStart = spans[i + 2]!;
      if (spanStart >= end) break;
      const spanEnd = spanStart + spans[i + 3]!;
      const from = Math.max(spanStart, at);
      const to = Math.min(spanEnd, end);
      if (from > filled) chunk.fill(0, filled - at, from - at);
      const many = this.#readMany(i, chunk, at);
      if (many > 0) {
        i += many * SPAN_STRIDE;
        this.#first = i;
        filled = spans[i - 2]! + spans[i - 1]!;
        continue;
      }
      if (!this.#read(spans[i]!, spans[i + 1]! + from - spanStart, chunk.subarray(from - at, to - at))) return false;
      filled = to;
      i += SPAN_STRIDE;
      if (spanEnd <= end) this.#first = i;
    }
    chunk.fill(0, filled - at);
    return true;
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
    this.#file = -1;
  }

  #open(file: number): void {
    const opened = openReadable(this.#table, file);
    this.#file = file;
    this.#descriptor = opened?.descriptor ?? null;
    if (opened) this.#lengths.push(file, opened.lengthBytes);
  }

  /** Reads spans from one on that lie in `chunk` as a whole and in a file each; how many that were. */
  #readMany(from: number, chunk: Uint8Array, at: number): number {
    if (!hasFileBatches()) return 0;
    const spans = this.#spans;
    const isWhole = (i: number): boolean =>
      spans[i + 2]! >= at && spans[i + 2]! + spans[i + 3]! <= at + chunk.length && spans[i] !== spans[i - SPAN_STRIDE];
    let end = from;
    while (end < spans.length && isWhole(end)) end += SPAN_STRIDE;
    const count = (end - from) / SPAN_STRIDE;
    if (count < MANY_FILES) return 0;
    const lengths = new Float64Array(count);
    const done = readFiles(this.#table, spans.subarray(from, end), chunk, at, lengths);
    for (let i = 0; i < done; i++) this.#lengths.push(spans[from + i * SPAN_STRIDE]!, lengths[i]!);
    return done;
  }

  #read(file: number, position: number, into: Uint8Array): boolean {
    if (file !== this.#file) {
      this.close();
      this.#open(file);
    }
    if (this.#descriptor === null) return false;
    try {
      for (let at = 0; at < into.length; ) {
        const count = readSync(this.#descriptor, into, at, into.length - at, position + at);
        if (count === 0) return false;
        at += count;
      }
    } catch (error) {
      throw fileError(error, `read "${this.#table.path(file)}"`);
    }
    return true;
  }
}
