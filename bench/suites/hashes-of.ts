// The hashes in a torrent file, as text to compare: they depend on the content alone.

import { toHex } from '../../src/base/bytes.ts';
import { parseMetainfo } from '../../src/metainfo/parse.ts';
import { nodeHashes } from '../../src/platform/node/hashes.ts';

export function hashesOf(file: Uint8Array): Record<string, string> {
  const { info } = parseMetainfo(file, nodeHashes);
  const out: Record<string, string> = {};
  if (info.pieceHashes !== null) out.v1 = toHex(nodeHashes.sha1(info.pieceHashes));
  const roots = info.files.flatMap(({ piecesRoot }) => (piecesRoot === null ? [] : [toHex(piecesRoot)]));
  if (info.hasV2) out.v2 = roots.join(' ');
  return out;
}
