// The threads that hash and write. Started at first use, ended when they have had nothing to do for a while, replaced when
// one dies, and holding the program back from ending only while they have work.
//
// Commits go to the worker with the least to do, gathered first where they may be hashed together (commit-batches.ts). Hash
// groups wait in one queue, from which each worker has two at a time: none runs dry, and no commit waits behind a recheck.

import { Worker } from 'node:worker_threads';
import { describeError, ShoalError } from '../../../base/errors.ts';
import type { ContentSpec } from '../../../ports/piece-io.ts';
import { CommitBatches } from './commit-batches.ts';
import { packSpec } from './file-table.ts';
import { isSha1Shared } from './hash-lanes.ts';
import type { CommitAnswer, CommitJob, HashGroup, WorkerAnswer, WorkerJob, WorkerMessage } from './piece-protocol.ts';
import { PROTOCOL_VERSION } from './piece-protocol.ts';
import { Rest } from './rest.ts';

/** One under way and one ready to follow. */
const HASH_GROUPS_AHEAD = 2;

/** A content as the workers know it. */
export interface SharedContent {
  readonly id: number;
  readonly spec: ContentSpec;
}

/** Slot memory as the workers know it. */
export interface SharedSlot {
  readonly id: number;
  readonly memory: SharedArrayBuffer;
}

/** A commit that may be hashed together with others, and who waits for it. */
interface GatheredCommit {
  readonly content: SharedContent;
  readonly job: CommitJob;
  readonly slot: SharedSlot;
  readonly pending: Pending;
}

interface Pending {
  readonly isHash: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface QueuedGroup {
  readonly content: SharedContent;
  readonly group: HashGroup;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class PieceWorkers {
  readonly count: number;
  readonly #threads: Thread[] = [];
  /** Threads that had nothing to do, and are about to be gone. */
  readonly #retiring = new Set<Promise<void>>();
  readonly #commits = new CommitBatches<GatheredCommit>((batch) => this.#commitAll(batch));
  #queue: QueuedGroup[] = [];
  #queueHead = 0;
  #closed = false;

  constructor(count: number) {
    this.count = count;
  }

  /** Starts all threads that are not running. */
  start(): void {
    while (this.#threads.length < this.count) this.#add();
  }

  /** Has a job done by the least busy worker. `slot` is the memory that a commit names. */
  run(content: SharedContent, job: WorkerJob, slot?: SharedSlot): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#leastBusy().send(content, job, slot, { isHash: false, resolve, reject });
    });
  }

  /** Has a piece hashed and written. */
  commit(content: SharedContent, job: CommitJob, slot: SharedSlot): Promise<CommitAnswer> {
    return new Promise<unknown>((resolve, reject) => {
      const commit = { content, job, slot, pending: { isHash: false, resolve, reject } };
      if (job.sha1 === null) this.#commitAll([commit]);
      else this.#commits.add(commit, job.lengthBytes);
    }) as Promise<CommitAnswer>;
  }

