// What is below a path: the files that a torrent of it shall have. Symlinks, loops and odd names are settled here.

import { fromUtf8, fromUtf8Loose } from '../base/bytes.ts';
import { describeError, isShoalError, ShoalError } from '../base/errors.ts';
import { MAX_FILES, MAX_PATH_DEPTH } from '../metainfo/limits.ts';
import type { FileInfo, Files } from '../ports/files.ts';

/** `follow`: as if what they point to were there. `keep`: as symlinks (BEP 47), where they stay inside. `skip`: left out. */
export type SymlinkRule = 'follow' | 'keep' | 'skip';

export interface WalkOptions {
  readonly symlinks: SymlinkRule;
  /** Takes a `/`-separated path below the root; a folder it says yes to is left out with all that is in it. */
  exclude?(relativePath: string): boolean;
  /** Called with what was found so far, after every folder. */
  onProgress?(files: number, lengthBytes: number): void;
  readonly signal?: AbortSignal | undefined;
}

export interface FoundFile {
  /** Components below the root; empty where the root is the file. */
  readonly path: readonly string[];
  /** 0 for a symlink. */
  readonly lengthBytes: number;
  readonly mtimeMs: number;
  readonly executable: boolean;
  /** Target components below the root, for a symlink that is kept. */
  readonly symlink: readonly string[] | null;
}

export interface Walk {
  readonly isFile: boolean;
  /** In no order. */
  readonly files: readonly FoundFile[];
  /** Paths of what no torrent can hold: sockets, devices, symlinks that leave the folder. */
  readonly ignored: readonly string[];
}

/** Look-ups under way at once: enough to keep the threads that do them busy. */
const LOOKUPS_AT_ONCE = 32;

/**
 * Finds all files below `root`, or `root` alone where it is a file. Empty folders do not count.
 * FILE_NOT_FOUND, CREATE_NAME, CREATE_LOOP, CREATE_VANISHED, CREATE_UNSUPPORTED, and what `files` throws.
 */
export async function walk(files: Files, root: string, options: WalkOptions): Promise<Walk> {
  const info = await files.info(root);
  if (info === null) throw new ShoalError('FILE_NOT_FOUND', `there is nothing at "${root}"`);
  if (info.kind === 'file') return { isFile: true, files: [foundFile([], info)], ignored: [] };
  if (info.kind !== 'folder') {
    throw new ShoalError('CREATE_UNSUPPORTED', `"${root}" is neither a file nor a folder: nothing else can be shared`);
  }
  const walker = new Walker(files, root, options);
  await walker.folder([], new Map([[info.identity, root]]));
  return { isFile: false, files: walker.found, ignored: walker.ignored };
}

class Walker {
  readonly found: FoundFile[] = [];
  readonly ignored: string[] = [];
  readonly #files: Files;
  readonly #root: string;
  readonly #options: WalkOptions;
  #lengthBytes = 0;

  constructor(files: Files, root: string, options: WalkOptions) {
    this.#files = files;
    this.#root = root.replace(/(?<=.)\/+$/, '');
    this.#options = options;
  }

