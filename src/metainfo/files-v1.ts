// The files of a v1 info dictionary (BEP 3, 47): `length` for one file, `files` for a folder.

import { asBytes, asInteger, type BencodeDict } from '../bencode/decode.ts';
import { BencodeRaw } from '../bencode/dict.ts';
import { L } from '../bencode/scanner.ts';
import { readFileEntries } from './file-entries.ts';
import { metainfoInvalid } from './limits.ts';
import { fileFacts, type ListedFile } from './listed-file.ts';

export interface FileListing {
  readonly singleFile: boolean;
  readonly files: readonly ListedFile[];
}

/** Reads the v1 file list of `info`, decoded with that list left raw. `name` is the torrent's. Throws METAINFO_INVALID. */
export function readFilesV1(info: BencodeDict, name: string): FileListing {
  const list = info.get('files');
  if (list instanceof BencodeRaw && list.bytes[0] === L) {
    return { singleFile: false, files: readFileEntries(list.bytes) };
  }
  if (asInteger(info.get('length'), 0) === null) throw metainfoInvalid('it lists no files and has no valid length');
  // A file that is all there is can be neither padding nor a symlink to another.
  const facts = { ...fileFacts(info), padding: false, symlink: null };
  const lengthBytes = asInteger(info.get('length'), 0)!;
  return { singleFile: true, files: [{ ...facts, lengthBytes, path: [name], piecesRoot: null }] };
}

/** SHA-1 of every piece, concatenated; a view. */
export function readPieceHashes(info: BencodeDict, pieceCount: number): Uint8Array {
  const hashes = asBytes(info.get('pieces'));
  if (hashes === null) throw metainfoInvalid('its piece hashes are missing');
  if (hashes.length !== 20 * pieceCount) {
    throw metainfoInvalid(
      `it has ${hashes.length} bytes of piece hashes where ${pieceCount} pieces need ${20 * pieceCount}`,
    );
  }
  return hashes;
}
