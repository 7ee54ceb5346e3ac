// The files of a v1 info dictionary (BEP 3, 47): `length` for one file, `files` for a folder.

import { asBytes, asDict, asInteger, asList, type BencodeDict } from '../bencode/decode.ts';
import { MAX_FILES, metainfoInvalid } from './limits.ts';
import { fileFacts, type ListedFile, listedFile, readPath } from './listed-file.ts';

export interface FileListing {
  readonly singleFile: boolean;
  readonly files: readonly ListedFile[];
}

/** Reads the v1 file list of `info`. `name` is the torrent's, as written. Throws METAINFO_INVALID. */
export function readFilesV1(info: BencodeDict, name: string): FileListing {
  const list = asList(info.get('files'));
  if (list === null) {
    if (asInteger(info.get('length'), 0) === null) throw metainfoInvalid('it lists no files and has no valid length');
    // A file that is all there is can be neither padding nor a symlink to another.
    const facts = { ...fileFacts(info), padding: false, symlink: null };
    const lengthBytes = asInteger(info.get('length'), 0)!;
    return { singleFile: true, files: [{ ...facts, lengthBytes, path: [name], piecesRoot: null }] };
  }
  if (list.length > MAX_FILES) throw metainfoInvalid(`it has more than ${MAX_FILES} files`);
  return { singleFile: false, files: list.map((entry) => readEntry(asDict(entry))) };
}

function readEntry(entry: BencodeDict | null): ListedFile {
  if (entry === null) throw metainfoInvalid('an entry of its file list is no dictionary');
  const facts = fileFacts(entry);
  let path = readPath(entry, 'path.utf-8') ?? [];
  if (path.length === 0) path = readPath(entry, 'path') ?? [];
  // BEP 47: padding need not have a path.
  if (path.length === 0 && facts.padding) path = ['.pad', String(facts.lengthBytes)];
  if (path.length === 0) throw metainfoInvalid('a file has no path');
  return listedFile(facts, path, null);
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
