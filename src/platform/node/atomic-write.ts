// A file replaced in one step: written beside its place, synced, renamed into it, and the folder synced.

import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './system-errors.ts';

/**
 * After it resolves the bytes survive a power cut; before that the old file is as it was. `temporary` is a path in the
 * same folder that nobody else uses. Throws what the system throws.
 */
export async function writeAtomically(path: string, temporary: string, bytes: Uint8Array): Promise<void> {
  await replaceFile(path, temporary, bytes);
  await syncFolder(dirname(path));
}

/** {@link writeAtomically} without the folder: until that is synced, a power cut may bring the old file back. */
export async function replaceFile(path: string, temporary: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeSynced(temporary, bytes);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o666);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Puts the names in a folder onto stable storage. Systems that cannot open or sync a folder do it by themselves. `onLost` hears
 * that the disk could not be written: the system says so once, and who asks it again hears that all is well.
 */
export async function syncFolder(path: string, onLost?: (error: unknown) => void): Promise<void> {
  let folder: FileHandle | undefined;
  try {
    folder = await open(path, 'r');
    await folder.sync();
  } catch (error) {
    if (isLeftToSystem(error)) return;
    if (folder !== undefined) onLost?.(error);
    throw error;
  } finally {
    await folder?.close();
  }
}

/** Whether an error says that the system does it by itself. */
export function isLeftToSystem(error: unknown): boolean {
  return ['EISDIR', 'EPERM', 'EINVAL', 'EACCES', 'EBADF', 'ENOTSUP'].includes(errnoOf(error));
}
