// One open content on the main thread: hands work to the piece workers, reads by itself, and keeps order at its end.

import { assert } from '../../../base/assert.ts';
import { ContentStates } from '../../../ports/content-states.ts';
import {
  type CommitOutcome,
  type Content,
  type ContentSpec,
  type HashJob,
  type HashOutcome,
  type PieceCheck,
  type PieceSlot,
  SPAN_STRIDE,
  type Spans,
} from '../../../ports/piece-io.ts';
import { lookAt } from './content-look.ts';
import { ContentSync } from './content-sync.ts';
import { filePath } from './file-table.ts';
import { isSha1Shared, LANES } from './hash-lanes.ts';
import { type FinishJob, type HashAnswer, packJobs, unpackOutcomes } from './piece-protocol.ts';
import type { PieceWorkers, SharedContent } from './piece-workers.ts';
import type { ReadableFiles } from './readable-files.ts';
import { NodeSlot } from './slot-pool.ts';

/** A group is one message there and back: long enough that messages cost nothing, short enough to share out evenly. */
const MAX_GROUP_BYTES = 8 * 1024 * 1024;

/** With so many groups for each worker the last ones end together. */
const GROUPS_PER_WORKER = 4;

/** More at once are handed to a worker as one message. */
const FEW_FILES = 8;

/** Files that are worth a message to another worker to be looked at. */
const MIN_LOOKS = 1024;

/** A range in so many files is read by a worker: from here each of them would cost three ways to a thread of libuv. */
const MANY_FILES = 8;

