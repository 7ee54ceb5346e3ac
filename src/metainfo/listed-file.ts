// One file as the info dictionary lists it, before names are made safe: what the v1 list and the v2 tree have in common.

import { latin1 } from '../base/bytes.ts';
import type { ShoalError } from '../base/errors.ts';
import { asBytes, asInteger, asList, type BencodeDict } from '../bencode/decode.ts';
import { MAX_PATH_DEPTH, metainfoInvalid } from './limits.ts';
import { looseText } from './names.ts';

export interface ListedFile {
  /** As written, decoded, not safe. Below the torrent's folder; a single-file torrent: just the name. */
  readonly path: readonly string[];
  readonly lengthBytes: number;
  readonly padding: boolean;
  readonly executable: boolean;
  readonly hidden: boolean;
  /** As written, not safe. */
  readonly symlink: readonly string[] | null;
  readonly piecesRoot: Uint8Array | null;
}

/** What a dictionary says of the file that it describes: its length, and what BEP 47 adds. */
export type FileFacts = Omit<ListedFile, 'path' | 'piecesRoot'>;

export function fileFacts(dict: BencodeDict): FileFacts {
  const attr = asBytes(dict.get('attr'));
  const flags = attr ? flagsOf(attr) : '';
  const target = flags.includes('l') ? readPath(dict, 'symlink path') : null;
  const symlink = target !== null && target.length > 0 ? target : null;
  const padding = symlink === null && flags.includes('p');
  // A symlink takes no room, whatever its length says.
  const lengthBytes = symlink ? 0 : asInteger(dict.get('length'), 0);
  if (lengthBytes === null) throw noValidLength();
  return { lengthBytes, padding, executable: flags.includes('x'), hidden: flags.includes('h'), symlink };
}

/** A file of these facts. Written out: with a hundred thousand files, spreading costs more than reading them. */
export function listedFile(facts: FileFacts, path: readonly string[], piecesRoot: Uint8Array | null): ListedFile {
  const { lengthBytes, padding, executable, hidden, symlink } = facts;
  return { path, lengthBytes, padding, executable, hidden, symlink, piecesRoot };
}

/** BEP 47: one letter a flag. */
export function flagsOf(attr: Uint8Array): string {
  return latin1(attr.subarray(0, MAX_FLAGS));
}

/** Four flags are known; more room than that is for those to come. */
const MAX_FLAGS = 32;

/** A list of names; null where there is none. Throws METAINFO_INVALID for one that is too deep or holds other things. */
export function readPath(dict: BencodeDict, key: string): readonly string[] | null {
  const list = asList(dict.get(key));
  if (list === null) return null;
  if (list.length > MAX_PATH_DEPTH) throw tooDeep();
  return list.map((part) => {
    const bytes = asBytes(part);
    if (bytes === null) throw notAName();
    return looseText(bytes);
  });
}

export function noValidLength(): ShoalError {
  return metainfoInvalid('a file has no valid length');
}

export function tooDeep(): ShoalError {
  return metainfoInvalid(`a path is deeper than ${MAX_PATH_DEPTH} folders`);
}

export function notAName(): ShoalError {
  return metainfoInvalid('a path holds something that is no name');
}
