// The Files port on Node. Everything is asynchronous and runs on the threads of libuv.

import type { Stats } from 'node:fs';
import { lstat, open, readdir, readlink, realpath, rmdir, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fromUtf8 } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import type { FileInfo, FileKind, Files, FolderEntry } from '../../ports/files.ts';
import { writeAtomically } from './atomic-write.ts';
import { ANY_RUN } from './content/content-look.ts';
import { makeFolders } from './content/make-folders.ts';
import { errnoOf, fileError } from './system-errors.ts';

let temporaryCount = 0;

export const nodeFiles: Files = {
  // How these systems make their disks unless told otherwise.
  caseSensitive: process.platform !== 'darwin' && process.platform !== 'win32',
  info: (path, options) => info(path, options?.follow ?? true),
  entries: (path) => attempt(`list "${path}"`, () => entries(path)),
  readLink: (path) => attempt(`read the link "${path}"`, () => readlink(path)),
  realPath: (path) => attempt(`find "${path}"`, () => realpath(path)),
  read: (path, maxBytes) => attempt(`read "${path}"`, () => read(path, maxBytes)),
  write: (path, bytes) => attempt(`write "${path}"`, () => write(path, bytes)),
  makeFolder: (path) =>
    attempt(`make the folder "${path}"`, async () => {
      await makeFolders(path);
    }),
  remove: (path) => attempt(`remove "${path}"`, () => remove(path)),
};

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(error, what);
  }
}

async function info(path: string, follow: boolean): Promise<FileInfo | null> {
  try {
    return infoOf(await (follow ? stat(path) : lstat(path)));
  } catch (error) {
    // A path through a file leads nowhere either.
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error))) return null;
    throw fileError(error, `look at "${path}"`);
  }
}

function infoOf(stats: Stats): FileInfo {
  return {
    kind: kindOf(stats),
    lengthBytes: stats.size,
    mtimeMs: stats.mtimeMs,
    executable: (stats.mode & ANY_RUN) !== 0,
    identity: `${stats.dev}:${stats.ino}`,
  };
}

async function entries(path: string): Promise<readonly FolderEntry[]> {
  const found = await readdir(path, { withFileTypes: true });
  if (!found.some(({ name }) => name.includes('\ufffd'))) return found.map((entry) => entryOf(entry.name, entry));
  // Names as text are several times as fast; they come as bytes only where one of them is no UTF-8.
  const raw = await readdir(Buffer.from(path), { withFileTypes: true, encoding: 'buffer' });
  return raw.map((entry) => {
    const bytes = entry.name as unknown as Uint8Array;
    return entryOf(fromUtf8(bytes) ?? plain(bytes), entry);
  });
}

function entryOf(name: string | Uint8Array, entry: Kinds): FolderEntry {
  return { name, kind: kindOf(entry) };
}

/** What Stats and Dirent have in common. */
type Kinds = Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>;

function kindOf(stats: Kinds): FileKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}

/** Reads one byte more than allowed at most, whatever size the system tells (0 for files in /proc). */
async function read(path: string, maxBytes: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > maxBytes) throw tooLarge(path, maxBytes);
    let out = new Uint8Array(size + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(out, length, out.length - length, null);
      length += bytesRead;
      if (length > maxBytes) throw tooLarge(path, maxBytes);
      if (bytesRead === 0) return out.slice(0, length);
      if (length === out.length) {
        const larger = new Uint8Array(Math.min(out.length * 2 + 4096, maxBytes + 1));
        larger.set(out);
        out = larger;
      }
    }
  } finally {
    await file.close();
  }
}

function tooLarge(path: string, maxBytes: number): ShoalError {
  return new ShoalError('FILE_TOO_LARGE', `cannot read "${path}": it is longer than ${maxBytes} bytes`);
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  // A link stays a link: what it points to is replaced.
  const target = await realpath(path).catch(() => path);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}-${temporaryCount++}.tmp`);
  await writeAtomically(target, temporary, bytes);
}

async function remove(path: string): Promise<void> {
  try {
    const stats = await lstat(path);
    await (stats.isDirectory() ? rmdir(path) : unlink(path));
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(errnoOf(error))) throw error;
  }
}

/** The same bytes without the habits of Buffer, whose `slice` does not copy. */
function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
