// The last step of a content on disk: empty files, lengths, executable bits and symbolic links. Runs in a piece worker.

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readlinkSync,
  type Stats,
  symlinkSync,
} from 'node:fs';
import { join, posix } from 'node:path';
import { ShoalError } from '../../../base/errors.ts';
import { fileError } from '../system-errors.ts';
import { makeFoldersAbove } from './content-files.ts';
import { countFinished } from './file-batch.ts';
import type { FileTable } from './file-table.ts';
import type { FinishJob } from './piece-protocol.ts';

/** Files that were never written (nobody wanted them) stay absent, but for empty ones, which no piece brings. */
export function finishContent(table: FileTable, { firstFile, endFile, symlinks }: FinishJob): void {
  for (let file = firstFile; file < endFile; file++) {
    file += countFinished(table, file, endFile);
    if (file === endFile) break;
    const path = table.path(file);
    try {
      finishFile(table, file, path);
    } catch (error) {
      throw fileError(error, `finish "${path}"`);
    }
  }
  for (const { path, target } of symlinks) makeLink(table.root, path, target);
}

function finishFile(table: FileTable, file: number, path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  const lengthBytes = table.lengthBytes(file);
  const executable = table.isExecutable(file);
  if (!stats && lengthBytes > 0) return;
  if (stats?.isFile() && stats.size === lengthBytes && stats.mode === wantedMode(stats, executable)) return;
  makeFoldersAbove(table.root, table.components(file));
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o666);
  try {
    const now = fstatSync(descriptor);
    if (now.size !== lengthBytes) ftruncateSync(descriptor, lengthBytes);
    const mode = wantedMode(now, executable);
    if (now.mode !== mode) fchmodSync(descriptor, mode & 0o7777);
  } finally {
    closeSync(descriptor);
  }
}

/** Who may read an executable file may run it. Bits that are set stay. */
function wantedMode(stats: Stats, executable: boolean): number {
  return executable ? stats.mode | ((stats.mode & 0o444) >> 2) : stats.mode;
}

/** A relative link, so that the content can be moved. One that is there already and points there is good. */
function makeLink(root: string, path: readonly string[], target: readonly string[]): void {
  const place = join(root, ...path);
  const text = posix.relative(posix.join('/', ...path.slice(0, -1)), posix.join('/', ...target)) || '.';
  try {
    makeFoldersAbove(root, path);
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() && readlinkSync(place) === text) return;
    if (stats) {
      throw new ShoalError('FILE_IN_THE_WAY', `"${place}" is there, where a symbolic link should be: move it away`);
    }
    symlinkSync(text, place);
  } catch (error) {
    throw fileError(error, `make the link "${place}"`);
  }
}
