// Names of files as strangers wrote them -> paths that are safe to make on a disk, each one once.

import { fromUtf8, latin1, utf8 } from '../base/bytes.ts';
import { keyText } from '../bencode/key-text.ts';
import { MAX_NAME_BYTES, MAX_PATH_BYTES, metainfoInvalid } from './limits.ts';

/** UTF-8 where it is valid, else one character a byte: a name in an unknown charset is readable at least in part. */
export function looseText(bytes: Uint8Array): string {
  // Nearly all names; and the same few folders come again with every file, so that they share one text.
  if (isAscii(bytes)) return keyText(bytes, 0, bytes.length);
  return fromUtf8(bytes) ?? latin1(bytes);
}

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 0x7f) return false;
  return true;
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
  const keyOf = (path: readonly string[]): string => foldedKey(path, options.caseSensitive);
  const keys = paths.map(keyOf);
  let wanted: ReadonlySet<string> | undefined;
  const folders = foldersOf(keys);
  const taken = new Set<string>();
  const numbers = new Map<string, number>();
  return paths.map((path, i) => {
    checkLength(path);
    const key = keys[i]!;
    if (taken.has(key) || folders.has(key)) return renamed(path);
    taken.add(key);
    return path;
  });

  function renamed(path: readonly string[]): readonly string[] {
    const [stem, ending] = shortened(path.at(-1)!, MAX_NAME_BYTES - SUFFIX_BYTES);
    wanted ??= new Set(keys);
    const pattern = keyOf([...path.slice(0, -1), `${stem}/${ending}`]);
    for (let number = (numbers.get(pattern) ?? 0) + 1; ; number++) {
      const candidate = [...path.slice(0, -1), `${stem}.${number}${ending}`];
      const key = keyOf(candidate);
      if (taken.has(key) || folders.has(key) || wanted.has(key)) continue;
      numbers.set(pattern, number);
      taken.add(key);
      return candidate;
    }
  }
}

/** Every folder that the paths need. */
function foldersOf(paths: readonly string[]): ReadonlySet<string> {
  const out = new Set<string>();
  let latest = '';
  for (const path of paths) {
    const end = path.lastIndexOf('/');
    // Files of one folder stand together.
    if (end === latest.length && path.startsWith(latest)) continue;
    for (let at = end; at > 0; at = path.lastIndexOf('/', at - 1)) {
      const folder = path.slice(0, at);
      if (at === end) latest = folder;
      if (out.has(folder)) break;
      out.add(folder);
    }
  }
  return out;
}

/** Text that two paths share where a disk may take them for one: Apple's also treats composed characters alike. */
function foldedKey(path: readonly string[], caseSensitive: boolean): string {
  const joined = path.join('/');
  return caseSensitive ? joined : joined.normalize('NFC').toLowerCase();
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
