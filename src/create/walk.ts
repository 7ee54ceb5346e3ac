// What is below a path: the files that a torrent of it shall have. Symlinks, loops and odd names are settled here.

import { fromUtf8Loose } from '../base/bytes.ts';
import { describeError, isShoalError, ShoalError } from '../base/errors.ts';
import { MAX_FILES, MAX_PATH_DEPTH } from '../metainfo/limits.ts';
import { compareNames } from '../metainfo/names.ts';
import type { FileInfo, FileKind, Files, FolderEntry } from '../ports/files.ts';
import type { PieceIo } from '../ports/piece-io.ts';

/** `follow`: as if what they point to were there. `keep`: as symlinks (BEP 47), where they stay inside. `skip`: left out. */
export type SymlinkRule = 'follow' | 'keep' | 'skip';

export interface WalkOptions {
  readonly symlinks: SymlinkRule;
  /** Takes a `/`-separated path below the root; a folder it says yes to is left out with all that is in it. */
  exclude?(relativePath: string): boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface FoundFile {
  /** Components below the root; empty where the root is the file. */
  readonly path: readonly string[];
  /** Target components below the root, for a symlink that is kept. */
  readonly symlink: readonly string[] | null;
}

/** With what only a look at the file itself tells. */
export interface MeasuredFile extends FoundFile {
  /** 0 for a symlink. */
  readonly lengthBytes: number;
  readonly mtimeMs: number;
  readonly executable: boolean;
}

export interface Walk {
  readonly isFile: boolean;
  /** In the order of names by their bytes, folder by folder: that of a torrent. */
  readonly files: readonly FoundFile[];
  /** Paths of what no torrent can hold: sockets, devices, symlinks that leave the folder. */
  readonly ignored: readonly string[];
}

/**
 * Finds all files below `root`, or `root` alone where it is a file: their names, not yet their lengths. Empty folders do
 * not count. FILE_NOT_FOUND, CREATE_NAME, CREATE_LOOP, CREATE_VANISHED, CREATE_UNSUPPORTED, and what `files` throws.
 */
export async function walk(files: Files, root: string, options: WalkOptions): Promise<Walk> {
  const info = await files.info(root);
  if (info === null) throw new ShoalError('FILE_NOT_FOUND', `there is nothing at "${root}"`);
  if (info.kind === 'file') return { isFile: true, files: [foundFile([])], ignored: [] };
  if (info.kind !== 'folder') {
    throw new ShoalError('CREATE_UNSUPPORTED', `"${root}" is neither a file nor a folder: nothing else can be shared`);
  }
  const walker = new Walker(files, root, options);
  await walker.folder([], [root]);
  return { isFile: false, files: walker.found, ignored: walker.ignored };
}

type NamedEntry = FolderEntry & { readonly name: string };

class Walker {
  readonly found: FoundFile[] = [];
  readonly ignored: string[] = [];
  readonly #files: Files;
  readonly #root: string;
  readonly #options: WalkOptions;

  constructor(files: Files, root: string, options: WalkOptions) {
    this.#files = files;
    this.#root = root.replace(/(?<=.)\/+$/, '');
    this.#options = options;
  }

