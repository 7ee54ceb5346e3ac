// A simulated disk: what it costs, how full it is, what fails, and what a crash does to it. Outlives the programs.

import { type ErrorCode, ShoalError } from '../../base/errors.ts';
import type { SimProgram } from './program.ts';
import type { SeededRandom } from './random.ts';
import { type FileNode, Tree } from './tree.ts';

export interface DiskSettings {
  readonly readBytesPerSecond?: number;
  readonly writeBytesPerSecond?: number;
  /** Of every operation, and of putting things onto stable storage. */
  readonly latencyMs?: number;
  readonly syncMs?: number;
  /** One hashing thread of the host. */
  readonly hashBytesPerSecond?: number;
  readonly hashThreads?: number;
  readonly capacityBytes?: number;
}

export type DiskAction = 'read' | 'write' | 'sync';

export interface DiskJob<T> {
  readonly action: DiskAction;
  /** For leak reports: "reading", "writing a log", … */
  readonly what: string;
  readonly bytes: number;
  /** It is on stable storage when it is done, and takes the longer for it. */
  readonly isDurable?: boolean;
  /** Done when its time has come; what it throws rejects the promise. */
  readonly work: () => T;
  /** What becomes of it where the program dies before: does nothing, all or a part. */
  readonly tear?: (random: SeededRandom) => void;
  /** Jobs with the same word are done one after the other: only the first can have begun when the program dies. */
  readonly lane?: string;
}

interface PendingJob {
  readonly program: SimProgram;
  readonly lane: string | undefined;
  readonly tear: ((random: SeededRandom) => void) | undefined;
}

/** Values and logs of the store, by key. */
export interface StoredRecord {
  parts: Uint8Array[];
}

export class SimDisk {
  readonly tree: Tree = new Tree();
  readonly records: Map<string, StoredRecord> = new Map();
  /** Who holds which lock. */
  readonly locks: Map<string, SimProgram> = new Map();
  /** Writes fail with READ_ONLY while it is set. */
  isReadOnly = false;
  /** Writes fail with DISK_FULL beyond it; may be changed at any time. */
  capacityBytes: number;
  readonly hashBytesPerSecond: number;
  readonly hashThreads: number;
  readonly #random: SeededRandom;
  readonly #readBytesPerSecond: number;
  readonly #writeBytesPerSecond: number;
  readonly #latencyMs: number;
  readonly #syncMs: number;
  readonly #pending: Set<PendingJob> = new Set();
  readonly #faults: { code: ErrorCode; action: DiskAction }[] = [];
  #busyUntilMs = 0;
  #recordBytes = 0;
  #fileBytes = 0;

  constructor(random: SeededRandom, settings: DiskSettings = {}) {
    this.#random = random;
    // A plain SATA solid-state disk and a core with SHA instructions.
    this.#readBytesPerSecond = settings.readBytesPerSecond ?? 500e6;
    this.#writeBytesPerSecond = settings.writeBytesPerSecond ?? 400e6;
    this.#latencyMs = settings.latencyMs ?? 0.1;
    this.#syncMs = settings.syncMs ?? 2;
    this.hashBytesPerSecond = settings.hashBytesPerSecond ?? 1e9;
    this.hashThreads = settings.hashThreads ?? 2;
    this.capacityBytes = settings.capacityBytes ?? Number.POSITIVE_INFINITY;
  }

  get usedBytes(): number {
    return this.#recordBytes + this.#fileBytes;
  }

  /** The next `count` operations of this kind fail with `code`. */
  failNext(code: ErrorCode, action: DiskAction = 'write', count = 1): void {
    for (let i = 0; i < count; i++) this.#faults.push({ code, action });
  }

