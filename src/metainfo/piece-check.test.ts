import { describe, expect, it } from 'vitest';
import { leavesOf, noise, sampleTorrent, testHashes } from '../../test/support/sample-torrents.ts';
import { equalBytes, toHex } from '../base/bytes.ts';
import type { MetaKind } from './build.ts';
import { Geometry } from './geometry.ts';
import { merkleRoot } from './merkle.ts';
import { parseMetainfo } from './parse.ts';
import { PieceChecks } from './piece-check.ts';

const PIECE = 65536;
const { sha256 } = testHashes;

function sampleOf(kind: MetaKind) {
  const files = [150_000, 0, 20_000, PIECE, 16_384, PIECE + 1, 150_000].map((length, i) => ({
    path: [`f${i}`],
    // The last file has the content of the first, and so its root.
    bytes: noise(length, i === 6 ? 0 : i),
  }));
  const sample = sampleTorrent(files, { kind, pieceLengthBytes: PIECE });
  return { ...sample, meta: parseMetainfo(sample.metainfo, testHashes) };
}

describe('PieceChecks', () => {
  it.each<MetaKind>(['v1', 'v2', 'hybrid'])('says what the content of every piece hashes to: %s', (kind) => {
    const { meta, space } = sampleOf(kind);
    const checks = new PieceChecks(meta.info, meta.pieceLayers, sha256);
    const geometry = new Geometry(meta.info);
    for (let piece = 0; piece < meta.info.pieceCount; piece++) {
      const start = geometry.pieceOffset(piece);
      const check = checks.of(piece);
      expect(checks.isKnown(piece)).toBe(true);
      if (kind === 'v2') expect(check.sha1).toBeNull();
      else expect(testHashes.sha1(space.subarray(start, start + geometry.fullBytes(piece)))).toEqual(check.sha1);
      if (kind === 'v1') {
        expect(check).toMatchObject({ root: null, treeBytes: 0, leafCount: 0 });
      } else {
        expect(check.treeBytes).toBe(geometry.dataBytes(piece));
        const leaves = leavesOf(space.subarray(start, start + check.treeBytes));
        expect(merkleRoot(leaves, check.leafCount, sha256)).toEqual(check.root);
      }
    }
  });

  it('have as many leaves as the file where it is one piece or less, else as a whole piece', () => {
    const { meta } = sampleOf('v2');
    const checks = new PieceChecks(meta.info, meta.pieceLayers, sha256);
    const leafCounts = Array.from({ length: meta.info.pieceCount }, (_, piece) => checks.of(piece).leafCount);
    expect(leafCounts).toEqual([4, 4, 4, 2, 4, 1, 4, 4, 4, 4, 4]);
  });

  it('know the file of a piece and the first piece of a file', () => {
    const { meta } = sampleOf('hybrid');
    const checks = new PieceChecks(meta.info, meta.pieceLayers, sha256);
    for (const [index, file] of meta.info.files.entries()) {
      if (file.piecesRoot === null) expect(checks.firstPieceOf(index)).toBeNull();
      else expect(checks.fileOf(checks.firstPieceOf(index)!)).toBe(index);
    }
    const v1 = sampleOf('v1').meta;
    expect(new PieceChecks(v1.info, v1.pieceLayers, sha256).fileOf(0)).toBeNull();
  });

  it('take piece layers later, checked, and for all files of the same content', () => {
    const { meta } = sampleOf('v2');
    const checks = new PieceChecks(meta.info, new Map(), sha256);
    expect(checks.missingLayers()).toEqual([0, 5, 6]);
    expect(checks.of(0)).toMatchObject({ root: null, treeBytes: PIECE, leafCount: 4 });
    expect([0, 3, 4].map((piece) => checks.isKnown(piece))).toEqual([false, true, true]);
    const layer = meta.pieceLayers.get(toHex(meta.info.files[0]!.piecesRoot!))!;
    const wrong = layer.slice();
    wrong[40]! ^= 1;
    expect(checks.addLayer(0, wrong)).toBe(false);
    expect(checks.addLayer(0, layer.subarray(32))).toBe(false);
    expect(checks.addLayer(5, layer)).toBe(false);
    expect(checks.addLayer(1, layer)).toBe(false);
    expect(checks.addLayer(99, layer)).toBe(false);
    expect(checks.missingLayers()).toEqual([0, 5, 6]);
    expect(checks.addLayer(0, layer)).toBe(true);
    expect(checks.missingLayers()).toEqual([5]);
    expect([0, 6, 5].map((file) => checks.hasLayerOf(file))).toEqual([true, true, false]);
    expect(equalBytes(checks.of(1).root!, layer.subarray(32, 64))).toBe(true);
    expect(checks.layerOf(6)).toBe(layer);
  });

  it('can verify a hybrid piece by SHA-1 while its layer is unknown', () => {
    const { meta } = sampleOf('hybrid');
    const checks = new PieceChecks(meta.info, new Map(), sha256);
    expect(checks.isKnown(0)).toBe(true);
    expect(checks.of(0).root).toBeNull();
    expect(checks.of(0).sha1).not.toBeNull();
  });
});
