// Bytes of an info dictionary -> TorrentInfo, checked (BEP 3, 27, 38, 47, 52).

import { equalBytes } from '../base/bytes.ts';
import { describeError, isShoalError } from '../base/errors.ts';
import {
  asBytes,
  asDict,
  asInteger,
  asList,
  type BencodeDict,
  type BencodeValue,
  type DecodeOptions,
  decode,
} from '../bencode/decode.ts';
import type { Hashes } from '../ports/hashes.ts';
import { readFileTree } from './file-tree.ts';
import { type FileListing, readFilesV1, readPieceHashes } from './files-v1.ts';
import { BLOCK_BYTES } from './geometry.ts';
import {
  MAX_FILES,
  MAX_HINTS,
  MAX_METAINFO_BYTES,
  MAX_METAINFO_ITEMS,
  MAX_PIECE_BYTES,
  MAX_PIECES,
  metainfoInvalid,
} from './limits.ts';
import { type ListedFile, listedFile } from './listed-file.ts';
import { looseText, safeName, uniquePaths } from './names.ts';
import { safeTarget } from './symlink.ts';
import type { TorrentFile, TorrentInfo } from './types.ts';

export interface InfoOptions {
  /**
   * True: files whose names differ in case alone keep their names. Only for content on a disk that tells them apart.
   * Default: false, the later one is renamed.
   */
  readonly caseSensitive?: boolean;
}

/**
 * Reads an info dictionary: out of a torrent file or from peers (BEP 9). Whether it is the one that was wanted, the
 * caller sees by the info hashes. `bytes` is kept, not copied. Throws METAINFO_INVALID, nothing else.
 */
export function parseInfo(bytes: Uint8Array, hashes: Hashes, options: InfoOptions = {}): TorrentInfo {
  const dict = asDict(decodeMetainfo(bytes, 'the info dictionary', { leaveRaw: ['files'] }));
  if (dict === null) throw metainfoInvalid('its info is no dictionary');
  return readInfo(dict, bytes, hashes, options);
}

/** Decodes with this folder's limits, and with its error. */
export function decodeMetainfo(bytes: Uint8Array, what: string, options: DecodeOptions = {}): BencodeValue {
  try {
    return decode(bytes, { ...options, maxBytes: MAX_METAINFO_BYTES, maxItems: MAX_METAINFO_ITEMS });
  } catch (error) {
    if (!isShoalError(error, 'BENCODE_INVALID')) throw error;
    throw metainfoInvalid(`${what} cannot be read, ${describeError(error)}`, error);
  }
}

/** As {@link parseInfo}, for a dictionary that is decoded already; `bytes` are exactly its own. */
export function readInfo(dict: BencodeDict, bytes: Uint8Array, hashes: Hashes, options: InfoOptions): TorrentInfo {
  const { hasV1, hasV2 } = versions(dict);
  const name = readName(dict);
  const pieceLengthBytes = readPieceLength(dict, hasV2);
  const v1 = hasV1 ? readFilesV1(dict, name) : null;
  const v2 = hasV2 ? readFileTree(dict, name) : null;
  const listing = v1 && v2 ? mergeHybrid(v1, v2, pieceLengthBytes) : (v1 ?? v2)!;
  const { files, spaceBytes, lengthBytes } = placeFiles(listing, pieceLengthBytes, hasV1, name, options);
  const pieceCount = Math.ceil(spaceBytes / pieceLengthBytes);
  if (pieceCount > MAX_PIECES) throw metainfoInvalid(`it has more than ${MAX_PIECES} pieces`);
  return {
    bytes,
    hasV1,
    hasV2,
    infoHashV1: hasV1 ? hashes.sha1(bytes) : null,
    infoHashV2: hasV2 ? hashes.sha256(bytes) : null,
    name: safeName(name),
    singleFile: listing.singleFile,
    files,
    pieceLengthBytes,
    pieceCount,
    spaceBytes,
    lengthBytes,
    pieceHashes: hasV1 ? readPieceHashes(dict, pieceCount) : null,
    private: (asInteger(dict.get('private')) ?? 0) !== 0,
    source: looseTextOf(dict.get('source')),
    similar: readSimilar(dict),
    collections: readCollections(dict),
  };
}

/** BEP 52: the version is looked at first, so that a torrent of the future is called that and not broken. */
function versions(dict: BencodeDict): { hasV1: boolean; hasV2: boolean } {
  const version = dict.get('meta version');
  if (version !== undefined && version !== 1 && version !== 2) {
    throw metainfoInvalid('it is of a newer format (meta version) than 2');
  }
  const hasV1 = dict.has('pieces');
  const hasV2 = version === 2;
  if (!hasV1 && !hasV2) throw metainfoInvalid('its info dictionary has neither piece hashes (v1) nor meta version 2');
  return { hasV1, hasV2 };
}

function readName(dict: BencodeDict): string {
  const name = asBytes(dict.get('name.utf-8')) ?? asBytes(dict.get('name'));
  if (name === null) throw metainfoInvalid('it has no name');
  return looseText(name);
}

function readPieceLength(dict: BencodeDict, hasV2: boolean): number {
  const length = asInteger(dict.get('piece length'), 1);
  if (length === null) throw metainfoInvalid('it has no valid piece length');
  if (length > MAX_PIECE_BYTES) throw metainfoInvalid(`its pieces are longer than ${MAX_PIECE_BYTES} bytes`);
  if (hasV2 && (length < BLOCK_BYTES || (length & (length - 1)) !== 0)) {
    throw metainfoInvalid('its piece length is no power of two from 16 KiB up, as v2 asks');
  }
  return length;
}

