// A log of the Store port as a file.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open, readFile, truncate, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { assert } from '../../base/assert.ts';
import { concatBytes, EMPTY } from '../../base/bytes.ts';
import type { StoreLog } from '../../ports/store.ts';
import { replaceFile } from './atomic-write.ts';
import { namingMoment, syncFolder } from './folder-sync.ts';
import { temporaryName } from './lock.ts';
import { errnoOf, fileError } from './system-errors.ts';

export interface LogActs {
  /** Makes the folder that the log lies in. */
  prepare(): Promise<void>;
  forget(): void;
}

/**
 * Appends run one after another; those that wait together are written and synced together. The file is open only while
 * something is written: very many logs may be open, and hardly any of them is written to.
 */
export class FileLog implements StoreLog {
  readonly initial: Uint8Array;
  readonly #path: string;
  readonly #acts: LogActs;
  #lengthBytes: number;
  /** The name of the file is on the disk, as far as anybody can tell. */
  #isNamed: boolean;
  #tail: Promise<void> = Promise.resolve();
  /** Appends that the next flush takes together; null when it has begun or something else comes first. */
  #batch: { readonly parts: Uint8Array[]; readonly flushed: Promise<void> } | null = null;
  #closed: Promise<void> | undefined;

  private constructor(path: string, initial: Uint8Array, lengthBytes: number, acts: LogActs) {
    this.#path = path;
    this.initial = initial;
    this.#lengthBytes = lengthBytes;
    this.#isNamed = lengthBytes > 0;
    this.#acts = acts;
  }

  /** Throws what the system throws. */
  static open(path: string, maxBytes: number, acts: LogActs): FileLog {
    let file: number;
    try {
      file = openSync(path, 'r');
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      return new FileLog(path, EMPTY, 0, acts);
    }
    try {
      const { size } = fstatSync(file);
      return new FileLog(path, readStart(file, Math.min(size, maxBytes)), size, acts);
    } finally {
      closeSync(file);
    }
  }

  append(bytes: Uint8Array): Promise<void> {
    assert(!this.#closed, 'the log is open');
    let batch = this.#batch;
    if (batch === null) {
      const parts: Uint8Array[] = [];
      batch = { parts, flushed: this.#inOrder(`append to "${this.#path}"`, () => this.#flush(parts)) };
      this.#batch = batch;
    }
    // Copied: the caller may use its memory again before the flush begins.
    batch.parts.push(bytes.slice());
    return batch.flushed;
  }

  replace(bytes: Uint8Array): Promise<void> {
    assert(!this.#closed, 'the log is open');
    const copy = bytes.slice();
    // What is appended from now on comes after the replacement.
    this.#batch = null;
    return this.#inOrder(`replace "${this.#path}"`, async () => {
      await this.#acts.prepare();
      const since = namingMoment();
      await replaceFile(this.#path, temporaryName(this.#path), copy);
      this.#lengthBytes = copy.length;
      await this.#syncName(since);
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#tail.then(() => this.#acts.forget());
    return this.#closed;
  }

  async #flush(parts: readonly Uint8Array[]): Promise<void> {
    if (this.#batch?.parts === parts) this.#batch = null;
    const bytes = concatBytes(parts);
    await this.#acts.prepare();
    if (!this.#isNamed) return this.#makeAnew(bytes);
    const file = await open(this.#path, 'a', 0o666);
    try {
      await this.#write(file, bytes);
    } finally {
      await file.close();
    }
  }

  /**
   * The log and `bytes` as a new file. A name that may be lost gets onto the disk with a new file only: the system says once
   * that it has lost it, and who syncs the folder again hears that all is well.
   */
  async #makeAnew(bytes: Uint8Array): Promise<void> {
    const before = this.#lengthBytes === 0 ? EMPTY : (await readFile(this.#path)).subarray(0, this.#lengthBytes);
    const since = namingMoment();
    await replaceFile(this.#path, temporaryName(this.#path), concatBytes([before, bytes]));
    try {
      await this.#syncName(since);
    } catch (error) {
      // As after any append that failed.
      const undone = before.length === 0 ? unlink(this.#path) : truncate(this.#path, before.length);
      await undone.catch(() => undefined);
      throw error;
    }
    this.#lengthBytes = before.length + bytes.length;
  }

  /** Of a file that was put in its place after a moment. */
  async #syncName(since: number): Promise<void> {
    this.#isNamed = false;
    await syncFolder(dirname(this.#path), since);
    this.#isNamed = true;
  }

  /** A failed append leaves nothing behind: what comes later must not follow a torn record. */
  async #write(file: FileHandle, bytes: Uint8Array): Promise<void> {
    try {
      await file.appendFile(bytes);
      await file.datasync();
      this.#lengthBytes += bytes.length;
    } catch (error) {
      await file.truncate(this.#lengthBytes).catch(() => undefined);
      throw error;
    }
  }

  #inOrder(what: string, work: () => Promise<void>): Promise<void> {
    const done = this.#tail.then(work).catch((error: unknown) => {
      throw fileError(error, what);
    });
    this.#tail = done.catch(() => undefined);
    return done;
  }
}

function readStart(file: number, lengthBytes: number): Uint8Array {
  if (lengthBytes === 0) return EMPTY;
  const out = new Uint8Array(lengthBytes);
  let at = 0;
  while (at < lengthBytes) {
    const count = readSync(file, out, at, lengthBytes - at, at);
    if (count === 0) break;
    at += count;
  }
  return out.subarray(0, at);
}
