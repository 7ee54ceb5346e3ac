// Folders and those above them. Node's own recursive mkdir hides a read-only file system behind ENOENT.

import { mkdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../system-errors.ts';

/** The topmost folder that was made; null where all were there. Throws what the system throws. */
export async function makeFolders(path: string): Promise<string | null> {
  let top: string | null = null;
  try {
    await mkdir(path);
    return path;
  } catch (error) {
    if (isThere(error)) return null;
    if (!lacksParent(error, path)) throw error;
    top = await makeFolders(dirname(path));
  }
  try {
    await mkdir(path);
    return top ?? path;
  } catch (error) {
    // Somebody else was faster.
    if (!isThere(error)) throw error;
    return top;
  }
}

/** As {@link makeFolders}, for threads that do one thing at a time. */
export function makeFoldersSync(path: string): void {
  try {
    mkdirSync(path);
    return;
  } catch (error) {
    if (isThere(error)) return;
    if (!lacksParent(error, path)) throw error;
    makeFoldersSync(dirname(path));
  }
  try {
    mkdirSync(path);
  } catch (error) {
    if (!isThere(error)) throw error;
  }
}

/** Something is there; where it is no folder the next step tells. */
function isThere(error: unknown): boolean {
  return errnoOf(error) === 'EEXIST';
}

function lacksParent(error: unknown, path: string): boolean {
  return errnoOf(error) === 'ENOENT' && dirname(path) !== path;
}
