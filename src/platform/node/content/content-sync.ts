// Which files were written and are not yet on stable storage. Syncing runs on the threads of libuv, so that the piece
// workers go on hashing and writing meanwhile: many files in one go by the native module. Without it very many files are
// synced by a worker, at a tenth of what they cost one by one.

import { closeSync, constants, existsSync, fsyncSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Bitfield } from '../../../base/bitfield.ts';
import { isShoalError, ShoalError } from '../../../base/errors.ts';
import { type ContentSpec, SPAN_STRIDE } from '../../../ports/piece-io.ts';
import { isLeftToSystem, lossSince, namingMoment, noteLoss, syncFolder } from '../folder-sync.ts';
import { errnoOf, fileError } from '../system-errors.ts';
import { hasFileBatches, MANY_FILES, type SyncFailure, syncFilesAside, syncFoldersAside } from './file-batch.ts';
import { FileTable, packSpec } from './file-table.ts';

/** Leaves two of the four threads of libuv to those who read. */
const SYNCS_AT_ONCE = 2;

/** So many files go to a worker together: enough to make the message cheap, few enough for its other work to wait for. */
const FILES_A_JOB = 64;

/** The native module is handed more: each time it has to wait for the main thread's next turn. */
const FILES_A_BATCH = 1024;

const FLAGS: number = constants.O_RDWR | (constants.O_NONBLOCK ?? 0);

export class ContentSync {
  readonly #spec: ContentSpec;
  readonly #syncByWorker: (files: Uint32Array) => Promise<unknown>;
  #dirty: number[] = [];
  readonly #isDirty: Bitfield;
  /** Files whose names are on stable storage too. */
  readonly #named: Bitfield;
  #packed: FileTable | undefined;
  #last: Promise<void> = Promise.resolve();
  /** Before the first file was made. Later ones do not count from later: a worker makes them, and is not asked when. */
  readonly #since: number = namingMoment();
  /** The system lost what it had taken, and says so once: who asks it again hears that all is well. */
  #lost: ShoalError | null = null;

  /** `syncByWorker` has {@link syncFiles} done by a worker. */
  constructor(spec: ContentSpec, syncByWorker: (files: Uint32Array) => Promise<unknown>) {
    this.#spec = spec;
    this.#syncByWorker = syncByWorker;
    this.#isDirty = new Bitfield(spec.files.length);
    this.#named = new Bitfield(spec.files.length);
  }

