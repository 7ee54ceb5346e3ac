// The names on a simulated disk: folders, files and symlinks, and how a path leads to them.

import { ShoalError } from '../../base/errors.ts';
import { SparseBytes } from './sparse.ts';

export interface FileNode {
  readonly kind: 'file';
  readonly inode: number;
  content: SparseBytes;
  mtimeMs: number;
  executable: boolean;
}

export interface FolderNode {
  readonly kind: 'folder';
  readonly inode: number;
  readonly entries: Map<string, TreeNode>;
  readonly mtimeMs: number;
}

export interface LinkNode {
  readonly kind: 'symlink';
  readonly inode: number;
  readonly target: string;
  readonly mtimeMs: number;
}

export type TreeNode = FileNode | FolderNode | LinkNode;

/** Where a path leads. `node` is null where there is nothing under that name in `folder`. */
export interface Place {
  /** Null for the root. */
  readonly folder: FolderNode | null;
  readonly name: string;
  readonly node: TreeNode | null;
  /** Components without links. */
  readonly real: readonly string[];
}

/** As many links as Linux follows before it says that they form a loop. */
const MAX_LINKS = 40;

export class Tree {
  readonly root: FolderNode;
  #inodes = 1;

  constructor() {
    this.root = { kind: 'folder', inode: 1, entries: new Map(), mtimeMs: 0 };
  }

  newFile(mtimeMs: number): FileNode {
    return { kind: 'file', inode: ++this.#inodes, content: new SparseBytes(), mtimeMs, executable: false };
  }

  newFolder(mtimeMs: number): FolderNode {
    return { kind: 'folder', inode: ++this.#inodes, entries: new Map(), mtimeMs };
  }

  newLink(target: string, mtimeMs: number): LinkNode {
    return { kind: 'symlink', inode: ++this.#inodes, target, mtimeMs };
  }

  /**
   * Follows `path` from the root. Null where a folder on the way is missing. Throws FILE_IN_THE_WAY where a file is in
   * the place of a folder, UNSAFE_PATH where links form a loop. `follow`: what the last component links to.
   */
  find(path: string, follow = true): Place | null {
    const pending = components(path);
    const trail: { name: string; folder: FolderNode }[] = [];
    let links = 0;
    while (pending.length > 0) {
      const name = pending.shift()!;
      if (name === '..') {
        trail.pop();
        continue;
      }
      const folder = trail.at(-1)?.folder ?? this.root;
      const node = folder.entries.get(name) ?? null;
      if (node?.kind === 'symlink' && (follow || pending.length > 0)) {
        if (++links > MAX_LINKS) throw new ShoalError('UNSAFE_PATH', `the symbolic links in "${path}" form a loop`);
        if (node.target.startsWith('/')) trail.length = 0;
        pending.unshift(...components(node.target));
        continue;
      }
      if (pending.length === 0) return { folder, name, node, real: [...trail.map((step) => step.name), name] };
      if (node === null) return null;
      if (node.kind !== 'folder') throw inTheWay(path);
      trail.push({ name, folder: node });
    }
    const last = trail.at(-1);
    const above = trail.at(-2)?.folder ?? this.root;
    const real = trail.map((step) => step.name);
    return { folder: last ? above : null, name: last?.name ?? '', node: last?.folder ?? this.root, real };
  }

  /** Makes the folder and those above it. FILE_IN_THE_WAY. */
  makeFolder(path: string, mtimeMs: number): FolderNode {
    let at = '';
    for (const component of components(path)) {
      at += `/${component}`;
      const place = this.find(at);
      if (place === null || (place.node !== null && place.node.kind !== 'folder')) throw inTheWay(at);
      if (place.node === null) place.folder!.entries.set(place.name, this.newFolder(mtimeMs));
    }
    return this.find(path)!.node as FolderNode;
  }

  /** All files, each once. */
  *files(from: FolderNode = this.root): Generator<FileNode> {
    for (const node of from.entries.values()) {
      if (node.kind === 'file') yield node;
      else if (node.kind === 'folder') yield* this.files(node);
    }
  }
}

/** Paths are absolute; relative ones begin at the root, the working directory of simulated programs. */
export function components(path: string): string[] {
  return path.split('/').filter((component) => component !== '' && component !== '.');
}

export function inTheWay(path: string): ShoalError {
  return new ShoalError('FILE_IN_THE_WAY', `something else is in the way at "${path}": move it away`);
}
