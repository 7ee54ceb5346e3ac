// Runs of hashes with their proof, as the hash messages of BEP 52 carry them: what to ask, what to answer, what to believe.
//
//                    root
//            U                 .          asked: base layer 0, index 0, length 2, proof layers 2
//       .        u        .         .     sent:  B B, then the uncles u and U
//      B B      . .      . .       . .    proven: hash(hash(hash(B B) u) U) must be the root

import { equalBytes } from '../base/bytes.ts';
import { hashPair, layersAbove, merkleRoot, NODE_BYTES, parentLayer, type Sha256 } from './merkle.ts';

/** The numbers of a hash request, besides the pieces root. */
export interface HashRange {
  /** Layers above the leaves. */
  readonly baseLayer: number;
  /** First hash in that layer, a multiple of `length`. */
  readonly index: number;
  /** Hashes asked for, a power of two from 2 up. */
  readonly length: number;
  /** Layers above the base layer to be proven; the first log2(length) - 1 need no hash. */
  readonly proofLayers: number;
}

/**
 * Most hashes in one message: BEP 52 says no more than 512, libtorrent takes as many as the leaves of a piece of 128 MiB.
 * 256 KiB of answer.
 */
export const MAX_RANGE_HASHES = 8192;

/** How many uncle hashes follow the hashes of a range. */
export function uncleCount(range: HashRange): number {
  return Math.max(0, range.proofLayers - layersAbove(range.length) + 1);
}

/** Whether a range from the wire is one that a tree of `leafCount` leaves has. All numbers are taken for unsigned. */
export function isRangeOf(leafCount: number, range: HashRange): boolean {
  const { baseLayer, index, length, proofLayers } = range;
  const height = layersAbove(leafCount);
  return (
    length >= 2 &&
    length <= MAX_RANGE_HASHES &&
    (length & (length - 1)) === 0 &&
    index % length === 0 &&
    baseLayer < height &&
    index + length <= 2 ** (height - baseLayer) &&
    proofLayers < height - baseLayer
  );
}

/** A source of nodes: the hash at `index` of `layer`, or null where it is not known. */
export type NodeSource = (layer: number, index: number) => Uint8Array | null;

/**
 * The hashes of a range and its uncles, as the hashes message carries them; null where a node is not known. The range
 * must be one of the tree ({@link isRangeOf}).
 */
export function proofFor(range: HashRange, node: NodeSource): Uint8Array | null {
  const uncles = uncleCount(range);
  const out = new Uint8Array((range.length + uncles) * NODE_BYTES);
  for (let i = 0; i < range.length; i++) {
    const hash = node(range.baseLayer, range.index + i);
    if (hash === null) return null;
    out.set(hash, i * NODE_BYTES);
  }
  const lowest = range.baseLayer + layersAbove(range.length);
  let at = range.index / range.length;
  for (let i = 0; i < uncles; i++) {
    const uncle = node(lowest + i, at % 2 === 0 ? at + 1 : at - 1);
    if (uncle === null) return null;
    out.set(uncle, (range.length + i) * NODE_BYTES);
    at = Math.floor(at / 2);
  }
  return out;
}

/**
 * Whether `hashes` (a range and its uncles) lead up to `expected`: the root, where the range asked for proof up to it,
 * else the node where its proof ends, known from elsewhere. False for a wrong count too.
 */
export function verifyHashes(range: HashRange, hashes: Uint8Array, expected: Uint8Array, sha256: Sha256): boolean {
  const uncles = uncleCount(range);
  if (hashes.length !== (range.length + uncles) * NODE_BYTES) return false;
  let node = merkleRoot(hashes.subarray(0, range.length * NODE_BYTES), range.length, sha256);
  let at = range.index / range.length;
  for (let i = 0; i < uncles; i++) {
    const start = (range.length + i) * NODE_BYTES;
    const uncle = hashes.subarray(start, start + NODE_BYTES);
    node = at % 2 === 0 ? hashPair(node, uncle, sha256) : hashPair(uncle, node, sha256);
    at = Math.floor(at / 2);
  }
  return equalBytes(node, expected);
}

/** Hashes that BEP 52 says a request should not exceed. */
const REQUEST_HASHES = 512;

/**
 * The requests that fetch a whole piece layer, each proven up to the root. `pieceLayer` is the height of that layer,
 * `pieceCount` the pieces of the file (more than one), `leafCount` the leaves of its tree. The hashes past the last piece
 * come along and are pad hashes.
 */
export function layerRequests(pieceLayer: number, pieceCount: number, leafCount: number): HashRange[] {
  const width = 2 ** (layersAbove(leafCount) - pieceLayer);
  const length = Math.min(REQUEST_HASHES, width);
  const proofLayers = layersAbove(width) - 1;
  const out: HashRange[] = [];
  for (let index = 0; index < pieceCount; index += length) {
    out.push({ baseLayer: pieceLayer, index, length, proofLayers });
  }
  return out;
}

/**
 * All nodes from one layer of a tree up to the root, so that proofs cost no hashing: twice the memory of the layer.
 * Nodes past the data are pad hashes.
 */
export class UpperTree {
  readonly #baseLayer: number;
  /** From the base layer up to the root; each without the nodes past the data. */
  readonly #layers: readonly Uint8Array[];
  readonly #pads: readonly Uint8Array[];

  /** `base`: the known nodes of `baseLayer`, concatenated; `pad`: the pad hash of that layer; `leafCount`: of the tree. */
  constructor(base: Uint8Array, baseLayer: number, leafCount: number, pad: Uint8Array, sha256: Sha256) {
    this.#baseLayer = baseLayer;
    const layers = [base];
    const pads = [pad];
    for (let layer = baseLayer; layer < layersAbove(leafCount); layer++) {
      const below = pads.at(-1)!;
      layers.push(parentLayer(layers.at(-1)!, below, sha256));
      pads.push(hashPair(below, below, sha256));
    }
    this.#layers = layers;
    this.#pads = pads;
  }

  get root(): Uint8Array {
    return this.#layers.at(-1)!;
  }

  /** A view of a node; null below the base layer and above the root. */
  node(layer: number, index: number): Uint8Array | null {
    const nodes = this.#layers[layer - this.#baseLayer];
    if (nodes === undefined) return null;
    const at = index * NODE_BYTES;
    return at < nodes.length ? nodes.subarray(at, at + NODE_BYTES) : this.#pads[layer - this.#baseLayer]!;
  }
}

/**
 * Nodes of a file of which the piece layer and the leaves of one piece are at hand, enough to answer for leaves in that
 * piece. `piece` counts within the file; `pieceLayer` is the base layer of `file`; `leaves` begins at layer 0.
 */
export function nodesWithPiece(file: UpperTree, leaves: UpperTree, piece: number, pieceLayer: number): NodeSource {
  return (layer, index) => {
    if (layer >= pieceLayer) return file.node(layer, index);
    const width = 2 ** (pieceLayer - layer);
    const at = index - piece * width;
    return at >= 0 && at < width ? leaves.node(layer, at) : null;
  };
}
