// Which files were written and are not yet on stable storage. Syncing runs on the threads of libuv, so that the piece
// workers go on hashing and writing meanwhile.

import { constants, type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ShoalError } from '../../base/errors.ts';
import { type ContentSpec, SPAN_STRIDE } from '../../ports/piece-io.ts';
import { syncFolder } from './atomic-write.ts';
import { filePath } from './content-files.ts';
import { errnoOf, fileError } from './system-errors.ts';

/** Leaves two of the four threads of libuv to those who read. */
const SYNCS_AT_ONCE = 2;

export class ContentSync {
  readonly #spec: ContentSpec;
  #dirty = new Set<number>();
  /** Files whose names are on stable storage too. */
  readonly #named = new Set<number>();
  #last: Promise<void> = Promise.resolve();

  constructor(spec: ContentSpec) {
    this.#spec = spec;
  }

  /** Notes the files of a commit that is done. */
  written(spans: Float64Array): void {
    for (let i = 0; i < spans.length; i += SPAN_STRIDE) this.#dirty.add(spans[i]!);
  }

  /** One after another: what an earlier call has under way belongs to "before the call" too. */
  sync(): Promise<void> {
    const done = this.#last.then(() => this.#syncDirty());
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #syncDirty(): Promise<void> {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    const waiting = [...dirty];
    const folders = new Set<string>();
    const work = async (): Promise<void> => {
      for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
        await syncFile(filePath(this.#spec, file));
        if (!this.#named.has(file)) this.#addFolders(file, folders);
      }
    };
    try {
      await Promise.all(Array.from({ length: SYNCS_AT_ONCE }, work));
      for (const folder of folders) await syncFolder(folder);
      for (const file of dirty) this.#named.add(file);
    } catch (error) {
      waiting.length = 0;
      for (const file of dirty) this.#dirty.add(file);
      throw fileError(error, 'put the content onto stable storage');
    }
  }

  /** A new file needs the folder that names it, a new folder the one above, up to the one that holds the root. */
  #addFolders(file: number, folders: Set<string>): void {
    let path = filePath(this.#spec, file);
    for (let level = this.#spec.files[file]!.path.length; level >= 0; level--) {
      path = dirname(path);
      folders.add(path);
    }
  }
}

async function syncFile(path: string): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDWR | (constants.O_NONBLOCK ?? 0));
    // Not datasync: the journal compares modification times.
    await file.sync();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw fileError(error, `put "${path}" onto stable storage`);
    throw new ShoalError('FILE_CHANGED', `"${path}" was removed while it was written: verify the content again`, error);
  } finally {
    await file?.close();
  }
}