export class NodeContent implements Content {
  readonly #shared: SharedContent;
  readonly #spec: ContentSpec;
  readonly #workers: PieceWorkers;
  readonly #readable: ReadableFiles;
  readonly #sync: ContentSync;
  readonly #onClosed: (content: NodeContent) => void;
  /** Files whose disk space is reserved, or about to be. */
  readonly #reserved = new Map<number, Promise<unknown>>();
  /** Work under way, which `close` and `finish` wait for. */
  readonly #running = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(
    shared: SharedContent,
    workers: PieceWorkers,
    readable: ReadableFiles,
    onClosed: (content: NodeContent) => void,
  ) {
    this.#shared = shared;
    this.#spec = shared.spec;
    this.#workers = workers;
    this.#readable = readable;
    this.#sync = new ContentSync(shared.spec, (files) => workers.run(shared, { kind: 'sync', files }));
    this.#onClosed = onClosed;
  }

  commit(slot: PieceSlot, check: PieceCheck, spans: Spans): Promise<CommitOutcome> {
    assert(slot instanceof NodeSlot && !slot.isReleased, 'a slot of this pool, not yet released');
    assert(this.#spec.writable, 'a writable content');
    assert(check.sha1 !== null || check.root !== null, 'a piece is checked');
    this.#checkSpans(spans, slot.bytes.length);
    return this.#track(this.#commit(slot, check, spans));
  }

  async #commit(slot: NodeSlot, check: PieceCheck, spans: Spans): Promise<CommitOutcome> {
    slot.commits++;
    try {
      if (this.#spec.preallocate) await this.#reserve(spans);
      const { treeBytes, leafCount } = check;
      const [sha1, root] = [alone(check.sha1), alone(check.root)];
      const job = { kind: 'commit', slot: slot.shared.id, lengthBytes: slot.bytes.length } as const;
      const whole = { ...job, sha1, root, treeBytes, leafCount, spans };
      const answer = await this.#workers.commit(this.#shared, whole, slot.shared);
      if (!answer.good) return { good: false, leaves: answer.digest };
      this.#sync.written(spans);
      return { good: true, root: answer.digest };
    } finally {
      slot.commits--;
    }
  }

  /** Space is taken before the first write to a file, by one worker: another would write into what is being zeroed. */
  async #reserve(spans: Spans): Promise<void> {
    for (let i = 0; i < spans.length; i += SPAN_STRIDE) {
      const file = spans[i]!;
      let done = this.#reserved.get(file);
      if (!done) {
        done = this.#workers.run(this.#shared, { kind: 'reserve', file });
        this.#reserved.set(file, done);
        done.catch(() => this.#reserved.delete(file));
      }
      await done;
    }
  }

  async hash(jobs: readonly HashJob[], lengths?: Float64Array): Promise<readonly HashOutcome[]> {
    let totalBytes = 0;
    for (const job of jobs) {
      this.#checkSpans(job.spans, job.lengthBytes);
      totalBytes += job.lengthBytes;
    }
    const groupBytes = Math.min(MAX_GROUP_BYTES, totalBytes / (this.#workers.count * GROUPS_PER_WORKER));
    const groupJobs = isSha1Shared(LANES) ? Math.min(LANES, Math.ceil(jobs.length / this.#workers.count)) : 1;
    const groups = inGroups(jobs, groupBytes, groupJobs).map(async (group) => {
      const answer = await this.#workers.runGroup(this.#shared, { kind: 'hash', jobs: packJobs(group) });
      const { lengths: found } = answer as HashAnswer;
      if (lengths) for (let i = 0; i < found.length; i += 2) lengths[found[i]!] = found[i + 1]!;
      return unpackOutcomes(group, answer as HashAnswer);
    });
    return (await this.#track(Promise.all(groups))).flat();
  }

  async read(spans: Spans, into: Uint8Array): Promise<void> {
    this.#checkSpans(spans, into.length);
    if (into.buffer instanceof SharedArrayBuffer && fileCount(spans) >= MANY_FILES) {
      await this.#track(this.#workers.run(this.#shared, { kind: 'read', into, spans }));
      return;
    }
    const reads: Promise<void>[] = [];
    let filled = 0;
    for (let i = 0; i < spans.length; ) {
      const [file, position] = [spans[i]!, spans[i + 1]!];
      const parts: Uint8Array[] = [];
      // Spans that follow each other in the file are one read, wherever they go.
      for (let next = position; spans[i] === file && spans[i + 1] === next; i += SPAN_STRIDE) {
        const start = spans[i + 2]!;
        const end = start + spans[i + 3]!;
        if (start > filled) into.fill(0, filled, start);
        filled = end;
        next += spans[i + 3]!;
        parts.push(into.subarray(start, end));
      }
      reads.push(this.#readable.read(filePath(this.#spec, file), parts, position));
    }
    into.fill(0, filled);
    // All of them, also when one fails: `into` is the caller's again afterwards.
    const results = await this.#track(Promise.allSettled(reads));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /**
   * A few files are looked at from here and at once, some microseconds each: a torrent that nobody asks for needs no
   * worker, and a thousand of them start without a thousand messages.
   */
  async states(files?: readonly number[]): Promise<ContentStates> {
    assert(!this.#closed, 'the content is open');
    const states = ContentStates.blank(this.#spec.files.length);
    const wanted = Uint32Array.from(files ?? this.#spec.files.keys());
    if (wanted.length <= FEW_FILES) {
      for (const file of wanted) states.set(file, lookAt(filePath(this.#spec, file)));
      return states;
    }
    const share = this.#shareOf(wanted.length);
    const looks: Promise<unknown>[] = [];
    for (let at = 0; at < wanted.length; at += share) {
      const job = { kind: 'states', files: wanted.slice(at, at + share), numbers: states.numbers } as const;
      looks.push(this.#workers.run(this.#shared, job));
    }
    await this.#track(Promise.all(looks));
    return states;
  }

  sync(): Promise<void> {
    return this.#track(this.#sync.sync());
  }

  async finish(symlinks: readonly { path: readonly string[]; target: readonly string[] }[]): Promise<void> {
    assert(this.#spec.writable, 'a writable content');
    await this.#settled();
    const count = this.#spec.files.length;
    const share = this.#shareOf(count);
    const runs: Promise<unknown>[] = [];
    for (let at = 0; at < count; at += share) runs.push(this.#finish(at, Math.min(count, at + share), []));
    await this.#track(Promise.all(runs));
    // What a link points to is there before it.
    if (symlinks.length > 0) await this.#track(this.#finish(count, count, symlinks));
  }

  #finish(firstFile: number, endFile: number, symlinks: FinishJob['symlinks']): Promise<unknown> {
    return this.#workers.run(this.#shared, { kind: 'finish', firstFile, endFile, symlinks });
  }

  /** Files to look at in one message where there are so many. */
  #shareOf(count: number): number {
    return Math.max(MIN_LOOKS, Math.ceil(count / this.#workers.count));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#settled();
    const { root } = this.#spec;
    const below = root.endsWith('/') ? root : `${root}/`;
    this.#readable.closeWhere((path) => path === root || path.startsWith(below));
    await this.#workers.closeContent(this.#shared);
    this.#onClosed(this);
  }

  async #settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  #track<T>(work: Promise<T>): Promise<T> {
    assert(!this.#closed, 'the content is open');
    this.#running.add(work);
    const forget = (): void => {
      this.#running.delete(work);
    };
    work.then(forget, forget);
    return work;
  }

  /** A span outside its file or buffer would be a bug that destroys data. */
  #checkSpans(spans: Spans, bufferBytes: number): void {
    let end = 0;
    for (let i = 0; i < spans.length; i += SPAN_STRIDE) {
      const file = this.#spec.files[spans[i]!];
      const start = spans[i + 2]!;
      const length = spans[i + 3]!;
      assert(file && spans[i + 1]! + length <= file.lengthBytes, 'a span lies in its file');
      assert(length > 0 && start >= end && start + length <= bufferBytes, 'spans lie in the buffer, in order');
      end = start + length;
    }
  }
}

/** Files that spans lie in, where those of a file follow each other. */
function fileCount(spans: Spans): number {
  let count = 0;
  for (let i = 0; i < spans.length; i += SPAN_STRIDE) if (i === 0 || spans[i] !== spans[i - SPAN_STRIDE]) count++;
  return count;
}

/** A message copies all the memory that a view looks into: with the hash of one piece, those of the whole torrent. */
function alone(hash: Uint8Array | null): Uint8Array | null {
  return hash && new Uint8Array(hash);
}

/** Neighbours together, each group (but the last) as long as is needed for `groupJobs` and for `groupBytes`. */
function inGroups(jobs: readonly HashJob[], groupBytes: number, groupJobs: number): HashJob[][] {
  const groups: HashJob[][] = [];
  let group: HashJob[] = [];
  let bytes = 0;
  for (const job of jobs) {
    group.push(job);
    bytes += job.lengthBytes;
    if (bytes < groupBytes || group.length < groupJobs) continue;
    groups.push(group);
    group = [];
    bytes = 0;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