  /** Not packed before something was written: most contents are only read. */
  get #table(): FileTable {
    this.#packed ??= new FileTable(packSpec(this.#spec));
    return this.#packed;
  }

  /** Notes the files of a commit that is done. */
  written(spans: Float64Array): void {
    for (let i = 0; i < spans.length; i += SPAN_STRIDE) this.#note(spans[i]!);
  }

  #note(file: number): void {
    if (this.#isDirty.set(file)) this.#dirty.push(file);
  }

  /**
   * One after another: what an earlier call has under way belongs to "before the call" too. FILE_CHANGED where a file is gone.
   * Once something could not be put onto the disk, every call rejects with that.
   */
  sync(): Promise<void> {
    const done = this.#last.then(() => this.#syncDirty());
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #syncDirty(): Promise<void> {
    if (this.#lost !== null) throw this.#lost;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const file of dirty) this.#isDirty.clear(file);
    const waiting = [...dirty];
    const folders = new Set<string>();
    const take = async (files: readonly number[], sync: (files: Uint32Array) => Promise<unknown>): Promise<void> => {
      await sync(Uint32Array.from(files));
      for (const file of files) if (!this.#named.has(file)) this.#addFolders(file, folders);
    };
    const lane = async (): Promise<void> => {
      while (waiting.length > 0) {
        const share = Math.ceil(waiting.length / SYNCS_AT_ONCE);
        await take(waiting.splice(-Math.min(FILES_A_BATCH, share)), (files) => this.#syncAside(files));
      }
    };
    const stop = (error: unknown): never => {
      waiting.length = 0;
      throw error;
    };
    try {
      while (!hasFileBatches() && waiting.length >= FILES_A_JOB) {
        await take(waiting.splice(-FILES_A_JOB), (files) => this.#orLost(this.#syncByWorker(files)));
      }
      // Nothing is under way any more when this has failed.
      const lanes = await Promise.allSettled(Array.from({ length: SYNCS_AT_ONCE }, () => lane().catch(stop)));
      for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
      await this.#syncFolders([...folders]);
      for (const file of dirty) this.#named.set(file);
    } catch (error) {
      // What is gone is not to be synced: its record shows that at the next start.
      for (const file of dirty) if (existsSync(this.#table.path(file))) this.#note(file);
      throw fileError(error, 'put the content onto stable storage');
    }
  }

  async #syncAside(files: Uint32Array): Promise<void> {
    for (let i = 0; i < files.length; i++) {
      if (files.length - i >= MANY_FILES) i += await this.#syncMany(files.subarray(i));
      if (i < files.length) await this.#syncFile(this.#table.path(files[i]!));
    }
  }

  #syncMany(files: Uint32Array): Promise<number> {
    const synced = syncFilesAside(this.#table, files).catch((error: SyncFailure) => {
      throw syncError(error, this.#table.path(files[error.at]!));
    });
    return this.#orLost(synced);
  }

  async #syncFile(path: string): Promise<void> {
    const failed = (error: unknown): never => {
      throw syncError(error, path);
    };
    const file = await open(path, FLAGS).catch(failed);
    try {
      // Not datasync: the journal compares modification times.
      await this.#orLost(file.sync().catch(failed));
    } finally {
      await file.close();
    }
  }

  async #orLost<T>(synced: Promise<T>): Promise<T> {
    try {
      return await synced;
    } catch (error) {
      if (!isShoalError(error, 'FILE_CHANGED')) this.#lose(error);
      throw error;
    }
  }

  async #syncFolders(folders: readonly string[]): Promise<void> {
    try {
      for (let i = 0; i < folders.length; i++) {
        if (folders.length - i >= MANY_FILES) i += await this.#syncManyFolders(folders.slice(i));
        if (i < folders.length) await syncFolder(folders[i]!, this.#since);
      }
    } finally {
      // A file whose name is lost is lost, too.
      for (const folder of folders) {
        const loss = lossSince(folder, this.#since);
        if (loss !== null) this.#lose(loss.error);
      }
    }
    if (this.#lost !== null) throw this.#lost;
  }

  /** How many were done; what is lost of the next one {@link syncFolder} tells. */
  #syncManyFolders(folders: readonly string[]): Promise<number> {
    return syncFoldersAside(folders).catch((error: SyncFailure) => {
      if (!isLeftToSystem(error)) noteLoss(folders[error.at]!, error);
      return error.at;
    });
  }

  #lose(error: unknown): void {
    this.#lost ??= fileError(error, 'put the content onto stable storage');
  }

  /** A new file needs the folder that names it, a new folder the one above, up to the one that holds the root. */
  #addFolders(file: number, folders: Set<string>): void {
    let path = this.#table.path(file);
    for (let level = this.#spec.files[file]!.path.length; level >= 0; level--) {
      path = dirname(path);
      // Those above it are there too.
      if (folders.has(path)) return;
      folders.add(path);
    }
  }
}

/** Many files one after another, in a piece worker. */
export function syncFiles(table: FileTable, files: Uint32Array): void {
  for (const file of files) {
    const path = table.path(file);
    try {
      const descriptor = openSync(path, FLAGS);
      try {
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      throw syncError(error, path);
    }
  }
}

function syncError(error: unknown, path: string): ShoalError {
  if (errnoOf(error) !== 'ENOENT') return fileError(error, `put "${path}" onto stable storage`);
  return new ShoalError('FILE_CHANGED', `"${path}" was removed while it was written: verify the content again`, error);
}
