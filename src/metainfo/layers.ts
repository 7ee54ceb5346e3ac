// Piece layers (BEP 52): the hashes of a file's pieces, and whether they belong to its pieces root.

import { equalBytes, toHex } from '../base/bytes.ts';
import { metainfoInvalid } from './limits.ts';
import { merkleRoot, NODE_BYTES, padHash, pieceLayerOf, powerOfTwoFrom, type Sha256 } from './merkle.ts';
import type { TorrentFile, TorrentInfo } from './types.ts';

/** Pieces of a file that begins at a piece. */
export function filePieceCount(file: TorrentFile, pieceLengthBytes: number): number {
  return Math.ceil(file.lengthBytes / pieceLengthBytes);
}

/** Whether a file has a piece layer: one piece is verified by the pieces root itself. */
export function hasLayer(file: TorrentFile, pieceLengthBytes: number): boolean {
  return file.piecesRoot !== null && file.lengthBytes > pieceLengthBytes;
}

/** The pieces root of a file whose piece layer is given: 32 bytes a piece, concatenated. */
export function rootOfLayer(layer: Uint8Array, pieceLengthBytes: number, sha256: Sha256): Uint8Array {
  const pad = padHash(pieceLayerOf(pieceLengthBytes), sha256);
  return merkleRoot(layer, powerOfTwoFrom(layer.length / NODE_BYTES), sha256, pad);
}

/** Whether `layer`, from a torrent file or a peer, is exactly the piece layer of `file`. */
export function isLayerOf(file: TorrentFile, pieceLengthBytes: number, layer: Uint8Array, sha256: Sha256): boolean {
  if (file.piecesRoot === null || layer.length !== filePieceCount(file, pieceLengthBytes) * NODE_BYTES) return false;
  return equalBytes(rootOfLayer(layer, pieceLengthBytes, sha256), file.piecesRoot);
}

/**
 * Picks from `offered` (by hex of the root) the piece layers that the files need, checked; what no file needs is dropped.
 * Throws METAINFO_INVALID for a wrong layer, and for a missing one where `required`.
 */
export function checkedLayers(
  info: TorrentInfo,
  offered: ReadonlyMap<string, Uint8Array>,
  sha256: Sha256,
  required: boolean,
): ReadonlyMap<string, Uint8Array> {
  const out = new Map<string, Uint8Array>();
  for (const file of info.files) {
    if (!hasLayer(file, info.pieceLengthBytes)) continue;
    const key = toHex(file.piecesRoot!);
    const known = out.get(key);
    // Files alike share a root and a layer; a file of another length cannot have the same.
    if (known?.length === filePieceCount(file, info.pieceLengthBytes) * NODE_BYTES) continue;
    const layer = offered.get(key);
    if (layer === undefined && !required) continue;
    if (layer === undefined) throw metainfoInvalid(`the piece layer of ${file.path.join('/')} is missing`);
    if (!isLayerOf(file, info.pieceLengthBytes, layer, sha256)) {
      throw metainfoInvalid(`the piece layer of ${file.path.join('/')} does not match its pieces root`);
    }
    out.set(key, layer);
  }
  return out;
}
