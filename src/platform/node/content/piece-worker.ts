// Entry of a piece worker: takes messages one by one, hashes, writes and answers. Everything in it is synchronous.

import { parentPort, workerData } from 'node:worker_threads';
import { assert, unreachable } from '../../../base/assert.ts';
import { equalBytes } from '../../../base/bytes.ts';
import { ContentStates } from '../../../ports/content-states.ts';
import { SPAN_STRIDE } from '../../../ports/piece-io.ts';
import { fileError } from '../system-errors.ts';
import { reserve, WritableFiles, writeFully } from './content-files.ts';
import { finishContent } from './content-finish.ts';
import { lookAtMany } from './content-look.ts';
import { syncFiles } from './content-sync.ts';
import { MANY_FILES, makeFiles } from './file-batch.ts';
import { FileTable } from './file-table.ts';
import { isSha1Shared, Sha1Lanes } from './hash-lanes.ts';
import { PieceDigest } from './piece-digest.ts';
import { hashGroup, readSpans } from './piece-hash-group.ts';
import {
  type CommitAnswer,
  type CommitJob,
  type NumberedCommit,
  PROTOCOL_VERSION,
  type WorkerAnswer,
  type WorkerJob,
  type WorkerMessage,
} from './piece-protocol.ts';

const slots = new Map<number, Uint8Array>();
const contents = new Map<number, FileTable>();
const files = new WritableFiles();

function onMessage(message: WorkerMessage): void {
  if (message.kind === 'slot') slots.set(message.slot, new Uint8Array(message.memory));
  else if (message.kind === 'forgetSlot') slots.delete(message.slot);
  else if (message.kind === 'content') contents.set(message.content, new FileTable(message.spec));
  else if (message.kind === 'together') commitTogether(message.commits);
  else answer(message.request, message.content, message, null);
}

/**
 * Hashed side by side, then written and answered one by one: who waits for memory gets some soon. A thread that starts
 * after the program was replaced by a newer one may find another module than the main thread did, and do without.
 */
function commitTogether(commits: readonly NumberedCommit[]): void {
  const sha1 = isSha1Shared(commits.length) ? new Sha1Lanes() : null;
  sha1?.update(commits.map(slotBytes), true);
  commits.forEach((job, i) => {
    answer(job.request, job.content, job, sha1?.digest(i) ?? null);
  });
}

/** `sha1`: of the piece of a commit, where it is known already. */
function answer(request: number, content: number, job: WorkerJob, sha1: Uint8Array | null): void {
  let out: WorkerAnswer;
  try {
    const table = contents.get(content);
    assert(table, 'a worker knows the content');
    files.beginAct();
    out = { request, failed: false, value: perform(job, content, table, sha1) };
  } catch (error) {
    const { code, message } = fileError(error, 'work on the content');
    out = { request, failed: true, code, message };
  }
  parentPort!.postMessage(out);
}

function perform(job: WorkerJob, content: number, table: FileTable, sha1: Uint8Array | null): unknown {
  switch (job.kind) {
    case 'commit':
      return commit(job, content, table, sha1);
    case 'hash':
      return hashGroup(table, job.jobs);
    case 'read':
      return readSpans(table, job.spans, job.into);
    case 'reserve':
      return reserveFile(job.file, content, table);
    case 'states':
      return lookAtMany(table, job.files, new ContentStates(job.numbers));
    case 'sync':
      return syncFiles(table, job.files);
    case 'finish':
      return finishContent(table, job);
    case 'closeContent':
      files.closeContent(content);
      contents.delete(content);
      return undefined;
    default:
      return unreachable(job);
  }
}

function commit(job: CommitJob, content: number, table: FileTable, known: Uint8Array | null): CommitAnswer {
  const bytes = slotBytes(job);
  const wantSha1 = job.sha1 !== null && known === null;
  const digest = new PieceDigest(job.lengthBytes, wantSha1, job.treeBytes, job.root ? job.leafCount : 0);
  digest.update(bytes);
  const { sha1, root, leaves } = digest.finish();
  const good = matches(job.sha1, known ?? sha1) && matches(job.root, root);
  if (!good) return { good, digest: leaves };
  writeSpans(job.spans, bytes, content, table);
  return { good, digest: root };
}

function slotBytes(job: CommitJob): Uint8Array {
  const memory = slots.get(job.slot);
  assert(memory, 'a worker knows the slot');
  return memory.subarray(0, job.lengthBytes);
}

function matches(wanted: Uint8Array | null, found: Uint8Array | null): boolean {
  return wanted === null || (found !== null && equalBytes(wanted, found));
}

function writeSpans(spans: Float64Array, bytes: Uint8Array, content: number, table: FileTable): void {
  for (let i = 0; i < spans.length; i += SPAN_STRIDE) {
    if (spans.length - i >= MANY_FILES * SPAN_STRIDE) {
      i += makeFiles(table, spans.subarray(i), bytes) * SPAN_STRIDE;
      if (i === spans.length) return;
    }
    const file = spans[i]!;
    const start = spans[i + 2]!;
    table.packed.whole[file] = 0;
    const descriptor = files.open(content, table, file);
    try {
      writeFully(descriptor, bytes.subarray(start, start + spans[i + 3]!), spans[i + 1]!);
    } catch (error) {
      throw fileError(error, `write "${table.path(file)}"`);
    }
  }
}

function reserveFile(file: number, content: number, table: FileTable): void {
  const descriptor = files.open(content, table, file);
  try {
    reserve(descriptor, table.lengthBytes(file));
  } catch (error) {
    throw fileError(error, `reserve the space of "${table.path(file)}"`);
  }
}

assert(parentPort, 'this file runs as a worker thread');
if (workerData !== PROTOCOL_VERSION) throw new Error('Shoal was replaced by another version while it ran');
parentPort.on('message', onMessage);