/** The v1 list, with the roots of the v2 tree: both must say the same (BEP 52, Upgrade Path). */
function mergeHybrid(v1: FileListing, v2: FileListing, pieceLengthBytes: number): FileListing {
  const files: ListedFile[] = [];
  let offset = 0;
  let at = 0;
  for (const file of v1.files) {
    const twin = file.padding ? null : v2.files[at++];
    if (twin === undefined || (twin && !sameFile(file, twin))) {
      throw metainfoInvalid('its v1 and v2 parts list different files');
    }
    if (twin && file.lengthBytes > 0 && offset % pieceLengthBytes !== 0) {
      throw metainfoInvalid('it is hybrid, but its v1 part does not begin every file at a piece');
    }
    files.push(listedFile(file, file.path, twin?.piecesRoot ?? null));
    offset += file.lengthBytes;
  }
  if (at !== v2.files.length) {
    throw metainfoInvalid('its v1 and v2 parts list different files');
  }
  return { singleFile: v1.singleFile, files };
}

function sameFile(a: ListedFile, b: ListedFile): boolean {
  return a.lengthBytes === b.lengthBytes && samePath(a.path, b.path) && samePath(a.symlink ?? [], b.symlink ?? []);
}

function samePath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((part, i) => part === b[i]);
}

interface PlacedFiles {
  readonly files: readonly TorrentFile[];
  readonly spaceBytes: number;
  readonly lengthBytes: number;
}

/** Gives every file its safe path and its place in the piece space. Without v1 each begins at a piece. */
function placeFiles(
  listing: FileListing,
  pieceLengthBytes: number,
  hasV1: boolean,
  name: string,
  options: InfoOptions,
): PlacedFiles {
  if (listing.files.length > MAX_FILES) throw metainfoInvalid(`it has more than ${MAX_FILES} files`);
  const paths = safePaths(listing, name, options);
  const files: TorrentFile[] = [];
  let offset = 0;
  let end = 0;
  let lengthBytes = 0;
  for (let i = 0; i < listing.files.length; i++) {
    const file = listing.files[i]!;
    const path = paths[i]!;
    const symlink = file.symlink ? safeTarget(file.symlink, file.path) : null;
    // An empty file is nowhere: at the end of what is before it, so that none lies behind the piece space.
    files.push(placed(file, path, symlink, file.lengthBytes === 0 ? end : offset));
    if (file.lengthBytes === 0) continue;
    end = offset + file.lengthBytes;
    if (!Number.isSafeInteger(end)) throw metainfoInvalid('its files together are longer than 2^53 bytes');
    offset = hasV1 ? end : Math.ceil(end / pieceLengthBytes) * pieceLengthBytes;
    if (!file.padding) lengthBytes += file.lengthBytes;
  }
  if (lengthBytes === 0) throw metainfoInvalid('it has no content: all its files are empty');
  return { files, spaceBytes: end, lengthBytes };
}

function placed(
  file: ListedFile,
  path: readonly string[],
  symlink: readonly string[] | null,
  offsetBytes: number,
): TorrentFile {
  const { lengthBytes, padding, executable, hidden, piecesRoot } = file;
  return { path, lengthBytes, offsetBytes, padding, executable, hidden, symlink, piecesRoot };
}

/** Safe paths by file; padding, which is on no disk, does not count among the unique ones. */
function safePaths(listing: FileListing, name: string, options: InfoOptions): (readonly string[])[] {
  if (listing.singleFile) return [[safeName(name)]];
  const safe = listing.files.map((file) => safePath(file.path));
  const { caseSensitive = false } = options;
  if (!listing.files.some((file) => file.padding)) return uniquePaths(safe, { caseSensitive });
  const real = safe.filter((_, i) => !listing.files[i]!.padding);
  const unique = uniquePaths(real, { caseSensitive });
  let at = 0;
  return safe.map((path, i) => (listing.files[i]!.padding ? path : unique[at++]!));
}

/** The same array where nothing had to be changed, as nearly always. */
function safePath(path: readonly string[]): readonly string[] {
  for (let level = 0; level < path.length; level++) {
    if (safeName(path[level]!) !== path[level]) return path.map(safeName);
  }
  return path;
}

/** BEP 38: info hashes of torrents that may share files; in the info dictionary or outside it. */
export function readSimilar(dict: BencodeDict): readonly Uint8Array[] {
  const out: Uint8Array[] = [];
  for (const value of (asList(dict.get('similar')) ?? []).slice(0, MAX_HINTS)) {
    const hash = asBytes(value);
    if (hash === null || (hash.length !== 20 && hash.length !== 32)) continue;
    if (!out.some((known) => equalBytes(known, hash))) out.push(hash);
  }
  return out;
}

/** BEP 38: names of collections; in the info dictionary or outside it. */
export function readCollections(dict: BencodeDict): readonly string[] {
  const names = (asList(dict.get('collections')) ?? []).slice(0, MAX_HINTS).map(looseTextOf);
  return [...new Set(names.filter((name) => name !== null))];
}

/** The text of a byte string of any charset; null where there is none. */
export function looseTextOf(value: BencodeValue | undefined): string | null {
  const bytes = asBytes(value);
  return bytes === null ? null : looseText(bytes);
}
