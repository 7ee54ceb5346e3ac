// The hashes in a torrent file, as text to compare, and those that a content must give, counted by Node's crypto without any of Shoal.

import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import { parseMetainfo } from '../../src/metainfo/parse.ts';
import { nodeHashes } from '../../src/platform/node/hashes.ts';

/** Of a v2 tree. */
const LEAF_BYTES = 16_384;

/** Of a folder only the list of files: programs put v1's files into one order or another. */
export function hashesOf(file: Uint8Array): Record<string, string> {
  const { info } = parseMetainfo(file, nodeHashes);
  if (!info.singleFile)
    return { 'file list': listHash(info.files.map((one) => [one.path.join('/'), one.lengthBytes])) };
  const out: Record<string, string> = {};
  if (info.pieceHashes !== null) out['v1 hash'] = toHex(nodeHashes.sha1(info.pieceHashes));
  const root = info.files[0]?.piecesRoot;
  if (root) out['v2 hash'] = toHex(root);
  return out;
}

/** Of every kind that {@link hashesOf} may give. `pieceBytes`: a multiple of 16 KiB. */
export function expectedHashes(content: string, pieceBytes: number): Readonly<Record<string, string>> {
  if (statSync(content).isDirectory()) {
    const entries = readdirSync(content, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = entries.map((entry) => join(entry.parentPath, entry.name));
    return { 'file list': listHash(paths.map((path) => [relative(content, path), statSync(path).size])) };
  }
  const pieceHashes = createHash('sha1');
  const leaves: Buffer[] = [];
  const file = openSync(content, 'r');
  const piece = Buffer.allocUnsafe(pieceBytes);
  for (;;) {
    const length = readSync(file, piece, 0, pieceBytes, null);
    if (length === 0) break;
    pieceHashes.update(createHash('sha1').update(piece.subarray(0, length)).digest());
    for (let at = 0; at < length; at += LEAF_BYTES)
      leaves.push(sha256(piece.subarray(at, Math.min(length, at + LEAF_BYTES))));
  }
  closeSync(file);
  return { 'v1 hash': pieceHashes.digest('hex'), 'v2 hash': rootOf(leaves).toString('hex') };
}

/** BEP 52: a binary tree whose missing leaves are zero. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  let level = leaves;
  for (let missing: Buffer = Buffer.alloc(32); level.length > 1; missing = sha256(missing, missing)) {
    const above: Buffer[] = [];
    for (let i = 0; i < level.length; i += 2) above.push(sha256(level[i]!, level[i + 1] ?? missing));
    level = above;
  }
  return level[0] ?? Buffer.alloc(32);
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function listHash(files: readonly (readonly [string, number])[]): string {
  const lines = files.map(([path, lengthBytes]) => `${path} ${lengthBytes}`).sort();
  return toHex(nodeHashes.sha1(utf8(lines.join('\n'))));
}
