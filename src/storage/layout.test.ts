import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noise, type SampleFile, sampleTorrent, testHashes } from '../../test/support/sample-torrents.ts';
import { equalBytes } from '../base/bytes.ts';
import { inTreeOrder, type MetaKind } from '../metainfo/build.ts';
import { BLOCK_BYTES, Geometry } from '../metainfo/geometry.ts';
import { parseInfo } from '../metainfo/info.ts';
import type { TorrentInfo } from '../metainfo/types.ts';
import { SPAN_STRIDE, type Spans } from '../ports/piece-io.ts';
import { Layout } from './layout.ts';

/** Carries spans out on files in memory; bytes that no span covers stay zero. */
function gather(spans: Spans, files: readonly Uint8Array[], lengthBytes: number): Uint8Array {
  const out = new Uint8Array(lengthBytes);
  let end = 0;
  for (let i = 0; i < spans.length; i += SPAN_STRIDE) {
    const [file, offset, at, length] = spans.subarray(i, i + SPAN_STRIDE) as unknown as [
      number,
      number,
      number,
      number,
    ];
    expect(length).toBeGreaterThan(0);
    expect(at).toBeGreaterThanOrEqual(end);
    expect(offset + length).toBeLessThanOrEqual(files[file]!.length);
    out.set(files[file]!.subarray(offset, offset + length), at);
    end = at + length;
  }
  expect(end).toBeLessThanOrEqual(lengthBytes);
  return out;
}

interface Case {
  readonly info: TorrentInfo;
  readonly geometry: Geometry;
  readonly layout: Layout;
  readonly contents: readonly Uint8Array[];
  readonly space: Uint8Array;
}

function makeCase(kind: MetaKind, pieceLengthBytes: number, lengths: readonly number[]): Case {
  const files: SampleFile[] = lengths.map((length, i) => ({
    path: i % 3 === 0 ? [`f${i}`] : [`d${i % 4}`, `f${i}`],
    bytes: noise(length, i + 1),
  }));
  const { info: bytes, space } = sampleTorrent(files, { kind, pieceLengthBytes });
  const info = parseInfo(bytes, testHashes);
  const geometry = new Geometry(info);
  return {
    info,
    geometry,
    layout: new Layout(info, geometry),
    contents: inTreeOrder(files).map((f) => f.bytes),
    space,
  };
}

const cases = fc
  .record({
    kind: fc.constantFrom<MetaKind>('v1', 'v2', 'hybrid'),
    pieceLengthBytes: fc.constantFrom(16384, 32768, 65536),
    lengths: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 150_000 })), {
      minLength: 1,
      maxLength: 12,
    }),
  })
  .filter(({ lengths }) => lengths.some((length) => length > 0))
  .map(({ kind, pieceLengthBytes, lengths }) => makeCase(kind, pieceLengthBytes, lengths));

