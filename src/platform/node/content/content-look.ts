// What is on disk of content files.

import { statSync } from 'node:fs';
import type { ContentFileState, ContentStates } from '../../../ports/content-states.ts';
import { errnoOf, fileError } from '../system-errors.ts';
import { lookAtFiles } from './file-batch.ts';
import type { FileTable } from './file-table.ts';

const NOTHING: ContentFileState = { exists: false, lengthBytes: 0, mtimeMs: 0, executable: false };

/** Bits of those who may run a file. */
export const ANY_RUN = 0o111;

/** Follows links; what is no regular file is nothing. Synchronous. PERMISSION, IO. */
export function lookAt(path: string): ContentFileState {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats?.isFile()) return NOTHING;
    return { exists: true, lengthBytes: stats.size, mtimeMs: stats.mtimeMs, executable: (stats.mode & ANY_RUN) !== 0 };
  } catch (error) {
    if (['ENOTDIR', 'ELOOP'].includes(errnoOf(error))) return NOTHING;
    throw fileError(error, `look at "${path}"`);
  }
}

/** Looks at `files`, which nobody else does. Synchronous. PERMISSION, IO. */
export function lookAtMany(table: FileTable, files: Uint32Array, states: ContentStates): void {
  for (let i = 0; i < files.length; i++) {
    i += lookAtFiles(table, files.subarray(i), states.numbers);
    if (i < files.length) states.set(files[i]!, lookAt(table.path(files[i]!)));
  }
}
