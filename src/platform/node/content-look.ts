// What is on disk of one content file.

import { statSync } from 'node:fs';
import type { ContentFileState } from '../../ports/piece-io.ts';
import { errnoOf, fileError } from './system-errors.ts';

const NOTHING: ContentFileState = { exists: false, lengthBytes: 0, mtimeMs: 0 };

/** Follows links; what is no regular file is nothing. Synchronous. PERMISSION, IO. */
export function lookAt(path: string): ContentFileState {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats?.isFile() ? { exists: true, lengthBytes: stats.size, mtimeMs: stats.mtimeMs } : NOTHING;
  } catch (error) {
    if (['ENOTDIR', 'ELOOP'].includes(errnoOf(error))) return NOTHING;
    throw fileError(error, `look at "${path}"`);
  }
}