describe('layout', () => {
  it('gives spans that cover exactly the bytes of every piece, padding left out', () => {
    fc.assert(
      fc.property(cases, ({ layout, geometry, contents, space }) => {
        for (let piece = 0; piece < geometry.pieceCount; piece++) {
          const start = geometry.pieceOffset(piece);
          const length = geometry.pieceBytes(piece);
          const spans = layout.pieceSpans(piece);
          expect(equalBytes(gather(spans, contents, length), space.subarray(start, start + length))).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('spans every byte of every file once over all pieces', () => {
    fc.assert(
      fc.property(cases, ({ layout, geometry, contents }) => {
        const covered = contents.map(() => 0);
        for (let piece = 0; piece < geometry.pieceCount; piece++) {
          const spans = layout.pieceSpans(piece);
          for (let i = 0; i < spans.length; i += SPAN_STRIDE) {
            expect(spans[i + 1]).toBe(covered[spans[i]!]);
            covered[spans[i]!] = covered[spans[i]!]! + spans[i + 3]!;
          }
        }
        expect(covered).toEqual(contents.map((bytes) => bytes.length));
      }),
      { numRuns: 60 },
    );
  });

  it('gives spans of any range, anywhere in a buffer', () => {
    fc.assert(
      fc.property(cases, fc.nat(), fc.nat(), fc.nat(), fc.nat(99), (sample, a, b, c, offset) => {
        const { layout, geometry, contents, space } = sample;
        const piece = a % geometry.pieceCount;
        const begin = b % geometry.pieceBytes(piece);
        const length = 1 + (c % (geometry.pieceBytes(piece) - begin));
        const start = geometry.pieceOffset(piece) + begin;
        const found = gather(layout.rangeSpans(piece, begin, length, offset), contents, offset + length);
        expect(equalBytes(found.subarray(offset), space.subarray(start, start + length))).toBe(true);
      }),
    );
  });

  it('leaves a gap before every block where one is asked for', () => {
    fc.assert(
      fc.property(cases, fc.nat(), (sample, a) => {
        const { layout, geometry, contents, space } = sample;
        const piece = a % geometry.pieceCount;
        const length = geometry.pieceBytes(piece);
        const blocks = Math.ceil(length / BLOCK_BYTES);
        const found = gather(layout.gappedSpans(piece, 0, length, 13), contents, length + 13 * blocks);
        for (let block = 0; block < blocks; block++) {
          const at = block * (BLOCK_BYTES + 13);
          const start = geometry.pieceOffset(piece) + block * BLOCK_BYTES;
          const size = geometry.blockBytes(piece, block);
          expect(equalBytes(found.subarray(at, at + 13), new Uint8Array(13))).toBe(true);
          const bytes = found.subarray(at + 13, at + 13 + size);
          expect(equalBytes(bytes, space.subarray(start, start + size))).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('agrees with itself on which pieces a file has and which files a piece has', () => {
    fc.assert(
      fc.property(cases, ({ layout, geometry }) => {
        for (let piece = 0; piece < geometry.pieceCount; piece++) {
          const spanned = new Set<number>();
          const spans = layout.pieceSpans(piece);
          for (let i = 0; i < spans.length; i += SPAN_STRIDE) spanned.add(spans[i]!);
          for (let file = 0; file < layout.files.length; file++) {
            const pieces = layout.piecesOfFile(file);
            expect(pieces !== null && pieces[0] <= piece && piece <= pieces[1]).toBe(spanned.has(file));
            const inRange = layout.firstFileOf(piece) <= file && file <= layout.lastFileOf(piece);
            if (layout.files[file]!.lengthBytes > 0) expect(inRange).toBe(spanned.has(file));
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('lists empty files, leaves padding and symlinks out, and maps indices both ways', () => {
    const files: SampleFile[] = [
      { path: ['a'], bytes: noise(5, 1) },
      { path: ['b'], bytes: new Uint8Array(0) },
      { path: ['c'], bytes: new Uint8Array(0), symlink: ['a'] },
      { path: ['d'], bytes: noise(5, 2), executable: true },
    ];
    const info = parseInfo(sampleTorrent(files, { kind: 'hybrid' }).info, testHashes);
    const layout = new Layout(info, new Geometry(info));
    expect(layout.files.map((file) => file.path.join('/'))).toEqual(['a', 'b', 'd']);
    expect(layout.files.map((file) => file.executable)).toEqual([false, false, true]);
    expect(layout.symlinks).toEqual([{ path: ['c'], target: ['a'] }]);
    expect(layout.piecesOfFile(1)).toBeNull();
    for (let file = 0; file < layout.files.length; file++) {
      const index = layout.torrentFileOf(file);
      expect(info.files[index]!.path).toEqual(layout.files[file]!.path);
      expect(layout.contentFileOf(index)).toBe(file);
    }
    const others = info.files.map((_, index) => layout.contentFileOf(index)).filter((file) => file < 0);
    expect(others).toHaveLength(info.files.length - 3);
  });

  it('takes the root itself for the file of a single-file torrent', () => {
    const sample = sampleTorrent([{ path: ['x'], bytes: noise(9, 1) }], { kind: 'v1', name: 'x', singleFile: true });
    const info = parseInfo(sample.info, testHashes);
    expect(new Layout(info, new Geometry(info)).files).toEqual([{ path: [], lengthBytes: 9, executable: false }]);
  });

  it('finds its way among very many files', () => {
    const count = 250_000;
    const base = makeCase('v1', 16384, [1]).info;
    const path = ['f'];
    const file = { ...base.files[0]!, path, lengthBytes: 3 };
    const files = Array.from({ length: count }, (_, i) => ({ ...file, offsetBytes: 3 * i }));
    const info = {
      ...base,
      files,
      spaceBytes: 3 * count,
      lengthBytes: 3 * count,
      pieceCount: Math.ceil((3 * count) / 16384),
    };
    const layout = new Layout(info, new Geometry(info));
    const last = info.pieceCount - 1;
    expect(layout.lastFileOf(last)).toBe(count - 1);
    expect(layout.firstFileOf(last)).toBe(Math.floor((last * 16384) / 3));
    expect(layout.pieceSpans(1).slice(0, 8)).toEqual(Float64Array.of(5461, 1, 0, 2, 5462, 0, 2, 3));
  });

  it('refuses a path that would leave the folder', () => {
    const { info, geometry } = makeCase('v1', 16384, [1]);
    for (const path of [['..', 'x'], ['a/b'], [''], ['.'], ['a\0']]) {
      const hostile = { ...info, files: [{ ...info.files[0]!, path }] };
      expect(() => new Layout(hostile, geometry)).toThrow('path component');
    }
  });
});
