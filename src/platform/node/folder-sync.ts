// Names in folders on stable storage. The system says once, and to whoever asks first, that it has lost some; who asks next
// hears that all is well. So what it said is kept here, for all of the process who put names into the same folder.

import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errnoOf } from './system-errors.ts';

interface Loss {
  /** How many there have been, with this one. */
  readonly count: number;
  readonly error: unknown;
}

/** The last one of each folder: no more than somebody synced of a broken disk. */
const losses = new Map<string, Loss>();
let lossCount = 0;

/** A moment for `since` below: what is put into folders from now on is none of what was lost so far. */
export function namingMoment(): number {
  return lossCount;
}

/** Notes for all of the process that a folder could not be written to the disk. */
export function noteLoss(folder: string, error: unknown): void {
  lossCount++;
  losses.set(resolve(folder), { count: lossCount, error });
}

/** What the disk lost of a folder, whoever was told, since a moment; the same folder by another path (a link) is another one. */
export function lossSince(folder: string, since: number): Loss | null {
  if (lossCount === since) return null;
  const loss = losses.get(resolve(folder));
  return loss !== undefined && loss.count > since ? loss : null;
}

/**
 * Puts the names in a folder onto stable storage; `since` is a moment before the first of them was there. Systems that cannot
 * open or sync a folder do it by themselves. Throws what the system throws, also what it told others since then.
 */
export async function syncFolder(path: string, since: number): Promise<void> {
  let folder: FileHandle | undefined;
  try {
    folder = await open(path, 'r');
    await folder.sync();
  } catch (error) {
    if (!isLeftToSystem(error)) {
      if (folder === undefined) throw error;
      noteLoss(path, error);
    }
  } finally {
    await folder?.close();
  }
  const loss = lossSince(path, since);
  if (loss !== null) throw loss.error;
}

/** Whether an error says that the system does it by itself. */
export function isLeftToSystem(error: unknown): boolean {
  return ['EISDIR', 'EPERM', 'EINVAL', 'EACCES', 'EBADF', 'ENOTSUP'].includes(errnoOf(error));
}
