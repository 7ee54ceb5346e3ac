// What is on disk, file by file: names, executable bits and every byte, source and copies alike. Knows nothing of torrents.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Files read side by side; the disk is kept busy, and memory stays small. */
const AT_ONCE = 8;
/** Files up to this size are read in one go. */
const SMALL_BYTES = 1 << 20;

export interface FileMark {
  readonly lengthBytes: number;
  readonly executable: boolean;
  /** SHA-256, hex. */
  readonly digest: string;
}

/**
 * All files at or below `root` by path; symlinks count as what they point to, empty folders do not count.
 * `leaveOut` says which paths are none of it; `onFile` is called after each file with its size.
 */
export async function marksOf(
  root: string,
  leaveOut: (path: string) => boolean,
  onFile: (lengthBytes: number) => void,
  signal: AbortSignal,
): Promise<Map<string, FileMark>> {
  const paths = (await stat(root)).isDirectory() ? await filesBelow(root, '', leaveOut) : [''];
  const out = new Map<string, FileMark>();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let path = paths[next++]; path !== undefined; path = paths[next++]) {
      signal.throwIfAborted();
      const mark = await markOf(join(root, path));
      out.set(path, mark);
      onFile(mark.lengthBytes);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return out;
}

async function filesBelow(root: string, folder: string, leaveOut: (path: string) => boolean): Promise<string[]> {
  const out: string[] = [];
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (leaveOut(path)) continue;
    const kind = entry.isSymbolicLink() ? await stat(join(root, path)) : entry;
    if (kind.isDirectory()) out.push(...(await filesBelow(root, path, leaveOut)));
    else if (kind.isFile()) out.push(path);
  }
  return out;
}

async function markOf(path: string): Promise<FileMark> {
  const { size, mode } = await stat(path);
  const hash = createHash('sha256');
  if (size <= SMALL_BYTES) hash.update(await readFile(path));
  else for await (const chunk of createReadStream(path, { highWaterMark: SMALL_BYTES })) hash.update(chunk as Buffer);
  return { lengthBytes: size, executable: (mode & 0o111) !== 0, digest: hash.digest('hex') };
}

/** What is not the same, a line for each file; empty where all is. */
export function differences(source: ReadonlyMap<string, FileMark>, copy: ReadonlyMap<string, FileMark>): string[] {
  const out: string[] = [];
  for (const [path, mark] of source) {
    const other = copy.get(path);
    if (!other) out.push(`"${path}" is missing`);
    else if (other.digest !== mark.digest) out.push(`"${path}" has other bytes`);
    else if (other.executable !== mark.executable) out.push(`"${path}" has another executable bit`);
  }
  for (const path of copy.keys()) if (!source.has(path)) out.push(`"${path}" is not in the source`);
  return out;
}
