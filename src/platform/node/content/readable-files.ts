// Open files that the main thread serves from, through the threads of libuv.

import { close, constants, open, readv } from 'node:fs';
import { ShoalError } from '../../../base/errors.ts';
import { errnoOf, fileError } from '../system-errors.ts';

/** Peers ask around in few files at a time; more would only cost descriptors. */
const MAX_OPEN = 64;

/** After this a file is opened anew, so that one that was replaced or removed is noticed. */
const MAX_AGE_MS = 5000;

/** What every system takes in one call. */
const MAX_PARTS = 512;

interface OpenFile {
  readonly path: string;
  readonly openedMs: number;
  readonly descriptor: Promise<number>;
  /** Reads under way; the file is closed when it is out of the map and nobody reads. */
  readers: number;
  isRetired: boolean;
}

/** Files by path, the least recently used closed first. */
export class ReadableFiles {
  readonly #files = new Map<string, OpenFile>();

  /**
   * Fills `parts` one after the other from `position` on, in one system call as a rule. FILE_CHANGED where the file is
   * missing or too short.
   */
  async read(path: string, parts: readonly Uint8Array[], position: number): Promise<void> {
    const file = this.#take(path);
    try {
      const descriptor = await file.descriptor;
      for (let rest = parts, at = position; rest.length > 0; ) {
        const count = await readOnce(descriptor, rest, at);
        if (count === 0) throw changed(path, 'it is shorter than it was');
        at += count;
        rest = behind(rest, count);
      }
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ESPIPE', 'ENXIO'].includes(errnoOf(error))) {
        throw changed(path, 'it is no longer there');
      }
      throw fileError(error, `read "${path}"`);
    } finally {
      file.readers--;
      closeIfDone(file);
    }
  }

  /** Closes the files for which `matches` says so, once their reads are through. */
  closeWhere(matches: (path: string) => boolean): void {
    for (const file of this.#files.values()) if (matches(file.path)) this.#retire(file);
  }

  #take(path: string): OpenFile {
    let file = this.#files.get(path);
    if (file) this.#files.delete(path);
    if (file && performance.now() - file.openedMs > MAX_AGE_MS) {
      retire(file);
      file = undefined;
    }
    file ??= this.#open(path);
    this.#files.set(path, file);
    if (this.#files.size > MAX_OPEN) this.#retire(this.#files.values().next().value!);
    file.readers++;
    return file;
  }

  #open(path: string): OpenFile {
    const descriptor = openForReading(path);
    const file: OpenFile = { path, openedMs: performance.now(), descriptor, readers: 0, isRetired: false };
    // The reader is told; the next one tries anew.
    descriptor.catch(() => {
      if (this.#files.get(path) === file) this.#files.delete(path);
    });
    return file;
  }

  #retire(file: OpenFile): void {
    this.#files.delete(file.path);
    retire(file);
  }
}

function retire(file: OpenFile): void {
  file.isRetired = true;
  closeIfDone(file);
}

function closeIfDone(file: OpenFile): void {
  if (!file.isRetired || file.readers > 0) return;
  file.descriptor.then(
    (descriptor) => close(descriptor, () => undefined),
    () => undefined,
  );
}

/** Never waits for the other end of a pipe. */
function openForReading(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0), (error, descriptor) => {
      if (error) reject(error);
      else resolve(descriptor);
    });
  });
}

function readOnce(descriptor: number, parts: readonly Uint8Array[], position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    readv(descriptor, parts.slice(0, MAX_PARTS), position, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}

/** What is left of `parts` behind their first `count` bytes. */
function behind(parts: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skip = 0;
  let left = count;
  while (skip < parts.length && left >= parts[skip]!.length) left -= parts[skip++]!.length;
  const rest = parts.slice(skip);
  if (left > 0) rest[0] = rest[0]!.subarray(left);
  return rest;
}

function changed(path: string, how: string): ShoalError {
  return new ShoalError('FILE_CHANGED', `"${path}" was changed from outside: ${how}; verify the content again`);
}
