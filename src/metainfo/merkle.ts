// Merkle trees of BEP 52: SHA-256 over 16 KiB blocks, binary, filled up with zero leaves to a power of two.
//
//   layer 2              root                       layer n + 1: hash of two neighbours of layer n
//   layer 1        a             b                  nodes past the data: the hash of that many zero leaves
//   layer 0    leaf  leaf     leaf  (zero)          layer log2(piece length / 16 KiB): the piece layer

import { assert } from '../base/assert.ts';
import { BLOCK_BYTES } from './geometry.ts';

/** 32 bytes of SHA-256. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

export const NODE_BYTES = 32;

/** Leaves of the tree of a file or of a part of one: its blocks, up to the next power of two. At least 1. */
export function leafCountFor(lengthBytes: number): number {
  return powerOfTwoFrom(Math.ceil(lengthBytes / BLOCK_BYTES));
}

/** The smallest power of two that is not below `count`. At least 1. */
export function powerOfTwoFrom(count: number): number {
  let power = 1;
  while (power < count) power *= 2;
  return power;
}

/** Layers between a node and the leaves below it, `leafCount` being a power of two. */
export function layersAbove(leafCount: number): number {
  return Math.round(Math.log2(leafCount));
}

/** The piece layer of a torrent: how many layers above the leaves a hash covers one piece. */
export function pieceLayerOf(pieceLengthBytes: number): number {
  return layersAbove(pieceLengthBytes / BLOCK_BYTES);
}

/** The hash of a node at `layer` that has only zero leaves below it: what stands past the data. */
export function padHash(layer: number, sha256: Sha256): Uint8Array {
  let hash: Uint8Array = new Uint8Array(NODE_BYTES);
  for (let i = 0; i < layer; i++) hash = hashPair(hash, hash, sha256);
  return hash;
}

/** The parent of two neighbours. */
export function hashPair(left: Uint8Array, right: Uint8Array, sha256: Sha256): Uint8Array {
  const both = new Uint8Array(2 * NODE_BYTES);
  both.set(left);
  both.set(right, NODE_BYTES);
  return sha256(both);
}

/**
 * The layer above one: 32 bytes a node, concatenated; a last node without a neighbour gets `pad`, the pad hash of its
 * own layer. The result is owned by the caller.
 */
export function parentLayer(nodes: Uint8Array, pad: Uint8Array, sha256: Sha256): Uint8Array {
  const count = nodes.length / NODE_BYTES;
  const out = new Uint8Array(Math.ceil(count / 2) * NODE_BYTES);
  for (let i = 0; i < count; i += 2) {
    const at = i * NODE_BYTES;
    const parent =
      i + 1 < count
        ? sha256(nodes.subarray(at, at + 2 * NODE_BYTES))
        : hashPair(nodes.subarray(at, at + NODE_BYTES), pad, sha256);
    out.set(parent, at / 2);
  }
  return out;
}

/**
 * The root above `leaves` (32 bytes each, concatenated, at most `leafCount` of them) in a tree of `leafCount`, a power of
 * two. `pad` stands for those that are missing: 32 zero bytes for leaves of a file, the pad hash of the piece layer where
 * the "leaves" are pieces.
 */
export function merkleRoot(
  leaves: Uint8Array,
  leafCount: number,
  sha256: Sha256,
  pad: Uint8Array = new Uint8Array(NODE_BYTES),
): Uint8Array {
  assert(leaves.length % NODE_BYTES === 0 && leaves.length <= leafCount * NODE_BYTES, 'leaves fit the tree');
  let nodes = leaves.length === 0 ? pad : leaves;
  let padding = pad;
  for (let count = leafCount; count > 1; count /= 2) {
    nodes = parentLayer(nodes, padding, sha256);
    padding = hashPair(padding, padding, sha256);
  }
  return nodes.slice();
}
