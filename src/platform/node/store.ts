// The Store port as files in the state folder: the key `a/b` is the file `a/b`. Names with `~`, which no key has, are
// locks and temporary files. The folder is made at the first write.
//
// Records are small, and a start reads thousands of them: reading one synchronously takes some 20 microseconds, through
// the threads of libuv ten times that. What is written waits for the disk and is never synchronous.

import { closeSync, type Dirent, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { type FileHandle, open, readdir, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { assert } from '../../base/assert.ts';
import { concatBytes, EMPTY } from '../../base/bytes.ts';
import type { Store, StoreLock, StoreLog } from '../../ports/store.ts';
import { syncFolder, writeAtomically } from './atomic-write.ts';
import { makeFolders } from './content/make-folders.ts';
import { acquireFileLock, isLeftover, temporaryName } from './lock.ts';
import { errnoOf, fileError } from './system-errors.ts';

const KEY = /^[a-z0-9._-]+(\/[a-z0-9._-]+)*$/;

/** Opens nothing yet. A key is not also a folder of other keys. */
export function createFileStore(folder: string): Store {
  return new FileStore(folder);
}

class FileStore implements Store {
  readonly #root: string;
  /** Folders that were made, and cleaned of what dead processes left. */
  readonly #ready = new Map<string, Promise<void>>();
  readonly #logs = new Set<string>();

  constructor(folder: string) {
    this.#root = folder;
  }

  async read(key: string): Promise<Uint8Array | null> {
    const path = this.#path(key);
    try {
      const bytes = readFileSync(path);
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    } catch (error) {
      if (isAbsent(error)) return null;
      throw fileError(error, `read "${path}"`);
    }
  }

  async write(key: string, value: Uint8Array): Promise<void> {
    const path = this.#path(key);
    try {
      await this.#prepare(dirname(path));
      await writeAtomically(path, temporaryName(path), value);
    } catch (error) {
      throw fileError(error, `write "${path}"`);
    }
  }

  async remove(key: string): Promise<void> {
    const path = this.#path(key);
    try {
      await unlink(path);
      await syncFolder(dirname(path));
    } catch (error) {
      if (!isAbsent(error)) throw fileError(error, `remove "${path}"`);
    }
  }

  async list(prefix: string): Promise<readonly string[]> {
    const out: string[] = [];
    // Only the folder that the prefix names needs a walk.
    const slash = prefix.lastIndexOf('/');
    const start = slash < 0 ? '' : prefix.slice(0, slash + 1);
    assert(start === '' || isKey(start.slice(0, -1)), 'a prefix of keys');
    this.#walk(start, prefix, out);
    return out.sort();
  }

  #walk(above: string, prefix: string, out: string[]): void {
    for (const entry of entriesOf(join(this.#root, above))) {
      const key = above + entry.name;
      if (!isKey(key)) continue;
      if (entry.isFile() && key.startsWith(prefix)) out.push(key);
      else if (entry.isDirectory() && `${key}/`.startsWith(prefix.slice(0, key.length + 1))) {
        this.#walk(`${key}/`, prefix, out);
      }
    }
  }

  async openLog(key: string, maxBytes: number): Promise<StoreLog> {
    const path = this.#path(key);
    assert(!this.#logs.has(path), 'a log is open once');
    this.#logs.add(path);
    try {
      const act = { prepare: () => this.#prepare(dirname(path)), forget: () => this.#logs.delete(path) };
      return FileLog.open(path, maxBytes, act);
    } catch (error) {
      this.#logs.delete(path);
      throw fileError(error, `open "${path}"`);
    }
  }

  async lock(key: string): Promise<StoreLock | null> {
    const path = `${this.#path(key)}~lock`;
    try {
      return acquireFileLock(path);
    } catch (error) {
      throw fileError(error, `lock "${path}"`);
    }
  }

  #path(key: string): string {
    assert(isKey(key), `a key of the store, not "${key}"`);
    return join(this.#root, key);
  }

  #prepare(folder: string): Promise<void> {
    let made = this.#ready.get(folder);
    if (!made) {
      made = makeClean(folder);
      this.#ready.set(folder, made);
      made.catch(() => this.#ready.delete(folder));
    }
    return made;
  }
}

function isKey(text: string): boolean {
  return KEY.test(text) && !text.split('/').some((word) => word === '.' || word === '..');
}

function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errnoOf(error));
}

async function makeClean(folder: string): Promise<void> {
  const made = await makeFolders(folder);
  if (made !== null) {
    await syncFolder(dirname(made)).catch(async (error: unknown) => {
      // Made anew the next time: of a folder that is there already nobody would ask whether its name is on the disk.
      for (let path = folder; path.startsWith(made); path = dirname(path)) await rmdir(path).catch(() => undefined);
      throw error;
    });
    return;
  }
  for (const name of await readdir(folder)) {
    if (isLeftover(name)) await unlink(join(folder, name)).catch(() => undefined);
  }
}

interface LogActs {
  /** Makes the folder that the log lies in. */
  prepare(): Promise<void>;
  forget(): void;
}

/**
 * Appends run one after another; those that wait together are written and synced together. The file is open only while
 * something is written: very many logs may be open, and hardly any of them is written to.
 */
class FileLog implements StoreLog {
  readonly initial: Uint8Array;
  readonly #path: string;
  readonly #acts: LogActs;
  #lengthBytes: number;
  #tail: Promise<void> = Promise.resolve();
  /** Appends that the next flush takes together; null when it has begun or something else comes first. */
  #batch: { readonly parts: Uint8Array[]; readonly flushed: Promise<void> } | null = null;
  #closed: Promise<void> | undefined;

  private constructor(path: string, initial: Uint8Array, lengthBytes: number, acts: LogActs) {
    this.#path = path;
    this.initial = initial;
    this.#lengthBytes = lengthBytes;
    this.#acts = acts;
  }

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
      await writeAtomically(this.#path, temporaryName(this.#path), copy);
      this.#lengthBytes = copy.length;
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
    const isNew = this.#lengthBytes === 0;
    const file = await open(this.#path, 'a', 0o666);
    try {
      await this.#write(file, bytes);
    } finally {
      await file.close();
    }
    if (isNew) await this.#syncName();
  }

  /** A file whose name may be lost is made anew by the next append. */
  async #syncName(): Promise<void> {
    try {
      await syncFolder(dirname(this.#path));
    } catch (error) {
      await unlink(this.#path).then(
        () => {
          this.#lengthBytes = 0;
        },
        () => undefined,
      );
      throw error;
    }
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

/** None where there is no such folder. */
function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isAbsent(error)) return [];
    throw fileError(error, `list "${path}"`);
  }
}
