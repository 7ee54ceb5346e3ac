import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leavesOf, noise, plainTree, testHashes } from '../../test/support/sample-torrents.ts';
import { concatBytes, equalBytes } from '../base/bytes.ts';
import {
  type HashRange,
  isRangeOf,
  layerRequests,
  MAX_RANGE_HASHES,
  nodesWithPiece,
  proofFor,
  UpperTree,
  uncleCount,
  verifyHashes,
} from './hash-range.ts';
import { leafCountFor, NODE_BYTES, padHash, pieceLayerOf } from './merkle.ts';

const { sha256 } = testHashes;
const range = (baseLayer: number, index: number, length: number, proofLayers: number): HashRange => ({
  baseLayer,
  index,
  length,
  proofLayers,
});

function leafTree(bytes: Uint8Array): UpperTree {
  return new UpperTree(leavesOf(bytes), 0, leafCountFor(bytes.length), padHash(0, sha256), sha256);
}

describe('hash ranges', () => {
  it('count the uncles that are sent: the first log2(length) - 1 proof layers are left out', () => {
    expect(uncleCount(range(0, 0, 2, 2))).toBe(2);
    expect(uncleCount(range(0, 0, 8, 2))).toBe(0);
    expect(uncleCount(range(0, 0, 8, 3))).toBe(1);
    expect(uncleCount(range(0, 0, 512, 0))).toBe(0);
  });

  it('are refused where the tree has no such nodes', () => {
    const leafCount = 16;
    expect(isRangeOf(leafCount, range(0, 8, 8, 3))).toBe(true);
    expect(isRangeOf(leafCount, range(0, 4, 8, 3))).toBe(false);
    expect(isRangeOf(leafCount, range(0, 16, 8, 3))).toBe(false);
    expect(isRangeOf(leafCount, range(0, 0, 32, 0))).toBe(false);
    expect(isRangeOf(leafCount, range(0, 0, 3, 0))).toBe(false);
    expect(isRangeOf(leafCount, range(0, 0, 1, 0))).toBe(false);
    expect(isRangeOf(leafCount, range(0, 0, 0, 0))).toBe(false);
    expect(isRangeOf(leafCount, range(0, 0, 2, 4))).toBe(false);
    expect(isRangeOf(leafCount, range(4, 0, 2, 0))).toBe(false);
    expect(isRangeOf(leafCount, range(3, 0, 2, 0))).toBe(true);
    expect(isRangeOf(2 ** 30, range(0, 0, 2 * MAX_RANGE_HASHES, 0))).toBe(false);
    expect(isRangeOf(leafCount, range(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff))).toBe(false);
  });

  it('prove themselves up to the root, wherever they lie', () => {
    const length = fc.integer({ min: 16_385, max: 700_000 });
    fc.assert(
      fc.property(length, fc.nat(), fc.nat(), fc.nat(), (bytes, a, b, c) => {
        const tree = leafTree(noise(bytes, bytes));
        const height = Math.log2(leafCountFor(bytes));
        const baseLayer = a % height;
        const exponent = 1 + (b % (height - baseLayer));
        const count = 2 ** (height - baseLayer - exponent);
        const asked = range(baseLayer, (c % count) * 2 ** exponent, 2 ** exponent, height - baseLayer - 1);
        expect(isRangeOf(leafCountFor(bytes), asked)).toBe(true);
        const hashes = proofFor(asked, (layer, index) => tree.node(layer, index))!;
        expect(verifyHashes(asked, hashes, tree.root, sha256)).toBe(true);
        const broken = hashes.slice();
        broken[c % broken.length]! ^= 1;
        expect(verifyHashes(asked, broken, tree.root, sha256)).toBe(false);
        expect(verifyHashes(asked, hashes.subarray(1), tree.root, sha256)).toBe(false);
        expect(verifyHashes(asked, hashes.subarray(NODE_BYTES), tree.root, sha256)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('prove themselves up to a node below the root, where the proof is shorter', () => {
    const tree = leafTree(noise(16 * 16384, 5));
    const asked = range(0, 4, 2, 2);
    const hashes = proofFor(asked, (layer, index) => tree.node(layer, index))!;
    expect(hashes.length).toBe(4 * NODE_BYTES);
    expect(verifyHashes(asked, hashes, tree.node(3, 0)!, sha256)).toBe(true);
    expect(verifyHashes(asked, hashes, tree.node(3, 1)!, sha256)).toBe(false);
  });

  it('fetch a piece layer of any length in requests that each reach the root', () => {
    const piece = 16384;
    for (const pieces of [2, 3, 512, 513, 1025]) {
      const layer = concatBytes(Array.from({ length: pieces }, (_, i) => sha256(noise(4, i))));
      const leafCount = leafCountFor(pieces * piece);
      const tree = new UpperTree(layer, pieceLayerOf(piece), leafCount, padHash(pieceLayerOf(piece), sha256), sha256);
      const got: Uint8Array[] = [];
      for (const asked of layerRequests(pieceLayerOf(piece), pieces, leafCount)) {
        expect(isRangeOf(leafCount, asked)).toBe(true);
        expect(asked.length).toBeLessThanOrEqual(512);
        const hashes = proofFor(asked, (at, index) => tree.node(at, index))!;
        expect(verifyHashes(asked, hashes, tree.root, sha256)).toBe(true);
        got.push(hashes.subarray(0, asked.length * NODE_BYTES));
      }
      expect(equalBytes(concatBytes(got).subarray(0, layer.length), layer)).toBe(true);
    }
  });

  it('answer for leaves of a piece from the piece layer and that piece alone', () => {
    const pieceLength = 65536;
    const bytes = noise(5 * pieceLength + 20_000, 9);
    const { root, layer } = plainTree(bytes, pieceLength);
    const leafCount = leafCountFor(bytes.length);
    const file = new UpperTree(layer, 2, leafCount, padHash(2, sha256), sha256);
    expect(file.root).toEqual(root);
    for (const piece of [0, 3, 5]) {
      const part = bytes.subarray(piece * pieceLength, (piece + 1) * pieceLength);
      const leaves = new UpperTree(leavesOf(part), 0, 4, padHash(0, sha256), sha256);
      const node = nodesWithPiece(file, leaves, piece, 2);
      for (const asked of [range(0, piece * 4, 4, 4), range(0, piece * 4 + 2, 2, 4), range(1, piece * 2, 2, 3)]) {
        expect(verifyHashes(asked, proofFor(asked, node)!, root, sha256)).toBe(true);
      }
      expect(proofFor(range(0, ((piece + 1) % 5) * 4, 4, 4), node)).toBeNull();
    }
  });
});
