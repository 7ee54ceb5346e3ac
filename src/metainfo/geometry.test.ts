import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noise, sampleTorrent, testHashes } from '../../test/support/sample-torrents.ts';
import type { MetaKind } from './build.ts';
import { BLOCK_BYTES, Geometry } from './geometry.ts';
import { parseMetainfo } from './parse.ts';

const PIECE = 32768;

function geometryOf(lengths: readonly number[], kind: MetaKind, singleFile = false): Geometry {
  const files = lengths.map((length, i) => ({ path: [singleFile ? 'sample' : `f${i}`], bytes: noise(length, i) }));
  const { metainfo } = sampleTorrent(files, { kind, singleFile, pieceLengthBytes: PIECE });
  return new Geometry(parseMetainfo(metainfo, testHashes).info);
}

describe('Geometry', () => {
  it('cuts one file into pieces and blocks, the last ones short', () => {
    const geometry = geometryOf([70_000], 'v1', true);
    expect(geometry.pieceCount).toBe(3);
    expect([0, 1, 2].map((piece) => geometry.pieceBytes(piece))).toEqual([PIECE, PIECE, 4464]);
    expect([0, 1, 2].map((piece) => geometry.blockCount(piece))).toEqual([2, 2, 1]);
    expect(geometry.blockBytes(0, 1)).toBe(BLOCK_BYTES);
    expect(geometry.blockBytes(2, 0)).toBe(4464);
    expect(geometry.pieceOffset(2)).toBe(65_536);
  });

  it('lets files of v1 share pieces', () => {
    const geometry = geometryOf([20_000, 0, 20_000], 'v1');
    expect(geometry.pieceCount).toBe(2);
    expect([0, 1].map((piece) => geometry.dataBytes(piece))).toEqual([PIECE, 40_000 - PIECE]);
  });

  it('shortens v2-only pieces at the end of their file', () => {
    const geometry = geometryOf([20_000, 0, 70_000, 5], 'v2');
    expect(geometry.pieceCount).toBe(5);
    const pieces = [0, 1, 2, 3, 4];
    expect(pieces.map((piece) => geometry.pieceBytes(piece))).toEqual([20_000, PIECE, PIECE, 4464, 5]);
    expect(pieces.map((piece) => geometry.fullBytes(piece))).toEqual([PIECE, PIECE, PIECE, PIECE, PIECE]);
    expect(pieces.map((piece) => geometry.blockCount(piece))).toEqual([2, 2, 2, 1, 1]);
    expect(geometry.blockBytes(0, 1)).toBe(20_000 - BLOCK_BYTES);
  });

  it('keeps hybrid pieces whole but requests no block of padding alone', () => {
    const geometry = geometryOf([20_000, 5], 'hybrid');
    expect([0, 1].map((piece) => geometry.pieceBytes(piece))).toEqual([PIECE, PIECE]);
    expect([0, 1].map((piece) => geometry.dataBytes(piece))).toEqual([20_000, 5]);
    expect([0, 1].map((piece) => geometry.blockCount(piece))).toEqual([2, 1]);
    expect(geometry.blockBytes(1, 0)).toBe(BLOCK_BYTES);
  });

  it('covers every byte of content with exactly one block', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(lengths, fc.constantFrom<MetaKind>('v1', 'v2', 'hybrid'), (all, kind) => {
        fc.pre(all.some((length) => length > 0));
        const geometry = geometryOf(all, kind);
        let content = 0;
        for (let piece = 0; piece < geometry.pieceCount; piece++) {
          expect(geometry.dataBytes(piece)).toBeGreaterThan(0);
          expect(geometry.dataBytes(piece)).toBeLessThanOrEqual(geometry.pieceBytes(piece));
          expect(geometry.pieceBytes(piece)).toBeLessThanOrEqual(geometry.fullBytes(piece));
          let blocks = 0;
          for (let block = 0; block < geometry.blockCount(piece); block++) blocks += geometry.blockBytes(piece, block);
          expect(blocks).toBeGreaterThanOrEqual(geometry.dataBytes(piece));
          expect(blocks).toBeLessThanOrEqual(geometry.pieceBytes(piece));
          content += geometry.dataBytes(piece);
        }
        expect(content).toBe(all.reduce((sum, length) => sum + length, 0));
      }),
      { numRuns: 60 },
    );
  });
});
