import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noise, sampleTorrent, testHashes } from '../../test/support/sample-torrents.ts';
import { compareBytes, latin1, toHex, utf8 } from '../base/bytes.ts';
import { asDict, decode } from '../bencode/decode.ts';
import { buildMetainfo, inTreeOrder, layOut, type MetaKind } from './build.ts';
import { parseMetainfo } from './parse.ts';

const keysOf = (info: Uint8Array): readonly string[] => [...asDict(decode(info, { strict: true }))!.keys()];
const file = (path: string, lengthBytes: number) => ({ path: path.split('/'), lengthBytes });

describe('layOut', () => {
  it('orders by raw bytes, component by component', () => {
    const paths = ['b.txt', 'b/x', 'b', 'é', 'z', 'B', '𝒳', '\uffee', 'a b/c', 'a/c'];
    expect(inTreeOrder(paths.map((path) => file(path, 1))).map(({ path }) => path.join('/'))).toEqual([
      'B',
      'a/c',
      'a b/c',
      'b',
      'b/x',
      'b.txt',
      'z',
      'é',
      '\uffee',
      '𝒳',
    ]);
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', minLength: 1 })), (names) => {
        const sorted = inTreeOrder(names.filter((name) => !/[\0/]/.test(name)).map((name) => ({ path: [name] })));
        for (const [i, { path }] of sorted.entries()) {
          if (i > 0) expect(compareBytes(utf8(sorted[i - 1]!.path[0]!), utf8(path[0]!))).toBeLessThanOrEqual(0);
        }
      }),
    );
  });

  it('puts padding after every hybrid file that ends within a piece, the last one too', () => {
    const { files, spaceBytes, pieceCount } = layOut(
      [file('b', 16384), file('a', 5), file('d', 7), file('c', 0)],
      'hybrid',
      16384,
    );
    expect(files.map(({ path, padding, offsetBytes }) => [path.join('/'), padding, offsetBytes])).toEqual([
      ['a', false, 0],
      ['.pad/16379', true, 5],
      ['b', false, 16384],
      ['c', false, 32768],
      ['d', false, 32768],
      ['.pad/16377', true, 32775],
    ]);
    expect([spaceBytes, pieceCount]).toEqual([49152, 3]);
  });

  it('puts no padding beside a file alone, nor in v1', () => {
    expect(layOut([file('a', 5)], 'hybrid', 16384)).toMatchObject({ spaceBytes: 5, pieceCount: 1 });
    expect(layOut([file('a', 5), file('b', 6)], 'v1', 16384)).toMatchObject({ spaceBytes: 11, pieceCount: 1 });
  });

  it('begins every v2 file at a piece and ends with the last byte of data', () => {
    const { files, spaceBytes } = layOut([file('a', 5), file('b', 6), file('c', 0)], 'v2', 16384);
    expect(files.map(({ offsetBytes }) => offsetBytes)).toEqual([0, 16384, 16390]);
    expect(spaceBytes).toBe(16390);
  });
});

