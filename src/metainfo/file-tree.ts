// The file tree of a v2 info dictionary (BEP 52): folders map names to trees, a file is the entry with the empty name.

import { fromLatin1 } from '../base/bytes.ts';
import { asBytes, asDict, type BencodeDict } from '../bencode/decode.ts';
import type { FileListing } from './files-v1.ts';
import { MAX_FILES, MAX_PATH_DEPTH, metainfoInvalid } from './limits.ts';
import { fileFacts, type ListedFile, listedFile } from './listed-file.ts';
import { looseText } from './names.ts';

/** Reads the tree of `info`, files in its order. `name` is the torrent's, as written. Throws METAINFO_INVALID. */
export function readFileTree(info: BencodeDict, name: string): FileListing {
  const tree = asDict(info.get('file tree'));
  if (tree === null) throw metainfoInvalid('its file tree is missing');
  if (tree.has('')) throw metainfoInvalid('the root of its file tree is a file');
  const files: ListedFile[] = [];
  readFolder(tree, [], files);
  const only = files.length === 1 ? files[0]! : null;
  return { singleFile: only?.path.length === 1 && only.path[0] === name, files };
}

/** Recursive, as deep as a path may be. */
function readFolder(folder: BencodeDict, path: readonly string[], out: ListedFile[]): void {
  if (path.length >= MAX_PATH_DEPTH) throw metainfoInvalid(`a path is deeper than ${MAX_PATH_DEPTH} folders`);
  let previous: string | null = null;
  for (const [key, value] of folder) {
    // The order of files is the order of pieces: clients that sort and clients that do not must agree on it.
    if (previous !== null && key < previous) throw metainfoInvalid('its file tree is not sorted');
    previous = key;
    const entry = asDict(value);
    if (entry === null) throw metainfoInvalid('an entry of its file tree is no dictionary');
    const below = [...path, looseText(fromLatin1(key))];
    const file = entry.get('');
    if (file === undefined) readFolder(entry, below, out);
    else if (entry.size > 1) throw metainfoInvalid('an entry of its file tree is both a file and a folder');
    else out.push(readFile(asDict(file), below));
    if (out.length > MAX_FILES) throw metainfoInvalid(`it has more than ${MAX_FILES} files`);
  }
}

function readFile(dict: BencodeDict | null, path: readonly string[]): ListedFile {
  if (dict === null) throw metainfoInvalid('a file of its file tree is no dictionary');
  const facts = fileFacts(dict);
  // Files begin at pieces by themselves: there is no padding in a tree, and a file that claims to be some has content.
  const content = facts.padding ? { ...facts, padding: false } : facts;
  if (facts.lengthBytes === 0) return listedFile(content, path, null);
  const piecesRoot = asBytes(dict.get('pieces root'));
  if (piecesRoot?.length !== 32) throw metainfoInvalid('a file of its file tree has no pieces root of 32 bytes');
  return listedFile(content, path, piecesRoot);
}