  /** `above`: this folder and those that lead to it, by identity, to notice a way that leads back. */
  async folder(path: readonly string[], above: ReadonlyMap<string, string>): Promise<void> {
    this.#options.signal?.throwIfAborted();
    if (path.length >= MAX_PATH_DEPTH) throw unsupported(`"${path.join('/')}" is nested too deeply`);
    const names = await this.#names(path);
    const folders: { path: readonly string[]; info: FileInfo }[] = [];
    for (let at = 0; at < names.length; at += LOOKUPS_AT_ONCE) {
      await Promise.all(
        names.slice(at, at + LOOKUPS_AT_ONCE).map(async (name) => {
          const entry = [...path, name];
          const info = await this.#entry(entry);
          if (info?.kind === 'folder') folders.push({ path: entry, info });
        }),
      );
    }
    if (this.found.length > MAX_FILES) throw unsupported(`there are more than ${MAX_FILES} files`);
    this.#options.onProgress?.(this.found.length, this.#lengthBytes);
    for (const { path: entry, info } of folders) {
      const earlier = above.get(info.identity);
      if (earlier !== undefined) throw loop(this.#onDisk(entry), earlier);
      await this.folder(entry, new Map(above).set(info.identity, this.#onDisk(entry)));
    }
  }

  /** Takes up a file or a kept symlink; returns what is there, so that folders are gone into afterwards. */
  async #entry(path: readonly string[]): Promise<FileInfo | null> {
    const relative = path.join('/');
    if (this.#options.exclude?.(relative)) return null;
    let info = await this.#files.info(this.#onDisk(path), { follow: false });
    if (info === null) throw new ShoalError('CREATE_VANISHED', `"${this.#onDisk(path)}" vanished: start again`);
    if (info.kind === 'symlink') {
      if (this.#options.symlinks === 'skip') return null;
      if (this.#options.symlinks === 'keep') {
        await this.#keep(path, info);
        return null;
      }
      info = await this.#follow(path);
    }
    if (info.kind === 'other') this.ignored.push(relative);
    if (info.kind === 'file') {
      this.found.push(foundFile(path, info));
      this.#lengthBytes += info.lengthBytes;
    }
    return info;
  }

  async #follow(path: readonly string[]): Promise<FileInfo> {
    const onDisk = this.#onDisk(path);
    let info: FileInfo | null;
    try {
      info = await this.#files.info(onDisk);
    } catch (error) {
      if (isShoalError(error, 'UNSAFE_PATH')) throw loop(onDisk, onDisk);
      throw error;
    }
    if (info !== null) return info;
    throw new ShoalError(
      'FILE_NOT_FOUND',
      `the symlink "${onDisk}" points to nothing: remove or exclude it, or choose --symlinks skip`,
    );
  }

  async #keep(path: readonly string[], info: FileInfo): Promise<void> {
    const target = await this.#files.readLink(this.#onDisk(path));
    const inside = await this.#targetInside(path, target);
    if (inside === null) this.ignored.push(path.join('/'));
    else this.found.push({ ...foundFile(path, info), lengthBytes: 0, executable: false, symlink: inside });
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

  async #names(path: readonly string[]): Promise<string[]> {
    const folder = this.#onDisk(path);
    let names: readonly Uint8Array[];
    try {
      names = await this.#files.list(folder);
    } catch (error) {
      if (!isShoalError(error, 'FILE_NOT_FOUND')) throw error;
      throw new ShoalError('CREATE_VANISHED', `"${folder}" vanished: start again (${describeError(error)})`, error);
    }
    return names.map((bytes) => {
      const name = fromUtf8(bytes);
      if (name !== null) return name;
      const shown = `${folder}/${fromUtf8Loose(bytes)}`;
      throw new ShoalError('CREATE_NAME', `the name of "${shown}" is not UTF-8, as torrents need it: rename it`);
    });
  }

  #onDisk(path: readonly string[]): string {
    return path.length === 0 ? this.#root : `${this.#root}/${path.join('/')}`.replace(/^\/\//, '/');
  }
}

function foundFile(path: readonly string[], info: FileInfo): FoundFile {
  const { lengthBytes, mtimeMs, executable } = info;
  return { path, lengthBytes, mtimeMs, executable, symlink: null };
}

function loop(path: string, earlier: string): ShoalError {
  const way = path === earlier ? 'points to itself' : `leads back to "${earlier}"`;
  return new ShoalError('CREATE_LOOP', `"${path}" ${way}: exclude it, or choose --symlinks keep or skip`);
}

function unsupported(problem: string): ShoalError {
  return new ShoalError('CREATE_UNSUPPORTED', `${problem}: share a part of it, or an archive`);
}
