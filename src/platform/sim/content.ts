// The content of one torrent on a simulated disk: hash and write pieces, recheck, read, finish.

import { assert } from '../../base/assert.ts';
import { equalBytes } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import { ContentStates } from '../../ports/content-states.ts';
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
} from '../../ports/piece-io.ts';
import type { SimClock } from './clock.ts';
import { ContentFiles } from './content-files.ts';
import type { DiskAction, SimDisk } from './disk.ts';
import type { HashingThreads, PieceDigests } from './hashing.ts';
import type { SimProgram } from './program.ts';
import type { SeededRandom } from './random.ts';
import { digestOf } from './trace.ts';
import type { FileNode } from './tree.ts';

/** What a content asks of the pool that opened it. */
export interface ContentOwner {
  /** Whether the slot is on loan. */
  holds(slot: PieceSlot): boolean;
  closed(): void;
}

export class SimContent implements Content {
  readonly #program: SimProgram;
  readonly #disk: SimDisk;
  readonly #threads: HashingThreads;
  readonly #owner: ContentOwner;
  readonly #files: ContentFiles;
  readonly #unsynced: Set<FileNode> = new Set();
  readonly #underWay: Set<Promise<unknown>> = new Set();
  #closing: Promise<void> | null = null;

  constructor(
    program: SimProgram,
    disk: SimDisk,
    clock: SimClock,
    threads: HashingThreads,
    spec: ContentSpec,
    owner: ContentOwner,
  ) {
    this.#program = program;
    this.#disk = disk;
    this.#threads = threads;
    this.#owner = owner;
    this.#files = new ContentFiles(disk, clock, spec);
    if (program.canAct()) program.opened(this, 'content');
  }

  commit(slot: PieceSlot, check: PieceCheck, spans: Spans): Promise<CommitOutcome> {
    return this.#track(this.#commit(slot, check, spans));
  }

  hash(jobs: readonly HashJob[], lengths?: Float64Array): Promise<readonly HashOutcome[]> {
    if (lengths) this.#tellLengths(jobs, lengths);
    return this.#track(this.#hash(jobs));
  }

  #tellLengths(jobs: readonly HashJob[], lengths: Float64Array): void {
    for (const { spans } of jobs) {
      for (let i = 0; i < spans.length; i += SPAN_STRIDE) {
        const file = this.#files.readable(spans[i]!);
        if (file !== null) lengths[spans[i]!] = file.content.lengthBytes;
      }
    }
  }

  read(spans: Spans, into: Uint8Array): Promise<void> {
    return this.#submit('read', 'reading content', into.length, () => {
      if (!this.#fill(spans, into)) {
        throw new ShoalError('FILE_CHANGED', 'a file of the content is missing or shorter than it was: verify it');
      }
    });
  }

  states(): Promise<ContentStates> {
    return this.#submit('read', 'looking at content', 0, () => ContentStates.of(this.#files.states()));
  }

  sync(): Promise<void> {
    const files = Array.from(this.#unsynced);
    return this.#submit('sync', 'syncing content', 0, () => {
      for (const file of files) {
        file.content.sync();
        this.#unsynced.delete(file);
      }
    });
  }

  finish(symlinks: readonly { path: readonly string[]; target: readonly string[] }[]): Promise<void> {
    return this.#submit('write', 'finishing content', 0, () => this.#files.finish(symlinks));
  }

  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#underWay).then(() => {
      this.#program.closed(this);
      this.#owner.closed();
    });
    return this.#closing;
  }

  async #commit(slot: PieceSlot, check: PieceCheck, spans: Spans): Promise<CommitOutcome> {
    assert(this.#owner.holds(slot), 'a slot is committed while it is held');
    const before = digestOf(slot.bytes);
    const wish = {
      sha1: check.sha1 !== null,
      treeBytes: check.treeBytes,
      leafCount: check.root === null ? 0 : check.leafCount,
    };
    const digests = await this.#threads.digest(slot.bytes, wish);
    if (!matches(digests, check)) return { good: false, leaves: digests.leaves };
    const write = (limitBytes: number): void => this.#write(spans, slot.bytes, limitBytes);
    const tear = (random: SeededRandom): void => write(random.below(slot.bytes.length + 1));
    await this.#submit('write', 'writing content', slot.bytes.length, () => write(slot.bytes.length), tear);
    const isSame = this.#owner.holds(slot) && digestOf(slot.bytes) === before;
    assert(isSame, 'a slot does not change while it is committed');
    return { good: true, root: digests.root };
  }

  async #hash(jobs: readonly HashJob[]): Promise<readonly HashOutcome[]> {
    const outcomes = new Array<HashOutcome>(jobs.length);
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < jobs.length) {
        const index = next++;
        outcomes[index] = await this.#hashOne(jobs[index]!);
      }
    };
    // One piece in memory a thread.
    await Promise.all(Array.from({ length: this.#threads.parallel }, lane));
    return outcomes;
  }

  async #hashOne(job: HashJob): Promise<HashOutcome> {
    const bytes = new Uint8Array(job.lengthBytes);
    const present = await this.#disk.submit(this.#program, {
      action: 'read',
      what: 'reading content',
      bytes: bytes.length,
      work: () => this.#fill(job.spans, bytes),
    });
    if (!present) return { present, sha1: null, root: null, leaves: null };
    const digests = await this.#threads.digest(bytes, job);
    return { present, ...digests, leaves: job.wantLeaves ? digests.leaves : null };
  }

  /** Writes what the spans take of the first `limitBytes` of `from`. */
  #write(spans: Spans, from: Uint8Array, limitBytes: number): void {
    for (let at = 0; at < spans.length; at += SPAN_STRIDE) {
      const begin = spans[at + 2]!;
      const length = Math.min(spans[at + 3]!, limitBytes - begin);
      if (length <= 0) break;
      this.#unsynced.add(this.#files.write(spans[at]!, spans[at + 1]!, from.subarray(begin, begin + length)));
    }
  }

  /** False where a file is missing or too short. */
  #fill(spans: Spans, into: Uint8Array): boolean {
    let filled = 0;
    for (let at = 0; at < spans.length; at += SPAN_STRIDE) {
      const begin = spans[at + 2]!;
      const end = begin + spans[at + 3]!;
      into.fill(0, filled, begin);
      const file = this.#files.readable(spans[at]!);
      if (!file?.content.read(spans[at + 1]!, into.subarray(begin, end))) return false;
      filled = end;
    }
    into.fill(0, filled);
    return true;
  }

  #submit<T>(
    action: DiskAction,
    what: string,
    bytes: number,
    work: () => T,
    tear?: (random: SeededRandom) => void,
  ): Promise<T> {
    return this.#track(this.#disk.submit(this.#program, { action, what, bytes, work, ...(tear && { tear }) }));
  }

  /** Closing waits for what is under way. */
  #track<T>(work: Promise<T>): Promise<T> {
    assert(this.#closing === null || this.#underWay.size > 0, 'the content is open');
    this.#underWay.add(work);
    const done = (): void => {
      this.#underWay.delete(work);
    };
    work.then(done, done);
    return work;
  }
}

function matches(digests: PieceDigests, check: PieceCheck): boolean {
  const isSha1Good = check.sha1 === null || equalBytes(digests.sha1!, check.sha1);
  return isSha1Good && (check.root === null || equalBytes(digests.root!, check.root));
}