  /** One operation after another, as they were asked for. */
  submit<T>(program: SimProgram, job: DiskJob<T>): Promise<T> {
    const nowMs = program.schedule.nowMs;
    const rate = job.action === 'read' ? this.#readBytesPerSecond : this.#writeBytesPerSecond;
    const isSynced = job.action === 'sync' || job.isDurable === true;
    const tookMs = this.#latencyMs + (isSynced ? this.#syncMs : 0) + (job.bytes * 1000) / rate;
    this.#busyUntilMs = Math.max(this.#busyUntilMs, nowMs) + tookMs;
    const pending: PendingJob = { program, tear: job.tear, lane: job.lane };
    if (program.isAlive) this.#pending.add(pending);
    return program.answer(this.#busyUntilMs - nowMs, job.what, () => {
      this.#pending.delete(pending);
      this.#mayFail(job.action);
      if (job.isDurable) this.#mayFail('sync');
      return job.work();
    });
  }

  /** Writes to a file, as the program sees it: not yet on stable storage. DISK_FULL. */
  writeFile(file: FileNode, offset: number, bytes: Uint8Array, wallMs: number): void {
    this.#reserve(file.content.wouldAllocate(offset, bytes.length));
    this.#tracked(file, () => file.content.write(offset, bytes));
    file.mtimeMs = wallMs;
  }

  setFileLength(file: FileNode, lengthBytes: number, wallMs: number): void {
    this.#tracked(file, () => file.content.setLength(lengthBytes));
    file.mtimeMs = wallMs;
  }

  /** Takes the bytes of a file that is no longer there off the account. */
  forgetFile(file: FileNode): void {
    this.#fileBytes -= file.content.allocatedBytes;
  }

  /** Sets, lengthens or (null) removes a record. DISK_FULL. */
  setRecord(key: string, parts: Uint8Array[] | null): void {
    const before = lengthOf(this.records.get(key)?.parts);
    const after = lengthOf(parts ?? []);
    this.#reserve(after - before);
    this.#recordBytes += after - before;
    if (parts === null) this.records.delete(key);
    else this.records.set(key, { parts });
  }

  appendRecord(key: string, bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#recordBytes += bytes.length;
    const record = this.records.get(key);
    if (record) record.parts.push(bytes);
    else this.records.set(key, { parts: [bytes] });
  }

  /**
   * The program died: what was under way is done, not done or half done; its locks are free. `losesUnsynced`: the
   * machine went down with it, and of what was written since the last sync chance decides what is there.
   */
  crash(program: SimProgram, losesUnsynced: boolean): void {
    const begun = new Set<string>();
    for (const job of this.#pending) {
      if (job.program !== program) continue;
      this.#pending.delete(job);
      if (job.lane !== undefined && begun.has(job.lane)) continue;
      if (job.lane !== undefined) begun.add(job.lane);
      try {
        job.tear?.(this.#random);
      } catch {
        // A full disk or the like: then nothing of it is there.
      }
    }
    for (const [key, holder] of this.locks) if (holder === program) this.locks.delete(key);
    if (!losesUnsynced) return;
    for (const file of this.tree.files()) {
      if (file.content.isDirty) this.#tracked(file, () => file.content.tear(this.#random));
    }
  }

  #mayFail(action: DiskAction): void {
    const at = this.#faults.findIndex((fault) => fault.action === action);
    if (at >= 0) {
      const [fault] = this.#faults.splice(at, 1);
      throw new ShoalError(fault!.code, `the simulated disk fails to ${action}`);
    }
    if (action === 'write' && this.isReadOnly) throw new ShoalError('READ_ONLY', 'the simulated disk is read-only');
  }

  #reserve(bytes: number): void {
    if (bytes > 0 && this.usedBytes + bytes > this.capacityBytes) {
      throw new ShoalError('DISK_FULL', 'the simulated disk is full: make room and start again');
    }
  }

  #tracked(file: FileNode, change: () => void): void {
    const before = file.content.allocatedBytes;
    change();
    this.#fileBytes += file.content.allocatedBytes - before;
  }
}

function lengthOf(parts: readonly Uint8Array[] | undefined): number {
  let out = 0;
  for (const part of parts ?? []) out += part.length;
  return out;
}
