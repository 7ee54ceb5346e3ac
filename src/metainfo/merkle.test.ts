import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leavesOf, noise, plainTree, testHashes } from '../../test/support/sample-torrents.ts';
import { concatBytes, toHex } from '../base/bytes.ts';
import { rootOfLayer } from './layers.ts';
import { hashPair, leafCountFor, merkleRoot, NODE_BYTES, padHash, parentLayer, pieceLayerOf } from './merkle.ts';

const { sha256 } = testHashes;
const ZERO = new Uint8Array(NODE_BYTES);

describe('merkle trees', () => {
  it('have a power of two of leaves', () => {
    expect([1, 16384, 16385, 49152, 49153, 65536, 65537].map(leafCountFor)).toEqual([1, 1, 2, 4, 4, 4, 8]);
    expect(leafCountFor(0)).toBe(1);
  });

  it('are the hash of one block where there is one', () => {
    const block = noise(100, 1);
    expect(merkleRoot(leavesOf(block), 1, sha256)).toEqual(sha256(block));
  });

  it('are filled up with zero leaves', () => {
    const [a, b, c] = [1, 2, 3].map((seed) => sha256(noise(10, seed))) as [Uint8Array, Uint8Array, Uint8Array];
    const expected = hashPair(hashPair(a, b, sha256), hashPair(c, ZERO, sha256), sha256);
    expect(merkleRoot(concatBytes([a, b, c]), 4, sha256)).toEqual(expected);
    expect(merkleRoot(concatBytes([a]), 4, sha256)).toEqual(
      hashPair(hashPair(a, ZERO, sha256), hashPair(ZERO, ZERO, sha256), sha256),
    );
  });

  it('have pad hashes that are trees of zeros', () => {
    expect(padHash(0, sha256)).toEqual(ZERO);
    expect(padHash(3, sha256)).toEqual(merkleRoot(new Uint8Array(8 * NODE_BYTES), 8, sha256));
    expect(merkleRoot(new Uint8Array(0), 8, sha256)).toEqual(padHash(3, sha256));
    expect(toHex(padHash(1, sha256))).toBe('f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b');
  });

  it('leave their input alone', () => {
    const leaves = leavesOf(noise(100_000, 2));
    const copy = leaves.slice();
    const root = merkleRoot(leaves, 8, sha256);
    root.fill(0);
    parentLayer(leaves, ZERO, sha256);
    merkleRoot(leaves.subarray(0, 32), 1, sha256).fill(0);
    expect(leaves).toEqual(copy);
  });

  it('agree with a tree built by the definition, from leaves and from the piece layer', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600_000 }), fc.constantFrom(16384, 32768, 131072), (length, piece) => {
        const bytes = noise(length, length);
        const { root, layer } = plainTree(bytes, piece);
        expect(merkleRoot(leavesOf(bytes), leafCountFor(length), sha256)).toEqual(root);
        if (length > piece) expect(rootOfLayer(layer, piece, sha256)).toEqual(root);
      }),
      { numRuns: 40 },
    );
  });

  it('know the height of the piece layer', () => {
    expect([16384, 32768, 131072].map(pieceLayerOf)).toEqual([0, 1, 3]);
  });
});
