// Names of files as strangers wrote them -> paths that are safe to make on a disk, each one once.

import { fromUtf8, latin1, utf8 } from '../base/bytes.ts';
import { keyText } from '../bencode/key-text.ts';
import { MAX_NAME_BYTES, MAX_PATH_BYTES, metainfoInvalid } from './limits.ts';

/** UTF-8 where it is valid, else one character a byte: a name in an unknown charset is readable at least in part. */
export function looseText(bytes: Uint8Array): string {
  return looseTextAt(bytes, 0, bytes.length);
}

/** The same for `length` bytes from `start` on. */
export function looseTextAt(bytes: Uint8Array, start: number, length: number): string {
  const end = start + length;
  for (let i = start; i < end; i++) {
    if (bytes[i]! <= 0x7f) continue;
    const name = bytes.subarray(start, end);
    return fromUtf8(name) ?? latin1(name);
  }
  // Nearly all names; and the same few folders come again with every file, so that they share one text.
  return keyText(bytes, start, length);
}

/** The order of names by their bytes in UTF-8, told without making those: below zero, `a` comes first. */
export function compareNames(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return utf8Rank(x) - utf8Rank(y);
  }
  return a.length - b.length;
}

/** Halves of characters stand for those beyond all that fit into one unit. */
function utf8Rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

/** Separators, control characters and halves of characters: no file system takes them all, and terminals obey some. */
const UNSAFE = /[/\\\p{Cc}\p{Cs}]/gu;

/** Room that is left in a name for `.1` and the like, so that a shortened name is the same whatever the number. */
const SUFFIX_BYTES = 8;

/** Longest ending that is kept when a name is shortened: `.torrent`, `.jpeg`, not half a sentence. */
const MAX_ENDING_BYTES = 16;

/**
 * One component, made safe: never empty, `.` or `..`, no separator, no control character, at most 255 bytes of UTF-8.
 * All else stays: whoever seeds must find the names on disk that the torrent has.
 */
export function safeName(text: string): string {
  const name = isPlain(text) ? text : text.replace(UNSAFE, '_');
  if (name === '' || name === '.' || name === '..') return '_'.repeat(Math.max(1, name.length));
  return fits(name, MAX_NAME_BYTES) ? name : shortened(name, MAX_NAME_BYTES - SUFFIX_BYTES).join('');
}

/** Whether nothing in a text can be unsafe: told without the expression, which costs more than all else about a name. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === SLASH || code === BACKSLASH) return false;
  }
  return true;
}

const SLASH = 0x2f;
const BACKSLASH = 0x5c;

export interface UniqueOptions {
  /** True: `a` and `A` are two files. Only for disks that are known to tell them apart. */
  readonly caseSensitive: boolean;
}

/**
 * Renames what would share a place on disk: the same path twice, or a file where another path needs a folder. The first
 * of equals keeps its name, the next becomes `name.1.ext` and so on; folders always keep theirs. The result depends on
 * the paths and their order alone. Throws METAINFO_INVALID for a path too long for any disk.
 */
export function uniquePaths(paths: readonly (readonly string[])[], options: UniqueOptions): (readonly string[])[] {
  const root: Folder = { names: new Map() };
  const { caseSensitive } = options;
  const folders = foldersOf(paths, root, caseSensitive);
  let isCounted = false;
  return paths.map((path, i) => {
    checkLength(path);
    const folder = folders[i]!;
    const key = foldedName(path.at(-1)!, caseSensitive);
    if (folder.names.has(key)) return renamed(path, folder);
    folder.names.set(key, null);
    return path;
  });

  function renamed(path: readonly string[], folder: Folder): readonly string[] {
    if (!isCounted) for (const [i, each] of paths.entries()) want(folders[i]!, foldedName(each.at(-1)!, caseSensitive));
    isCounted = true;
    const [stem, ending] = shortened(path.at(-1)!, MAX_NAME_BYTES - SUFFIX_BYTES);
    const pattern = foldedName(`${stem}/${ending}`, caseSensitive);
    folder.numbers ??= new Map();
    for (let number = (folder.numbers.get(pattern) ?? 0) + 1; ; number++) {
      const name = `${stem}.${number}${ending}`;
      const key = foldedName(name, caseSensitive);
      if (folder.names.has(key) || folder.wanted!.has(key)) continue;
      folder.numbers.set(pattern, number);
      folder.names.set(key, null);
      return [...path.slice(0, -1), name];
    }
  }
}

/** A folder while paths are made unique; names are folded. One map each: a hostile torrent has millions of folders. */
interface Folder {
  /** The folders in it, and, with null, the names that files have got. */
  readonly names: Map<string, Folder | null>;
  /** Names that files came with; counted when the first of all must be renamed. */
  wanted?: Set<string>;
  /** The last number that a pattern was given. */
  numbers?: Map<string, number>;
}

function want(folder: Folder, name: string): void {
  folder.wanted ??= new Set();
  folder.wanted.add(name);
}

/** The folder of every path. */
function foldersOf(paths: readonly (readonly string[])[], root: Folder, caseSensitive: boolean): Folder[] {
  let latest: readonly string[] = [];
  let folder = root;
  return paths.map((path) => {
    // Files of one folder stand together.
    if (path.length === latest.length && isSameFolder(path, latest)) return folder;
    latest = path;
    folder = root;
    for (let level = 0; level < path.length - 1; level++) {
      folder = folderIn(folder, foldedName(path[level]!, caseSensitive));
    }
    return folder;
  });
}

function folderIn(folder: Folder, name: string): Folder {
  const known = folder.names.get(name);
  // Files get their names when all folders are known.
  if (known) return known;
  const made: Folder = { names: new Map() };
  folder.names.set(name, made);
  return made;
}

function isSameFolder(path: readonly string[], other: readonly string[]): boolean {
  for (let level = 0; level < path.length - 1; level++) if (path[level] !== other[level]) return false;
  return true;
}

/** Text that two names share where a disk may take them for one: Apple's also treats composed characters alike. */
function foldedName(name: string, caseSensitive: boolean): string {
  return caseSensitive || isFolded(name) ? name : name.normalize('NFC').toLowerCase();
}

/** Whether a name is ASCII without capitals. */
function isFolded(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code > 0x7e || (code >= 0x41 && code <= 0x5a)) return false;
  }
  return true;
}

/** A name as stem and ending (`.ext`, or nothing), together at most `maxBytes` of UTF-8. */
function shortened(name: string, maxBytes: number): [stem: string, ending: string] {
  const dot = name.lastIndexOf('.');
  const ending = dot > 0 && fits(name.slice(dot), MAX_ENDING_BYTES) ? name.slice(dot) : '';
  const stem = name.slice(0, name.length - ending.length);
  return [cut(stem, maxBytes - utf8(ending).length), ending];
}

/** The longest beginning of whole characters that fits. */
function cut(text: string, maxBytes: number): string {
  if (fits(text, maxBytes)) return text;
  const bytes = utf8(text);
  let end = maxBytes;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return fromUtf8(bytes.subarray(0, end))!;
}

function fits(text: string, maxBytes: number): boolean {
  return text.length * 3 <= maxBytes || utf8(text).length <= maxBytes;
}

function checkLength(path: readonly string[]): void {
  let units = 0;
  for (const part of path) units += part.length + 1;
  if (units * 3 <= MAX_PATH_BYTES) return;
  if (utf8(path.join('/')).length > MAX_PATH_BYTES) {
    throw metainfoInvalid(`a path is longer than ${MAX_PATH_BYTES} bytes`);
  }
}
