// The Store port as files in the state folder: the key `a/b` is the file `a/b`. Names with `~`, which no key has, are
// locks and temporary files. The folder is made at the first write.
//
// Records are small, and a start reads thousands of them: reading one synchronously takes some 20 microseconds, through
// the threads of libuv ten times that. What is written waits for the disk and is never synchronous.

import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { readdir, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { assert } from '../../base/assert.ts';
import type { Store, StoreLock, StoreLog } from '../../ports/store.ts';
import { writeAtomically } from './atomic-write.ts';
import { makeFolders } from './content/make-folders.ts';
import { FileLog } from './file-log.ts';
import { namingMoment, syncFolder } from './folder-sync.ts';
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
    const since = namingMoment();
    try {
      await unlink(path);
      await syncFolder(dirname(path), since);
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
  const since = namingMoment();
  const made = await makeFolders(folder);
  if (made !== null) {
    await syncFolder(dirname(made), since).catch(async (error: unknown) => {
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

/** None where there is no such folder. */
function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isAbsent(error)) return [];
    throw fileError(error, `list "${path}"`);
  }
}
