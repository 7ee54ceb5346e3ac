// Paths that can never leave their folder, and where the content of a torrent is when a person names a path.

import { ShoalError } from '../base/errors.ts';
import type { TorrentInfo } from '../metainfo/types.ts';
import type { FileInfo, Files } from '../ports/files.ts';

/** Files looked at to tell a torrent's folder from another: enough to be sure, few enough to be quick. */
const SAMPLE_FILES = 64;

/**
 * `root` and components below it as one path. Metainfo has made the components safe; they are looked at again because
 * everything on disk hangs on it. UNSAFE_PATH.
 */
export function joinPath(root: string, components: readonly string[]): string {
  for (const component of components) checkComponent(component);
  return components.length === 0 ? root : `${root.replace(/\/+$/, '')}/${components.join('/')}`;
}

/** All paths and symlink targets of a torrent stay below its folder; else UNSAFE_PATH. */
export function checkPaths(info: Pick<TorrentInfo, 'name' | 'files'>): void {
  checkComponent(info.name);
  for (const file of info.files) {
    if (file.path.length === 0 || file.symlink?.length === 0) throw unsafe(info.name);
    for (const component of file.path) checkComponent(component);
    for (const component of file.symlink ?? []) checkComponent(component);
  }
}

/**
 * The file or folder that is the content of a torrent when a person says `path`: the content itself under whatever name,
 * or the folder that it is in. FILE_NOT_FOUND, CONTENT_MISMATCH.
 */
export async function contentRoot(files: Files, info: TorrentInfo, path: string): Promise<string> {
  const found = await files.info(path);
  if (found === null) throw new ShoalError('FILE_NOT_FOUND', `there is nothing at "${path}"`);
  return info.singleFile ? fileRoot(files, info, path, found) : folderRoot(files, info, path, found);
}

async function fileRoot(files: Files, info: TorrentInfo, path: string, found: FileInfo): Promise<string> {
  if (found.kind === 'file') return path;
  const inside = joinPath(path, [info.name]);
  if (found.kind === 'folder' && (await files.info(inside))?.kind === 'file') return inside;
  throw mismatch(`"${path}" is not the file "${info.name}" of the torrent, nor a folder that holds it`);
}

async function folderRoot(files: Files, info: TorrentInfo, path: string, found: FileInfo): Promise<string> {
  if (found.kind !== 'folder') {
    throw mismatch(`the torrent is the folder "${info.name}", and "${path}" is a file`);
  }
  const likeness = await likenessOf(files, info, path);
  if (likeness === 1) return path;
  const inside = joinPath(path, [info.name]);
  if ((await files.info(inside))?.kind === 'folder') {
    const likenessInside = await likenessOf(files, info, inside);
    if (likeness === 0 || likenessInside > likeness) return inside;
  }
  if (likeness > 0) return path;
  throw mismatch(`"${path}" holds no file of the torrent, nor its folder "${info.name}"`);
}

/** How much a folder looks like the torrent's: 1, all files that were looked at are there with their lengths; 0, none is. */
async function likenessOf(files: Files, info: TorrentInfo, folder: string): Promise<number> {
  const all = info.files.filter((file) => !file.padding && file.symlink === null);
  const step = Math.max(1, Math.floor(all.length / SAMPLE_FILES));
  const sample = all.filter((_, i) => i % step === 0).slice(0, SAMPLE_FILES);
  let score = 0;
  for (const file of sample) {
    const found = await files.info(joinPath(folder, file.path));
    if (found?.kind === 'file') score += found.lengthBytes === file.lengthBytes ? 2 : 1;
  }
  return sample.length === 0 ? 0 : score / (2 * sample.length);
}

function checkComponent(component: string): void {
  if (component === '' || component === '.' || component === '..' || hasSeparator(component)) throw unsafe(component);
}

/** Without an expression, which took as long as all else about a layout of very many files. */
function hasSeparator(component: string): boolean {
  for (let i = 0; i < component.length; i++) {
    const code = component.charCodeAt(i);
    if (code === SLASH || code === BACKSLASH || code === 0) return true;
  }
  return false;
}

const SLASH = 0x2f;
const BACKSLASH = 0x5c;

function unsafe(component: string): ShoalError {
  return new ShoalError(
    'UNSAFE_PATH',
    `the torrent has the path component ${JSON.stringify(component)}: it is refused`,
  );
}

function mismatch(message: string): ShoalError {
  return new ShoalError('CONTENT_MISMATCH', `${message}: name the content itself or the folder it is in`);
}
