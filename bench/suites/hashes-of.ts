// The hashes in a torrent file, as text to compare: they depend on the content alone.

import { toHex, utf8 } from '../../src/base/bytes.ts';
import { parseMetainfo } from '../../src/metainfo/parse.ts';
import { nodeHashes } from '../../src/platform/node/hashes.ts';

/** Of a folder only the list of files: programs put v1's files into one order or another. */
export function hashesOf(file: Uint8Array): Record<string, string> {
  const { info } = parseMetainfo(file, nodeHashes);
  if (!info.singleFile) {
    const files = info.files.map(({ path, lengthBytes }) => `${path.join('/')} ${lengthBytes}`).sort();
    return { 'file list': toHex(nodeHashes.sha1(utf8(files.join('\n')))) };
  }
  const out: Record<string, string> = {};
  if (info.pieceHashes !== null) out.v1 = toHex(nodeHashes.sha1(info.pieceHashes));
  const root = info.files[0]?.piecesRoot;
  if (root) out.v2 = toHex(root);
  return out;
}
