// Every byte of a copy against the source, by SHA-256, file by file; and nothing in the copy that the source has not.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '../../base/errors.ts';

/** Files hashed side by side: the disk and two cores are busy, and no more. */
const AT_ONCE = 8;
/** Read in one go; larger files in pieces. */
const SMALL_BYTES = 4 * 1024 * 1024;

/** SHA-256 by path below `root` (the empty path for a root that is a file). */
export async function digestsOf(root: string, paths: readonly string[]): Promise<Map<string, string>> {
  const out = new Map<string, string>();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < paths.length) {
      const path = paths[next++]!;
      out.set(path, await digestOf(join(root, path)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return out;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  const { size } = await stat(path);
  if (size <= SMALL_BYTES) return hash.update(await readFile(path)).digest('hex');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

/** Throws CONTENT_BAD with the first difference between a copy and the digests of the source. */
export async function compareCopy(copy: string, source: ReadonlyMap<string, string>): Promise<void> {
  const single = source.has('');
  const paths = single ? [''] : await filesBelow(copy);
  const extra = paths.find((path) => !source.has(path));
  if (extra !== undefined) throw new ShoalError('CONTENT_BAD', `"${join(copy, extra)}" is not in the source`);
  if (paths.length !== source.size) {
    throw new ShoalError('CONTENT_BAD', `"${copy}" has ${paths.length} files, the source has ${source.size}`);
  }
  for (const [path, digest] of await digestsOf(copy, paths)) {
    if (digest !== source.get(path))
      throw new ShoalError('CONTENT_BAD', `"${join(copy, path)}" differs from the source`);
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const out: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isDirectory()) out.push(join(entry.parentPath, entry.name).slice(folder.length + 1));
  }
  return out;
}
