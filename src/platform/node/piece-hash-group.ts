// Hashing what is on disk, in a piece worker: each piece is read and hashed in steps, so that memory stays small however
// long a piece is, and what was read is still in the cache of the core when it is hashed.

import { closeSync, readSync } from 'node:fs';
import { ShoalError } from '../../base/errors.ts';
import { type HashJob, SPAN_STRIDE } from '../../ports/piece-io.ts';
import { openReadable } from './content-files.ts';
import type { FileTable } from './file-table.ts';
import { PieceDigest } from './piece-digest.ts';
import { type HashAnswer, unpackJobs } from './piece-protocol.ts';
import { fileError } from './system-errors.ts';

/** A multiple of the 16 KiB of a leaf. Larger steps were no faster, and this one stays in the second-level cache. */
const STEP_BYTES = 256 * 1024;

let step: Uint8Array | undefined;

/** Hashes a group of packed jobs; the file in use is kept open from job to job. */
export function hashGroup(table: FileTable, packed: Float64Array): HashAnswer {
  step ??= new Uint8Array(STEP_BYTES);
  const jobs = unpackJobs(packed);
  const present = new Uint8Array(jobs.length);
  const digests: Uint8Array[] = [];
  const reader = new SpanReader(table);
  try {
    jobs.forEach((job, i) => {
      if (hashJob(reader, job, step!, digests)) present[i] = 1;
    });
  } finally {
    reader.close();
  }
  return { present, digests: new Uint8Array(Buffer.concat(digests)) };
}

function hashJob(reader: SpanReader, job: HashJob, buffer: Uint8Array, out: Uint8Array[]): boolean {
  const digest = new PieceDigest(job.lengthBytes, job.sha1, job.treeBytes, job.leafCount);
  reader.start(job.spans);
  for (let at = 0; at < job.lengthBytes; at += buffer.length) {
    const chunk = buffer.subarray(0, Math.min(buffer.length, job.lengthBytes - at));
    if (!reader.fill(chunk, at)) return false;
    digest.update(chunk);
  }
  const { sha1, root, leaves } = digest.finish();
  if (sha1) out.push(sha1);
  if (root) out.push(root);
  if (leaves && job.wantLeaves) out.push(leaves);
  return true;
}

/** Fills `bytes` as the spans say; FILE_CHANGED where a file is missing or too short. */
export function readSpans(table: FileTable, spans: Float64Array, bytes: Uint8Array): void {
  const reader = new SpanReader(table);
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
  #file = -1;
  #descriptor: number | null = null;
  #spans: Float64Array = new Float64Array(0);
  /** Spans before this one end before what is read next. */
  #first = 0;

  constructor(table: FileTable) {
    this.#table = table;
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
    for (let i = this.#first; i < spans.length; i += SPAN_STRIDE) {
      const spanStart = spans[i + 2]!;
      if (spanStart >= end) break;
      const spanEnd = spanStart + spans[i + 3]!;
      const from = Math.max(spanStart, at);
      const to = Math.min(spanEnd, end);
      if (from > filled) chunk.fill(0, filled - at, from - at);
      if (!this.#read(spans[i]!, spans[i + 1]! + from - spanStart, chunk.subarray(from - at, to - at))) return false;
      filled = to;
      if (spanEnd <= end) this.#first = i + SPAN_STRIDE;
    }
    chunk.fill(0, filled - at);
    return true;
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
    this.#file = -1;
  }

  #read(file: number, position: number, into: Uint8Array): boolean {
    if (file !== this.#file) {
      this.close();
      this.#descriptor = openReadable(this.#table, file);
      this.#file = file;
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