  #commitAll(batch: readonly GatheredCommit[]): void {
    if (isSha1Shared(batch.length)) this.#give(batch, (thread) => thread.sendTogether(batch));
    else
      for (const one of batch) this.#give([one], (thread) => thread.send(one.content, one.job, one.slot, one.pending));
  }

  /** Where there is no thread to be had, those who wait are told: a batch may go long after they asked. */
  #give(batch: readonly GatheredCommit[], send: (thread: Thread) => void): void {
    let thread: Thread;
    try {
      thread = this.#leastBusy();
    } catch (error) {
      for (const { pending } of batch) pending.reject(error as Error);
      return;
    }
    send(thread);
  }

  /** Has a hash group done by the next worker that is free for it, in order of the calls. */
  runGroup(content: SharedContent, group: HashGroup): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ content, group, resolve, reject });
      this.#feed();
    });
  }

  /** Lets all workers close the files of a content that has no work under way. */
  async closeContent(content: SharedContent): Promise<void> {
    await Promise.all([...this.#threads.map((thread) => thread.closeContent(content)), ...this.#retiring]);
  }

  forgetSlot(slot: SharedSlot): void {
    for (const thread of this.#threads) thread.forgetSlot(slot);
  }

  /** Ends the threads; work still under way is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#commits.flush();
    for (const { reject } of this.#queue.splice(this.#queueHead)) reject(stopped());
    await Promise.all([...this.#threads.map((thread) => thread.close()), ...this.#retiring]);
  }

  #leastBusy(): Thread {
    if (this.#closed) throw stopped();
    let best: Thread | undefined;
    for (const thread of this.#threads) if (!best || thread.busy < best.busy) best = thread;
    if (best && (best.busy === 0 || this.#threads.length === this.count)) return best;
    return this.#add();
  }

  #add(): Thread {
    const thread = new Thread(this.#feed, this.#remove, (rested) => {
      this.#remove(rested);
      const gone = rested.close().finally(() => this.#retiring.delete(gone));
      this.#retiring.add(gone);
    });
    this.#threads.push(thread);
    return thread;
  }

  readonly #remove = (thread: Thread): void => {
    const at = this.#threads.indexOf(thread);
    if (at >= 0) this.#threads.splice(at, 1);
  };

  readonly #feed = (): void => {
    while (this.#queueHead < this.#queue.length) {
      const thread = this.#freeForHash();
      if (thread === null) return;
      const { content, group, resolve, reject } = this.#queue[this.#queueHead++]!;
      thread.send(content, group, undefined, { isHash: true, resolve, reject });
    }
    this.#queue = [];
    this.#queueHead = 0;
  };

  #freeForHash(): Thread | null {
    if (this.#threads.length < this.count) return this.#leastBusy();
    let best = this.#threads[0]!;
    for (const thread of this.#threads) if (thread.hashGroups < best.hashGroups) best = thread;
    return best.hashGroups < HASH_GROUPS_AHEAD ? best : null;
  }
}

/** One worker thread and what it was given to do. */
class Thread {
  hashGroups = 0;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #contents = new Set<number>();
  readonly #slots = new Set<number>();
  readonly #onFree: () => void;
  readonly #onDead: (thread: Thread) => void;
  /** A thread has a heap of its own, descriptors, and memory for what it reads. */
  readonly #rest: Rest;
  #nextRequest = 0;
  #dead = false;

  /** `onRested`: it has had nothing to do, and is to be closed. */
  constructor(onFree: () => void, onDead: (thread: Thread) => void, onRested: (thread: Thread) => void) {
    this.#rest = new Rest(() => onRested(this));
    this.#onFree = onFree;
    this.#onDead = onDead;
    this.#worker = new Worker(workerUrl(), { name: 'shoal pieces', execArgv: [], workerData: PROTOCOL_VERSION });
    this.#worker.unref();
    this.#worker.on('message', this.#onAnswer);
    this.#worker.on('error', (error) => this.#die(error));
    this.#worker.on('exit', () => this.#die());
    this.#rest.begin();
  }

  get busy(): number {
    return this.#pending.size;
  }

  send(content: SharedContent, job: WorkerJob, slot: SharedSlot | undefined, pending: Pending): void {
    this.#tell(content, slot);
    this.#post({ ...job, request: this.#number(pending), content: content.id });
  }

  /** Pieces of one length, with SHA-1 hashes to match. */
  sendTogether(batch: readonly GatheredCommit[]): void {
    const commits = batch.map(({ content, job, slot, pending }) => {
      this.#tell(content, slot);
      return { ...job, request: this.#number(pending), content: content.id };
    });
    this.#post({ kind: 'together', commits });
  }

  /** What the worker has to know before a job. */
  #tell(content: SharedContent, slot: SharedSlot | undefined): void {
    if (!this.#contents.has(content.id)) {
      this.#contents.add(content.id);
      this.#post({ kind: 'content', content: content.id, spec: packSpec(content.spec) });
    }
    if (slot && !this.#slots.has(slot.id)) {
      this.#slots.add(slot.id);
      this.#post({ kind: 'slot', slot: slot.id, memory: slot.memory });
    }
  }

  #number(pending: Pending): number {
    const request = this.#nextRequest++;
    if (this.#pending.size === 0) {
      this.#worker.ref();
      this.#rest.end();
    }
    this.#pending.set(request, pending);
    if (pending.isHash) this.hashGroups++;
    return request;
  }

  closeContent(content: SharedContent): Promise<unknown> {
    if (!this.#contents.has(content.id)) return Promise.resolve();
    return new Promise((resolve) => {
      // A thread that dies over it has closed its files as well.
      this.send(content, { kind: 'closeContent' }, undefined, { isHash: false, resolve, reject: resolve });
      this.#contents.delete(content.id);
    });
  }

  forgetSlot(slot: SharedSlot): void {
    if (this.#slots.delete(slot.id)) this.#post({ kind: 'forgetSlot', slot: slot.id });
  }

  /** Its files are closed with it. What was told to it is told to the next one anew. */
  async close(): Promise<void> {
    this.#rest.stop();
    await this.#worker.terminate();
  }

  #post(message: WorkerMessage): void {
    this.#worker.postMessage(message);
  }

  readonly #onAnswer = (answer: WorkerAnswer): void => {
    const pending = this.#pending.get(answer.request);
    if (!pending) return;
    this.#pending.delete(answer.request);
    if (this.#pending.size === 0) {
      this.#worker.unref();
      this.#rest.begin();
    }
    if (pending.isHash) this.hashGroups--;
    if (answer.failed) pending.reject(new ShoalError(answer.code, answer.message));
    else pending.resolve(answer.value);
    if (pending.isHash) this.#onFree();
  };

  #die(cause?: unknown): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#rest.stop();
    this.#onDead(this);
    const why = cause === undefined ? 'start the work again' : describeError(cause);
    const error = new ShoalError('IO', `a thread that hashes and writes has ended: ${why}`, cause);
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.#onFree();
  }
}

function stopped(): ShoalError {
  return new ShoalError('STOPPED', 'the piece workers have ended');
}

/** Run from the sources (tests), Node cannot load TypeScript in a thread: the built file beside `src` is taken. */
function workerUrl(): URL {
  const here = import.meta.url;
  if (!here.endsWith('.ts')) return new URL('./piece-worker.js', here);
  return new URL('../../../../dist/platform/node/content/piece-worker.js', here);
}