  /** `above`: where this folder and those that lead to it are on disk, to notice a way that leads back. */
  async folder(path: readonly string[], above: readonly string[]): Promise<void> {
    this.#options.signal?.throwIfAborted();
    if (path.length >= MAX_PATH_DEPTH) throw unsupported(`"${path.join('/')}" is nested too deeply`);
    for (const { name, kind } of await this.#entries(path)) {
      const entry = [...path, name];
      if (this.#options.exclude?.(entry.join('/'))) continue;
      const found = kind === 'symlink' ? await this.#symlink(entry, above) : kind;
      if (found === 'folder') await this.folder(entry, [...above, this.#onDisk(entry)]);
      else if (found === 'file') this.found.push(foundFile(entry));
      else if (found === 'other') this.ignored.push(entry.join('/'));
    }
    if (this.found.length > MAX_FILES) throw unsupported(`there are more than ${MAX_FILES} files`);
  }

  /** What a symlink stands for; null where it is kept or skipped. */
  async #symlink(path: readonly string[], above: readonly string[]): Promise<FileKind | null> {
    if (this.#options.symlinks === 'follow') return this.#follow(path, above);
    if (this.#options.symlinks === 'keep') await this.#keep(path);
    return null;
  }

  async #follow(path: readonly string[], above: readonly string[]): Promise<FileKind> {
    const onDisk = this.#onDisk(path);
    let info: FileInfo | null;
    try {
      info = await this.#files.info(onDisk);
    } catch (error) {
      if (isShoalError(error, 'UNSAFE_PATH')) throw loop(onDisk, onDisk);
      throw error;
    }
    if (info === null) {
      throw new ShoalError(
        'FILE_NOT_FOUND',
        `the symlink "${onDisk}" points to nothing: remove or exclude it, or choose --symlinks skip`,
      );
    }
    if (info.kind === 'folder') await this.#mustLeadOn(onDisk, info, above);
    return info.kind;
  }

  /** Only a symlink can lead back to a folder above. */
  async #mustLeadOn(onDisk: string, folder: FileInfo, above: readonly string[]): Promise<void> {
    for (const earlier of above) {
      if ((await this.#files.info(earlier))?.identity === folder.identity) throw loop(onDisk, earlier);
    }
  }

  async #keep(path: readonly string[]): Promise<void> {
    const target = await this.#files.readLink(this.#onDisk(path));
    const inside = await this.#targetInside(path, target);
    if (inside === null) this.ignored.push(path.join('/'));
    else this.found.push({ path, symlink: inside });
  }

  /** Components of a target below the root; null where it leaves the root or is the root itself. */
  async #targetInside(path: readonly string[], target: string): Promise<readonly string[] | null> {
    let out = path.slice(0, -1);
    let rest = target;
    if (target.startsWith('/')) {
      const root = `${await this.#files.realPath(this.#root)}/`;
      if (!target.startsWith(root)) return null;
      out = [];
      rest = target.slice(root.length);
    }
    for (const component of rest.split('/')) {
      if (component === '' || component === '.') continue;
      if (component !== '..') out.push(component);
      else if (out.pop() === undefined) return null;
    }
    return out.length === 0 ? null : out;
  }

  /** What is in a folder, in order. */
  async #entries(path: readonly string[]): Promise<readonly NamedEntry[]> {
    const found = await this.#list(path);
    for (const { name } of found) if (typeof name !== 'string') throw this.#noName(path, name);
    return (found as NamedEntry[]).toSorted((a, b) => compareNames(a.name, b.name));
  }

  async #list(path: readonly string[]): Promise<readonly FolderEntry[]> {
    const folder = this.#onDisk(path);
    try {
      return await this.#files.entries(folder);
    } catch (error) {
      if (!isShoalError(error, 'FILE_NOT_FOUND')) throw error;
      throw new ShoalError('CREATE_VANISHED', `"${folder}" vanished: start again (${describeError(error)})`, error);
    }
  }

  #noName(folder: readonly string[], name: Uint8Array): ShoalError {
    const shown = `${this.#onDisk(folder)}/${fromUtf8Loose(name)}`;
    return new ShoalError('CREATE_NAME', `the name of "${shown}" is not UTF-8, as torrents need it: rename it`);
  }

  #onDisk(path: readonly string[]): string {
    return path.length === 0 ? this.#root : `${this.#root}/${path.join('/')}`.replace(/^\/\//, '/');
  }
}

function foundFile(path: readonly string[]): FoundFile {
  return { path, symlink: null };
}

/** Looks at all files that a walk has found: lengths, times, who may run them. CREATE_VANISHED. */
export async function measure(
  pieceIo: PieceIo,
  root: string,
  found: readonly FoundFile[],
): Promise<readonly MeasuredFile[]> {
  const files = found.map(({ path }) => ({ path, lengthBytes: 0, executable: false }));
  const regular = Array.from(found.keys()).filter((i) => found[i]!.symlink === null);
  const content = pieceIo.open({ root, files, writable: false, preallocate: false });
  try {
    const states = await content.states(regular);
    return found.map(({ path, symlink }, i) => {
      if (symlink !== null) return { path, symlink, lengthBytes: 0, mtimeMs: 0, executable: false };
      const { exists, lengthBytes, mtimeMs, executable } = states.at(i);
      if (!exists) throw new ShoalError('CREATE_VANISHED', `"${[root, ...path].join('/')}" vanished: start again`);
      return { path, symlink, lengthBytes, mtimeMs, executable };
    });
  } finally {
    await content.close();
  }
}

function loop(path: string, earlier: string): ShoalError {
  const way = path === earlier ? 'points to itself' : `leads back to "${earlier}"`;
  return new ShoalError('CREATE_LOOP', `"${path}" ${way}: exclude it, or choose --symlinks keep or skip`);
}

function unsupported(problem: string): ShoalError {
  return new ShoalError('CREATE_UNSUPPORTED', `${problem}: share a part of it, or an archive`);
}
