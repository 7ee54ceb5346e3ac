// The files of torrents as a piece worker opens them: few at a time, made when first written, and never through a
// symbolic link below the root when they are written. Synchronous: a worker does one thing at a time.

import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ShoalError } from '../../../base/errors.ts';
import { errnoOf, fileError } from '../system-errors.ts';
import type { FileTable } from './file-table.ts';
import { makeFoldersSync } from './make-folders.ts';

/** Enough for pieces that go around among many files, little beside the usual limit of 1024 open files. */
const MAX_OPEN = 128;

/** Zeros are written in such steps where disk space is reserved: Node has no call that reserves it at once. */
const RESERVE_STEP_BYTES = 1024 * 1024;

/** Files and contents are numbered; this many numbers of files a content keep the key of the map exact. */
const KEY_STRIDE = 2 ** 32;

/** Opening something that is no regular file (a pipe, a device) must not wait for its other end. */
const NO_WAIT = constants.O_NONBLOCK ?? 0;
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;

/** File descriptors for writing, the least recently used closed first. */
export class WritableFiles {
  readonly #descriptors = new Map<number, number>();
  #checkedFolder = '';

  /** What was seen of folders is forgotten: call it before every act that opens files, which takes milliseconds at most. */
  beginAct(): void {
    this.#checkedFolder = '';
  }

  /** Opens the file of a writable content, or makes it and the folders above it. Throws ShoalErrors. */
  open(content: number, table: FileTable, file: number): number {
    const key = content * KEY_STRIDE + file;
    const known = this.#descriptors.get(key);
    if (known !== undefined) {
      this.#descriptors.delete(key);
      this.#descriptors.set(key, known);
      return known;
    }
    const descriptor = this.#openWritable(table, file);
    this.#descriptors.set(key, descriptor);
    if (this.#descriptors.size > MAX_OPEN) this.#close(this.#descriptors.keys().next().value!);
    return descriptor;
  }

  closeContent(content: number): void {
    for (const key of this.#descriptors.keys()) {
      if (Math.floor(key / KEY_STRIDE) === content) this.#close(key);
    }
  }

  #openWritable(table: FileTable, file: number): number {
    const path = table.path(file);
    try {
      // A piece of many small files has a folder for many of them.
      const folder = path.slice(0, path.lastIndexOf('/') + 1);
      if (folder !== this.#checkedFolder || folder === '') makeFoldersAbove(table.root, table.components(file));
      this.#checkedFolder = folder;
      return makeNew(path) ?? openWritable(path);
    } catch (error) {
      throw fileError(error, `write "${path}"`);
    }
  }

  #close(key: number): void {
    const descriptor = this.#descriptors.get(key)!;
    this.#descriptors.delete(key);
    closeSync(descriptor);
  }
}

/** A file that was not there needs no look at what it is: null where something is. */
function makeNew(path: string): number | null {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o666);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return null;
    throw error;
  }
}

function openWritable(path: string): number {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | NO_FOLLOW | NO_WAIT, 0o666);
  try {
    mustBeRegular(descriptor, path);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** A file opened for reading, and how long it was then. */
export interface Readable {
  readonly descriptor: number;
  readonly lengthBytes: number;
}

/** For reading, through links; null where no regular file is there. The caller closes it. */
export function openReadable(table: FileTable, file: number): Readable | null {
  const path = table.path(file);
  try {
    const descriptor = openSync(path, constants.O_RDONLY | NO_WAIT);
    const stats = fstatSync(descriptor);
    if (stats.isFile()) return { descriptor, lengthBytes: stats.size };
    closeSync(descriptor);
    return null;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ENXIO'].includes(errnoOf(error))) return null;
    throw fileError(error, `read "${path}"`);
  }
}

/** Makes the folders of a path below `root`, none of which may be a link: what is above is the user's own choice. */
export function makeFoldersAbove(root: string, path: readonly string[]): void {
  if (path.length === 0) {
    makeFoldersSync(dirname(root));
    return;
  }
  if (!statSync(root, { throwIfNoEntry: false })) makeFoldersSync(root);
  mustBeFolder(statSync(root), root);
  let folder = root;
  for (const component of path.slice(0, -1)) {
    folder = join(folder, component);
    if (!lstatSync(folder, { throwIfNoEntry: false })) makeFoldersSync(folder);
    const stats = lstatSync(folder);
    if (stats.isSymbolicLink()) {
      throw new ShoalError('UNSAFE_PATH', `"${folder}" is a symbolic link: nothing is written through it, remove it`);
    }
    mustBeFolder(stats, folder);
  }
}

function mustBeFolder(stats: { isDirectory(): boolean }, path: string): void {
  if (!stats.isDirectory()) {
    throw new ShoalError('FILE_IN_THE_WAY', `"${path}" is a file where a folder should be: move it away`);
  }
}

function mustBeRegular(descriptor: number, path: string): void {
  if (!fstatSync(descriptor).isFile()) {
    throw new ShoalError('FILE_IN_THE_WAY', `"${path}" is no regular file: move it away`);
  }
}

/** Writes all of `bytes`, however many calls it takes. Throws what the system throws. */
export function writeFully(descriptor: number, bytes: Uint8Array, position: number): void {
  let at = 0;
  while (at < bytes.length) at += writeSync(descriptor, bytes, at, bytes.length - at, position + at);
}

/** Takes the disk space from the end of the file to its full length. Nobody else may write to it meanwhile. */
export function reserve(descriptor: number, lengthBytes: number): void {
  const start = fstatSync(descriptor).size;
  const zeros = new Uint8Array(Math.max(0, Math.min(RESERVE_STEP_BYTES, lengthBytes - start)));
  try {
    for (let at = start; at < lengthBytes; at += zeros.length) {
      writeFully(descriptor, zeros.subarray(0, Math.min(zeros.length, lengthBytes - at)), at);
    }
  } catch (error) {
    // On a full disk the half that was taken helps nobody.
    ftruncateSync(descriptor, start);
    throw error;
  }
}
