// The members of a v1 file list (BEP 3, 47), read straight from their bytes: a list of a hundred thousand files, decoded
// into dictionaries first, took longer than all else about a torrent.

import { utf8 } from '../base/bytes.ts';
import { BencodeScanner, D, E, I, L } from '../bencode/scanner.ts';
import { MAX_FILES, MAX_METAINFO_BYTES, MAX_METAINFO_ITEMS, MAX_PATH_DEPTH, metainfoInvalid } from './limits.ts';
import { flagsOf, type ListedFile, notAName, noValidLength, tooDeep } from './listed-file.ts';
import { looseTextAt } from './names.ts';

/** Where the values of a member begin that say something; 0 where it has none such: a list begins before them. */
interface Members {
  attr: number;
  length: number;
  path: number;
  pathUtf8: number;
  symlinkPath: number;
}

const MEMBERS: ReadonlyMap<string, keyof Members> = new Map([
  ['attr', 'attr'],
  ['length', 'length'],
  ['path', 'path'],
  ['path.utf-8', 'pathUtf8'],
  ['symlink path', 'symlinkPath'],
]);

/** Reads a list that was checked to be sound bencoding. Throws METAINFO_INVALID. */
export function readFileEntries(list: Uint8Array): readonly ListedFile[] {
  const scanner = new BencodeScanner(list, { maxBytes: MAX_METAINFO_BYTES, maxItems: MAX_METAINFO_ITEMS });
  const members: Members = { attr: 0, length: 0, path: 0, pathUtf8: 0, symlinkPath: 0 };
  const files: ListedFile[] = [];
  for (scanner.at = 1; list[scanner.at] !== E; ) {
    if (files.length === MAX_FILES) throw metainfoInvalid(`it has more than ${MAX_FILES} files`);
    if (list[scanner.at] !== D) throw metainfoInvalid('an entry of its file list is no dictionary');
    files.push(readPlainEntry(scanner) ?? readAnyEntry(scanner, members));
  }
  return files;
}

/** What nearly all entries begin with, and have between length and names. */
const PLAIN_BEGIN: Uint8Array = utf8('d6:lengthi');
const PLAIN_MIDDLE: Uint8Array = utf8('e4:pathl');
/** Of a length that is a safe integer for certain. */
const MAX_PLAIN_DIGITS = 15;

/** An entry of a length and a path and nothing else, passed over; null where it is another one, and `at` stays. */
function readPlainEntry(scanner: BencodeScanner): ListedFile | null {
  const { bytes, at: start } = scanner;
  const first = start + PLAIN_BEGIN.length;
  if (!hasAt(bytes, start, PLAIN_BEGIN)) return null;
  let at = first;
  let lengthBytes = 0;
  for (; isDigit(bytes[at]!); at++) lengthBytes = lengthBytes * 10 + bytes[at]! - ZERO;
  if (at - first > MAX_PLAIN_DIGITS || !hasAt(bytes, at, PLAIN_MIDDLE)) return null;
  scanner.at = at + PLAIN_MIDDLE.length;
  const path = readNames(scanner);
  if (path.length > 0 && bytes[scanner.at + 1] === E) {
    scanner.at += 2;
    return { path, lengthBytes, padding: false, executable: false, hidden: false, symlink: null, piecesRoot: null };
  }
  scanner.at = start;
  return null;
}

function hasAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

/** Any entry, passed over. */
function readAnyEntry(scanner: BencodeScanner, members: Members): ListedFile {
  findMembers(scanner, members);
  const end = scanner.at;
  const file = readEntry(scanner, members);
  scanner.at = end;
  return file;
}

/** Passes over one dictionary. */
function findMembers(scanner: BencodeScanner, into: Members): void {
  into.attr = into.length = into.path = into.pathUtf8 = into.symlinkPath = 0;
  scanner.at++;
  while (scanner.bytes[scanner.at] !== E) {
    const member = MEMBERS.get(scanner.key());
    if (member !== undefined) into[member] = scanner.at;
    scanner.skip(0);
  }
  scanner.at++;
}

/** The file that one dictionary describes, by where its members are. */
function readEntry(scanner: BencodeScanner, members: Members): ListedFile {
  const flags = members.attr === 0 ? '' : readFlags(scanner, members.attr);
  const target = flags.includes('l') ? readPath(scanner, members.symlinkPath) : null;
  const symlink = target !== null && target.length > 0 ? target : null;
  const padding = symlink === null && flags.includes('p');
  // A symlink takes no room, whatever its length says.
  const lengthBytes = symlink ? 0 : readLength(scanner, members.length);
  let path = readPath(scanner, members.pathUtf8) ?? [];
  if (path.length === 0) path = readPath(scanner, members.path) ?? [];
  // BEP 47: padding need not have a path.
  if (path.length === 0 && padding) path = ['.pad', String(lengthBytes)];
  if (path.length === 0) throw metainfoInvalid('a file has no path');
  const [executable, hidden] = [flags.includes('x'), flags.includes('h')];
  return { path, lengthBytes, padding, executable, hidden, symlink, piecesRoot: null };
}

function readFlags(scanner: BencodeScanner, at: number): string {
  if (!isDigit(scanner.bytes[at]!)) return '';
  scanner.at = at;
  const length = scanner.length();
  return flagsOf(scanner.bytes.subarray(scanner.at, scanner.at + length));
}

function readLength(scanner: BencodeScanner, at: number): number {
  if (at === 0 || scanner.bytes[at] !== I) throw noValidLength();
  scanner.at = at;
  const length = scanner.integer();
  if (typeof length !== 'number' || length < 0) throw noValidLength();
  return length;
}

/** A list of names; null where there is none. */
function readPath(scanner: BencodeScanner, at: number): readonly string[] | null {
  const { bytes } = scanner;
  if (at === 0 || bytes[at] !== L) return null;
  scanner.at = at + 1;
  return readNames(scanner);
}

/** The members of a list of names, up to its end. */
function readNames(scanner: BencodeScanner): readonly string[] {
  const { bytes } = scanner;
  const path: string[] = [];
  while (bytes[scanner.at] !== E) {
    if (path.length === MAX_PATH_DEPTH) throw tooDeep();
    if (!isDigit(bytes[scanner.at]!)) throw notAName();
    const length = scanner.length();
    path.push(looseTextAt(bytes, scanner.at, length));
    scanner.at += length;
  }
  return path;
}

const ZERO = 0x30;

/** A byte string begins with its length. */
function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9;
}
