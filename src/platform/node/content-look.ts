// What is on disk of one content file, looked at without a worker.

import { stat } from 'node:fs';
import type { ContentFileState } from '../../ports/piece-io.ts';
import { errnoOf, fileError } from './system-errors.ts';

const NOTHING: ContentFileState = { exists: false, lengthBytes: 0, mtimeMs: 0 };

/** Follows links; what is no regular file is nothing. PERMISSION, IO. */
export function lookAt(path: string): Promise<ContentFileState> {
  return new Promise((resolve, reject) => {
    stat(path, (error, stats) => {
      if (!error) resolve(stats.isFile() ? { exists: true, lengthBytes: stats.size, mtimeMs: stats.mtimeMs } : NOTHING);
      else if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error))) resolve(NOTHING);
      else reject(fileError(error, `look at "${path}"`));
    });
  });
}
