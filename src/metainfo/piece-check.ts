// What each piece must hash to, in the form that PieceIo takes (BEP 3, 52).

import { toHex } from '../base/bytes.ts';
import type { PieceCheck } from '../ports/piece-io.ts';
import { BLOCK_BYTES } from './geometry.ts';
import { hasLayer, isLayerOf } from './layers.ts';
import { leafCountFor, NODE_BYTES, type Sha256 } from './merkle.ts';
import type { TorrentInfo } from './types.ts';

/** A v2 file in the piece space. */
interface TreeFile {
  readonly index: number;
  readonly firstPiece: number;
  readonly lengthBytes: number;
  readonly root: Uint8Array;
  readonly hasLayer: boolean;
  layer: Uint8Array | null;
}

/** The checks of one torrent. Made once; piece layers that were not known then may be added. */
export class PieceChecks {
  readonly #info: TorrentInfo;
  readonly #sha256: Sha256;
  /** Files with a tree, by their first piece; empty without v2. */
  readonly #files: readonly TreeFile[];
  readonly #byIndex: ReadonlyMap<number, TreeFile>;

  /** `layers` as in Metainfo, by hex of the root: checked before. */
  constructor(info: TorrentInfo, layers: ReadonlyMap<string, Uint8Array>, sha256: Sha256) {
    this.#info = info;
    this.#sha256 = sha256;
    this.#files = treeFiles(info, layers);
    this.#byIndex = new Map(this.#files.map((file) => [file.index, file]));
  }

  /**
   * What `piece` must hash to. `root` is null without v2, and while the layer of the file is not known: then, in a
   * v2-only torrent, nothing can be verified yet ({@link isKnown}). The digests are views, not to be changed.
   */
  of(piece: number): PieceCheck {
    const { pieceHashes, pieceLengthBytes } = this.#info;
    const sha1 = pieceHashes ? pieceHashes.subarray(20 * piece, 20 * piece + 20) : null;
    const file = this.#fileAt(piece);
    if (file === null) return { sha1, root: null, treeBytes: 0, leafCount: 0 };
    const at = piece - file.firstPiece;
    const treeBytes = Math.min(pieceLengthBytes, file.lengthBytes - at * pieceLengthBytes);
    if (!file.hasLayer) return { sha1, root: file.root, treeBytes, leafCount: leafCountFor(treeBytes) };
    const root = file.layer ? file.layer.subarray(at * NODE_BYTES, (at + 1) * NODE_BYTES) : null;
    return { sha1, root, treeBytes, leafCount: pieceLengthBytes / BLOCK_BYTES };
  }

  /** Whether there is a digest to verify `piece` by. */
  isKnown(piece: number): boolean {
    if (this.#info.hasV1) return true;
    const file = this.#fileAt(piece);
    return file !== null && (!file.hasLayer || file.layer !== null);
  }

  /** The file (index in `info.files`) whose tree covers `piece`; null without v2, and for padding at the very end. */
  fileOf(piece: number): number | null {
    return this.#fileAt(piece)?.index ?? null;
  }

  /** First piece of a file that has a tree; null for others. */
  firstPieceOf(fileIndex: number): number | null {
    return this.#byIndex.get(fileIndex)?.firstPiece ?? null;
  }

  /** Whether the layer of a file is known or not needed. */
  hasLayerOf(fileIndex: number): boolean {
    const file = this.#byIndex.get(fileIndex);
    return file === undefined || !file.hasLayer || file.layer !== null;
  }

  /** Indices of the files whose piece layer is not known yet. */
  missingLayers(): number[] {
    return this.#files.filter((file) => file.hasLayer && file.layer === null).map((file) => file.index);
  }

  /** The known piece layer of a file, 32 bytes a piece; null where it is not known or there is none. Not to be changed. */
  layerOf(fileIndex: number): Uint8Array | null {
    return this.#byIndex.get(fileIndex)?.layer ?? null;
  }

  /** All layers that are known, by hex of their root, as a torrent file has them. */
  layers(): ReadonlyMap<string, Uint8Array> {
    const known = this.#files.filter((file) => file.layer !== null);
    return new Map(known.map((file) => [toHex(file.root), file.layer!]));
  }

  /**
   * Takes the piece layer of a file, and of every other file with the same content; false where it does not match the
   * pieces root. `layer` is kept.
   */
  addLayer(fileIndex: number, layer: Uint8Array): boolean {
    const file = this.#info.files[fileIndex];
    const target = this.#byIndex.get(fileIndex);
    if (file === undefined || !target?.hasLayer) return false;
    if (!isLayerOf(file, this.#info.pieceLengthBytes, layer, this.#sha256)) return false;
    const key = toHex(target.root);
    for (const each of this.#files) {
      if (each.lengthBytes === target.lengthBytes && toHex(each.root) === key) each.layer ??= layer;
    }
    return true;
  }

  /** The last file that begins at or before `piece`. */
  #fileAt(piece: number): TreeFile | null {
    let low = 0;
    let high = this.#files.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#files[middle]!.firstPiece <= piece) low = middle + 1;
      else high = middle;
    }
    return low > 0 ? this.#files[low - 1]! : null;
  }
}

function treeFiles(info: TorrentInfo, layers: ReadonlyMap<string, Uint8Array>): TreeFile[] {
  const out: TreeFile[] = [];
  for (const [index, file] of info.files.entries()) {
    const root = file.piecesRoot;
    if (root === null) continue;
    out.push({
      index,
      firstPiece: file.offsetBytes / info.pieceLengthBytes,
      lengthBytes: file.lengthBytes,
      root,
      hasLayer: hasLayer(file, info.pieceLengthBytes),
      layer: hasLayer(file, info.pieceLengthBytes) ? (layers.get(toHex(root)) ?? null) : null,
    });
  }
  return out;
}
