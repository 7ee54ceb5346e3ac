// The Files port on Node. Everything is asynchronous and runs on the threads of libuv, but for looking at what is in a
// folder: for each entry the way to a thread and back costs ten times as much as the look.

import { lstatSync, type Stats } from 'node:fs';
import { lstat, open, readdir, readlink, realpath, rmdir, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fromUtf8 } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import type { FileInfo, FileKind, Files, FolderEntry } from '../../ports/files.ts';
import { writeAtomically } from './atomic-write.ts';
import { makeFolders } from './make-folders.ts';
import { errnoOf, fileError } from './system-errors.ts';

/** Looks without a break, and after how many of them the clock is asked: no timer or socket notices. */
const LOOK_SLICE_MS = 2;
const LOOKS_A_GLANCE = 16;

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
    executable: (stats.mode & 0o111) !== 0,
    identity: `${stats.dev}:${stats.ino}`,
  };
}

/** Everything else has its turn between two slices. */
async function entries(path: string): Promise<readonly FolderEntry[]> {
  const names = await namesIn(path);
  const out: FolderEntry[] = [];
  let sliceEndMs = performance.now() + LOOK_SLICE_MS;
  for (const name of names) {
    const stats = lstatSync(below(path, name), { throwIfNoEntry: false });
    out.push({ name, info: stats ? infoOf(stats) : null });
    if (out.length % LOOKS_A_GLANCE !== 0 || performance.now() < sliceEndMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sliceEndMs = performance.now() + LOOK_SLICE_MS;
  }
  return out;
}

/** Names as text, which is several times as fast; as bytes only where one of them is no UTF-8. */
async function namesIn(path: string): Promise<readonly (string | Uint8Array)[]> {
  const names = await readdir(path);
  if (!names.some((name) => name.includes('\ufffd'))) return names;
  return (await readdir(path, { encoding: 'buffer' })).map((bytes) => fromUtf8(bytes) ?? plain(bytes));
}

function below(folder: string, name: string | Uint8Array): string | Buffer {
  return typeof name === 'string' ? `${folder}/${name}` : Buffer.concat([Buffer.from(`${folder}/`), name]);
}

function kindOf(stats: Stats): FileKind {
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
