// Entry of a piece worker: takes messages one by one, hashes, writes and answers. Everything in it is synchronous.

import { parentPort } from 'node:worker_threads';
import { assert, unreachable } from '../../base/assert.ts';
import { equalBytes } from '../../base/bytes.ts';
import { SPAN_STRIDE } from '../../ports/piece-io.ts';
import { reserve, WritableFiles, writeFully } from './content-files.ts';
import { finishContent } from './content-finish.ts';
import { lookAt } from './content-look.ts';
import { syncFiles } from './content-sync.ts';
import { FileTable } from './file-table.ts';
import { PieceDigest } from './piece-digest.ts';
import { hashGroup, readSpans } from './piece-hash-group.ts';
import {
  type CommitAnswer,
  type CommitJob,
  STATE_STRIDE,
  type WorkerAnswer,
  type WorkerJob,
  type WorkerMessage,
} from './piece-protocol.ts';
import { fileError } from './system-errors.ts';

const slots = new Map<number, Uint8Array>();
const contents = new Map<number, FileTable>();
const files = new WritableFiles();

function onMessage(message: WorkerMessage): void {
  if (message.kind === 'slot') slots.set(message.slot, new Uint8Array(message.memory));
  else if (message.kind === 'forgetSlot') slots.delete(message.slot);
  else if (message.kind === 'content') contents.set(message.content, new FileTable(message.spec));
  else answer(message.request, message.content, message);
}

function answer(request: number, content: number, job: WorkerJob): void {
  let out: WorkerAnswer;
  try {
    const table = contents.get(content);
    assert(table, 'a worker knows the content');
    files.beginAct();
    out = { request, failed: false, value: perform(job, content, table) };
  } catch (error) {
    const { code, message } = fileError(error, 'work on the content');
    out = { request, failed: true, code, message };
  }
  parentPort!.postMessage(out);
}

function perform(job: WorkerJob, content: number, table: FileTable): unknown {
  switch (job.kind) {
    case 'commit':
      return commit(job, content, table);
    case 'hash':
      return hashGroup(table, job.jobs);
    case 'read':
      return readSpans(table, job.spans, job.into);
    case 'reserve':
      return reserveFile(job.file, content, table);
    case 'states':
      return states(table, job.files);
    case 'sync':
      return syncFiles(table, job.files);
    case 'finish':
      return finishContent(table, job.symlinks);
    case 'closeContent':
      files.closeContent(content);
      contents.delete(content);
      return undefined;
    default:
      return unreachable(job);
  }
}

function commit(job: CommitJob, content: number, table: FileTable): CommitAnswer {
  const memory = slots.get(job.slot);
  assert(memory, 'a worker knows the slot');
  const bytes = memory.subarray(0, job.lengthBytes);
  const digest = new PieceDigest(job.lengthBytes, job.sha1 !== null, job.treeBytes, job.root ? job.leafCount : 0);
  digest.update(bytes);
  const { sha1, root, leaves } = digest.finish();
  const good = matches(job.sha1, sha1) && matches(job.root, root);
  if (!good) return { good, digest: leaves };
  writeSpans(job.spans, bytes, content, table);
  return { good, digest: root };
}

function matches(wanted: Uint8Array | null, found: Uint8Array | null): boolean {
  return wanted === null || (found !== null && equalBytes(wanted, found));
}

function writeSpans(spans: Float64Array, bytes: Uint8Array, content: number, table: FileTable): void {
  for (let i = 0; i < spans.length; i += SPAN_STRIDE) {
    const file = spans[i]!;
    const start = spans[i + 2]!;
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

function states(table: FileTable, wanted: Uint32Array): Float64Array {
  const out = new Float64Array(wanted.length * STATE_STRIDE);
  for (let i = 0; i < wanted.length; i++) {
    const { exists, lengthBytes, mtimeMs } = lookAt(table.path(wanted[i]!));
    if (exists) out.set([1, lengthBytes, mtimeMs], i * STATE_STRIDE);
  }
  return out;
}

assert(parentPort, 'this file runs as a worker thread');
parentPort.on('message', onMessage);
