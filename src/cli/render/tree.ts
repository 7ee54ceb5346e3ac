// The files of a torrent as a tree with sizes.

import colors from 'picocolors';
import { printable } from './printable.ts';
import { formatBytes } from './quantities.ts';

export interface TreeFile {
  readonly path: readonly string[];
  readonly lengthBytes: number;
  /** What is said after the size: `executable`, `-> target`. */
  readonly note: string;
}

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly files: TreeFile[];
}

/** Lines of the tree below `root`; after `maxLines` one line says how many more there are. */
export function renderTree(root: string, files: readonly TreeFile[], maxLines: number): string[] {
  const top = makeFolder();
  for (const file of files) place(top, file);
  const lines: string[] = [colors.bold(printable(root))];
  const hidden = { files: 0 };
  walk(top, '', lines, maxLines, hidden);
  if (hidden.files > 0) lines.push(`… and ${hidden.files} more (--all shows every file)`);
  return lines;
}

function makeFolder(): Folder {
  return { folders: new Map(), files: [] };
}

function place(top: Folder, file: TreeFile): void {
  let folder = top;
  for (const name of file.path.slice(0, -1)) {
    let next = folder.folders.get(name);
    if (!next) {
      next = makeFolder();
      folder.folders.set(name, next);
    }
    folder = next;
  }
  folder.files.push(file);
}

function walk(folder: Folder, indent: string, lines: string[], maxLines: number, hidden: { files: number }): void {
  const entries = folder.folders.size + folder.files.length;
  let at = 0;
  const branch = (): string => (++at === entries ? '└─ ' : '├─ ');
  for (const [name, inner] of folder.folders) {
    const mark = branch();
    if (lines.length < maxLines) lines.push(`${indent}${mark}${colors.bold(`${printable(name)}/`)}`);
    walk(inner, `${indent}${at === entries ? '   ' : '│  '}`, lines, maxLines, hidden);
  }
  for (const file of folder.files) {
    const mark = branch();
    if (lines.length >= maxLines) {
      hidden.files++;
      continue;
    }
    const note = file.note === '' ? '' : `  ${printable(file.note)}`;
    const name = printable(file.path[file.path.length - 1]!);
    lines.push(`${indent}${mark}${name}  ${colors.dim(formatBytes(file.lengthBytes) + note)}`);
  }
}
