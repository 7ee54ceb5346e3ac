// A file replaced in one step: written beside its place, synced, renamed into it, and the folder synced.

import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { namingMoment, syncFolder } from './folder-sync.ts';

/**
 * After it resolves the bytes survive a power cut; before that the old file is as it was. `temporary` is a path in the
 * same folder that nobody else uses. Throws what the system throws.
 */
export async function writeAtomically(path: string, temporary: string, bytes: Uint8Array): Promise<void> {
  const since = namingMoment();
  await replaceFile(path, temporary, bytes);
  await syncFolder(dirname(path), since);
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
