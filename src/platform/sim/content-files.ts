// Which files of a simulated disk a content is made of: found for reading, made for writing, finished.

import { ShoalError } from '../../base/errors.ts';
import type { ContentFileState } from '../../ports/content-states.ts';
import type { ContentSpec } from '../../ports/piece-io.ts';
import type { SimClock } from './clock.ts';
import type { SimDisk } from './disk.ts';
import { type FileNode, type FolderNode, inTheWay } from './tree.ts';

export class ContentFiles {
  readonly #disk: SimDisk;
  readonly #clock: SimClock;
  readonly #spec: ContentSpec;

  constructor(disk: SimDisk, clock: SimClock, spec: ContentSpec) {
    this.#disk = disk;
    this.#clock = clock;
    this.#spec = spec;
  }

  /** Through links, as the user may have laid the content out with them; null where no regular file is there. */
  readable(index: number): FileNode | null {
    const path = [this.#spec.root, ...this.#spec.files[index]!.path].join('/');
    try {
      const node = this.#disk.tree.find(path)?.node;
      return node?.kind === 'file' ? node : null;
    } catch (error) {
      if (error instanceof ShoalError && error.code === 'FILE_IN_THE_WAY') return null;
      throw error;
    }
  }

  states(): ContentFileState[] {
    return this.#spec.files.map((_, index) => {
      const file = this.readable(index);
      if (file === null) return { exists: false, lengthBytes: 0, mtimeMs: 0, executable: false };
      const { content, mtimeMs, executable } = file;
      return { exists: true, lengthBytes: content.lengthBytes, mtimeMs, executable };
    });
  }

  /** Makes the file where it is not there. UNSAFE_PATH, FILE_IN_THE_WAY, DISK_FULL, READ_ONLY. */
  write(index: number, offset: number, bytes: Uint8Array): FileNode {
    const file = this.#writable(index);
    if (this.#spec.preallocate) this.#preallocate(file, this.#spec.files[index]!.lengthBytes);
    this.#disk.writeFile(file, offset, bytes, this.#clock.wallMs());
    return file;
  }

  /** Files that were never written stay absent, but for empty ones, which no piece brings. */
  finish(symlinks: readonly { path: readonly string[]; target: readonly string[] }[]): void {
    this.#spec.files.forEach((wanted, index) => {
      if (wanted.lengthBytes > 0 && this.readable(index) === null) return;
      const file = this.#writable(index);
      if (file.content.lengthBytes !== wanted.lengthBytes) {
        this.#disk.setFileLength(file, wanted.lengthBytes, this.#clock.wallMs());
      }
      file.executable ||= wanted.executable;
    });
    for (const { path, target } of symlinks) this.#link(path, target);
  }

  #writable(index: number): FileNode {
    const { root, files, writable } = this.#spec;
    if (!writable) throw new ShoalError('READ_ONLY', 'the content is open for reading only');
    const path = files[index]!.path;
    const [folder, name] = path.length === 0 ? this.#place(root) : [this.#folderFor(path), path.at(-1)!];
    const node = folder.entries.get(name);
    if (node?.kind === 'file') return node;
    if (node?.kind === 'symlink') throw unsafe(path);
    if (node) throw inTheWay(path.join('/'));
    const file = this.#disk.tree.newFile(this.#clock.wallMs());
    folder.entries.set(name, file);
    return file;
  }

  /** A root that is itself the file: its folder, made where it is not there, and its name. */
  #place(root: string): [FolderNode, string] {
    const at = root.lastIndexOf('/');
    const folder = this.#disk.tree.makeFolder(root.slice(0, Math.max(0, at)), this.#clock.wallMs());
    return [folder, root.slice(at + 1)];
  }

  /** Makes the folders of a path below the root, none of which may be a link. */
  #folderFor(path: readonly string[]): FolderNode {
    const nowMs = this.#clock.wallMs();
    let folder = this.#disk.tree.makeFolder(this.#spec.root, nowMs);
    for (const [i, name] of path.slice(0, -1).entries()) {
      let node = folder.entries.get(name);
      if (!node) {
        node = this.#disk.tree.newFolder(nowMs);
        folder.entries.set(name, node);
      }
      if (node.kind === 'symlink') throw unsafe(path.slice(0, i + 1));
      if (node.kind !== 'folder') throw inTheWay(path.slice(0, i + 1).join('/'));
      folder = node;
    }
    return folder;
  }

  /** Takes the space of the whole file at its first write. */
  #preallocate(file: FileNode, lengthBytes: number): void {
    const missing = lengthBytes - file.content.lengthBytes;
    if (missing <= 0) return;
    const ZEROS_BYTES = 1024 * 1024;
    for (let at = file.content.lengthBytes; at < lengthBytes; at += ZEROS_BYTES) {
      const zeros = new Uint8Array(Math.min(ZEROS_BYTES, lengthBytes - at));
      this.#disk.writeFile(file, at, zeros, this.#clock.wallMs());
    }
  }

  /** A relative link, so that the content can be moved. One that is there already and points there is good. */
  #link(path: readonly string[], target: readonly string[]): void {
    const folder = this.#folderFor(path);
    const name = path.at(-1)!;
    let shared = 0;
    while (shared < path.length - 1 && path[shared] === target[shared]) shared++;
    const up = new Array<string>(path.length - 1 - shared).fill('..');
    const text = [...up, ...target.slice(shared)].join('/') || '.';
    const there = folder.entries.get(name);
    if (there?.kind === 'symlink' && there.target === text) return;
    if (there) throw inTheWay(path.join('/'));
    folder.entries.set(name, this.#disk.tree.newLink(text, this.#clock.wallMs()));
  }
}

function unsafe(path: readonly string[]): ShoalError {
  return new ShoalError(
    'UNSAFE_PATH',
    `"${path.join('/')}" is a symbolic link: nothing is written through it, remove it`,
  );
}