describe('buildInfo', () => {
  it('has just the keys that the kind needs, in order', () => {
    const one = [{ path: ['n'], bytes: noise(20_000, 1) }];
    const keys = (kind: MetaKind, singleFile: boolean): string =>
      keysOf(sampleTorrent(one, { kind, name: 'n', singleFile }).info).join();
    expect(keys('v1', true)).toBe('length,name,piece length,pieces');
    expect(keys('v1', false)).toBe('files,name,piece length,pieces');
    expect(keys('v2', true)).toBe('file tree,meta version,name,piece length');
    expect(keys('hybrid', true)).toBe('file tree,length,meta version,name,piece length,pieces');
    expect(keys('hybrid', false)).toBe('file tree,files,meta version,name,piece length,pieces');
    const { info } = sampleTorrent(one, {
      kind: 'v1',
      private: true,
      source: 's',
      collections: ['c'],
      similar: [noise(20, 1)],
    });
    expect(keysOf(info).join()).toBe('collections,files,name,piece length,pieces,private,similar,source');
  });

  // Info hashes that libtorrent 2.0.8 gave for the same input.
  it.each<[MetaKind, string]>([
    ['v2', 'c6ec9f842aabd97db2b5a9a8ec134f38466d4ab784bf2d95b65f03090607940a'],
    ['hybrid', '2d2d36fba609dec923149c7f0e246707ea630fc6f04f1cc67a50f0e5693b839a'],
  ])('gives the info hash of libtorrent for a folder: %s', (kind, hash) => {
    const files = [
      { path: ['b', 'x'], bytes: new Uint8Array(40_000).fill(1), executable: true },
      { path: ['b.txt'], bytes: new Uint8Array(5).fill(2) },
      { path: ['empty'], bytes: new Uint8Array(0) },
      { path: ['é'], bytes: new Uint8Array(100_000).fill(3) },
    ];
    const { info } = sampleTorrent(files, { kind, name: 'root', pieceLengthBytes: 32768 });
    expect(toHex(testHashes.sha256(info))).toBe(hash);
  });

  it('gives the info hash of libtorrent for an executable file', () => {
    const files = [{ path: ['run'], bytes: new Uint8Array(40_000).fill(1), executable: true }];
    const { info } = sampleTorrent(files, { kind: 'hybrid', name: 'run', singleFile: true, pieceLengthBytes: 32768 });
    expect(toHex(testHashes.sha256(info))).toBe('0e08d88db64163176ae1585e929569b69971f15070b821252efe30e7a7822e73');
  });

  it('is read back as it was described, whatever the files', () => {
    const name = fc.stringMatching(/^[a-d]{1,2}$/);
    const files = fc.uniqueArray(
      fc.record({ path: fc.array(name, { minLength: 1, maxLength: 3 }), length: fc.integer({ min: 0, max: 70_000 }) }),
      { minLength: 1, maxLength: 6, selector: ({ path }) => path[0] },
    );
    fc.assert(
      fc.property(files, fc.constantFrom<MetaKind>('v1', 'v2', 'hybrid'), fc.boolean(), (described, kind, flag) => {
        fc.pre(described.some(({ length }) => length > 0));
        const samples = described.map(({ path, length }, i) => ({ path, bytes: noise(length, i), executable: flag }));
        const sample = sampleTorrent(samples, { kind, private: flag, source: flag ? 'x' : null });
        const { info, pieceLayers, trackers } = parseMetainfo(sample.metainfo, testHashes);
        expect(info.spaceBytes).toBe(sample.space.length);
        expect(pieceLayers).toEqual(sample.pieceLayers);
        expect(trackers).toEqual([['http://127.0.0.1:6969/announce']]);
        expect([info.private, info.source]).toEqual([flag, flag ? 'x' : null]);
        const real = info.files.filter((each) => !each.padding);
        expect(real.map((each) => each.path)).toEqual(inTreeOrder(samples).map((each) => each.path));
        expect(real.every((each) => each.executable === flag)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe('buildMetainfo', () => {
  const info = utf8('de');
  const text = (more: object): string => latin1(buildMetainfo({ info, ...more }));

  it('has an announce-list from the second URL on', () => {
    expect(text({})).toBe('d4:infodee');
    expect(text({ trackers: [['u://a']] })).toBe('d8:announce5:u://a4:infodee');
    expect(text({ trackers: [['u://a'], [], ['u://b', 'u://c']] })).toBe(
      'd8:announce5:u://a13:announce-listll5:u://ael5:u://b5:u://cee4:infodee',
    );
  });

  it('has one web seed as text and many as a list', () => {
    expect(text({ webSeeds: ['u://a'] })).toBe('d4:infode8:url-list5:u://ae');
    expect(text({ webSeeds: ['u://a', 'u://b'] })).toBe('d4:infode8:url-listl5:u://a5:u://bee');
  });

  it('has the rest where it is given', () => {
    const nodes = [{ host: '::1', port: 5 }];
    expect(
      text({ comment: 'c', createdBy: 'b', creationDate: 0, httpSeeds: ['u://h'], nodes, pieceLayers: new Map() }),
    ).toBe(
      'd7:comment1:c10:created by1:b13:creation datei0e9:httpseedsl5:u://he4:infode5:nodesll3:::1i5eee12:piece layersdee',
    );
    expect(text({ comment: '', createdBy: null, creationDate: null, nodes: [] })).toBe('d4:infodee');
  });
});
