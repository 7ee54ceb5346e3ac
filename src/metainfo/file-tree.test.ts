import { describe, expect, it } from 'vitest';
import { folder, type Members, parse, problem, single, someFiles, torrent } from '../../test/support/plain-torrents.ts';
import { noise, sampleTorrent, testHashes } from '../../test/support/sample-torrents.ts';
import { fromHex, fromLatin1, latin1 } from '../base/bytes.ts';
import { type Encodable, encode } from '../bencode/encode.ts';
import { parseInfo } from './info.ts';
import { parseMetainfo } from './parse.ts';

describe('a v2 torrent', () => {
  it('is read in the order of its tree, every file at a piece', () => {
    const { metainfo, info: infoBytes, pieceLayers } = sampleTorrent(someFiles, { kind: 'v2' });
    const { info, ...rest } = parse(metainfo);
    expect(info).toMatchObject({ hasV1: false, hasV2: true, singleFile: false, infoHashV1: null, pieceHashes: null });
    expect(info.infoHashV2).toEqual(testHashes.sha256(infoBytes));
    expect(info.files.map((file) => file.path.join('/'))).toEqual(['a', 'b/x', 'b.txt', 'empty', 'link']);
    const end = 10 * 16384 + 5;
    expect(info.files.map((file) => file.offsetBytes)).toEqual([0, 7 * 16384, 10 * 16384, end, end]);
    expect(info).toMatchObject({ pieceCount: 11, spaceBytes: 10 * 16384 + 5, lengthBytes: 140_005 });
    expect(info.files.map((file) => file.piecesRoot !== null)).toEqual([true, true, true, false, false]);
    expect(info.files[1]!.executable && info.files[0]!.hidden).toBe(true);
    expect(info.files[4]!.symlink).toEqual(['b', 'x']);
    expect(rest.pieceLayers).toEqual(pieceLayers);
  });

  it('is a single file where its only entry is a file with its name', () => {
    const file = { path: ['n'], bytes: noise(10, 1) };
    const as = (name: string): boolean =>
      parse(sampleTorrent([file], { kind: 'v2', name, singleFile: name === 'n' }).metainfo).info.singleFile;
    expect([as('n'), as('other')]).toEqual([true, false]);
  });

  it('wants the piece layer of every file longer than a piece, and the right one', () => {
    const sample = sampleTorrent(someFiles, { kind: 'v2' });
    const withLayers = (layers: ReadonlyMap<string, Encodable>): Uint8Array =>
      fromLatin1(`d4:info${latin1(sample.info)}12:piece layers${latin1(encode(layers))}e`);
    const layers = new Map([...sample.pieceLayers].map(([root, layer]) => [latin1(fromHex(root)!), layer]));
    expect(problem(withLayers(layers))).toBe('fine');
    const [key, layer] = [...layers][0]!;
    const wrong = layer.slice();
    wrong[5]! ^= 1;
    for (const bad of [wrong, layer.subarray(32), new Uint8Array([...layer, ...new Uint8Array(32)])]) {
      expect(problem(withLayers(new Map([...layers, [key, bad]])))).toContain('does not match its pieces root');
    }
    layers.delete(key);
    expect(problem(withLayers(layers))).toContain('is missing');
    expect(parseMetainfo(withLayers(layers), testHashes, { requireLayers: false }).pieceLayers.size).toBe(1);
    const broken = withLayers(new Map([[key, wrong]]));
    expect(() => parseMetainfo(broken, testHashes, { requireLayers: false })).toThrow('does not match');
  });

  it('drops layers that no file needs', () => {
    const file = { path: ['n'], bytes: noise(10, 1) };
    const { info } = sampleTorrent([file], { kind: 'v2' });
    const bytes = fromLatin1(`d4:info${latin1(info)}12:piece layersd32:${'r'.repeat(32)}32:${'h'.repeat(32)}ee`);
    expect(parse(bytes).pieceLayers.size).toBe(0);
  });

  const root = new Uint8Array(32).fill(1);
  const file = (members: Members): Encodable => ({ '': members });
  it.each<[string, Members]>([
    ['no power of two', { 'piece length': 49152 }],
    ['no power of two', { 'piece length': 8192 }],
    ['its file tree is missing', { 'file tree': undefined }],
    ['is a file', { 'file tree': { '': { length: 5, 'pieces root': root } } }],
    ['no dictionary', { 'file tree': { a: 5 } }],
    ['no dictionary', { 'file tree': { a: { '': 5 } } }],
    ['no valid length', { 'file tree': { a: file({}) } }],
    ['no pieces root', { 'file tree': { a: file({ length: 5 }) } }],
    ['no pieces root', { 'file tree': { a: file({ length: 5, 'pieces root': 'short' }) } }],
    [
      'both a file and a folder',
      { 'file tree': { a: { '': { length: 5, 'pieces root': root }, b: file({ length: 0 }) } } },
    ],
    ['no content', { 'file tree': { a: file({ length: 0 }) } }],
    ['no content', { 'file tree': {} }],
    ['more than 4194304 pieces', { 'file tree': { a: file({ length: 2 ** 52, 'pieces root': root }) } }],
    [
      'longer than 2^53',
      {
        'file tree': {
          a: file({ length: 2 ** 53 - 1, 'pieces root': root }),
          b: file({ length: 2 ** 53 - 1, 'pieces root': root }),
        },
      },
    ],
  ])('is refused with %j', (what, change) => {
    expect(problem(torrent({ 'meta version': 2, name: 'n', 'piece length': 16384, ...change }))).toContain(what);
  });

  it('is refused where the tree is not sorted, for clients would not agree on the order of pieces', () => {
    const entry = `d0:d6:lengthi5e11:pieces root32:${'r'.repeat(32)}ee`;
    const info = (a: string, b: string): Uint8Array =>
      fromLatin1(`d9:file treed1:${a}${entry}1:${b}${entry}e12:meta versioni2e4:name1:n12:piece lengthi16384ee`);
    expect(parseInfo(info('a', 'b'), testHashes).files.length).toBe(2);
    expect(() => parseInfo(info('b', 'a'), testHashes)).toThrow('not sorted');
  });

  it('is refused where its tree is deeper than a path may be', () => {
    let tree: Encodable = file({ length: 5, 'pieces root': root });
    for (let i = 0; i < 110; i++) tree = { d: tree };
    expect(problem(torrent({ 'meta version': 2, name: 'n', 'piece length': 16384, 'file tree': tree }))).toContain(
      'deep',
    );
  });
});

describe('a hybrid torrent', () => {
  it('is both, with padding from the v1 list and roots from the tree', () => {
    const sample = sampleTorrent(someFiles, { kind: 'hybrid', pieceLengthBytes: 32768 });
    const { info } = parse(sample.metainfo);
    expect(info.infoHashV1).toEqual(testHashes.sha1(sample.info));
    expect(info.infoHashV2).toEqual(testHashes.sha256(sample.info));
    expect(info.files.map((file) => file.path.join('/'))).toEqual([
      'a',
      '.pad/31072',
      'b/x',
      '.pad/25536',
      'b.txt',
      '.pad/32763',
      'empty',
      'link',
    ]);
    expect(info.spaceBytes).toBe(sample.space.length);
    expect(info.files.filter((file) => file.piecesRoot).every((file) => file.offsetBytes % 32768 === 0)).toBe(true);
  });

  it('of one file needs no padding', () => {
    const file = { path: ['n'], bytes: noise(50_000, 1) };
    const { info } = parse(sampleTorrent([file], { kind: 'hybrid', name: 'n', singleFile: true }).metainfo);
    expect(info).toMatchObject({ singleFile: true, spaceBytes: 50_000, hasV1: true, hasV2: true });
  });

  const root = new Uint8Array(32).fill(1);
  const tree = (members: Record<string, number>): Encodable =>
    Object.fromEntries(
      Object.entries(members).map(([name, length]) => [name, { '': { length, 'pieces root': root } }]),
    );
  const hybrid = (files: readonly Members[], fileTree: Encodable, pieces = 2): Uint8Array =>
    folder(files, { 'meta version': 2, 'file tree': fileTree, pieces: new Uint8Array(20 * pieces) });
  const pad = { length: 16379, path: ['.pad', '16379'], attr: 'p' };
  const a = { length: 5, path: ['a'] };
  const b = { length: 6, path: ['b'] };

  it('is refused where its two parts differ', () => {
    expect(problem(hybrid([a, pad, b], tree({ a: 5, b: 6 })))).toBe('fine');
    const differ = 'list different files';
    expect(problem(hybrid([a, pad, b], tree({ a: 5, b: 7 })))).toContain(differ);
    expect(problem(hybrid([a, pad, b], tree({ a: 5, c: 6 })))).toContain(differ);
    expect(problem(hybrid([a, pad, b], tree({ a: 5 })))).toContain(differ);
    expect(problem(hybrid([a, pad, b], tree({ a: 5, b: 6, c: 7 })))).toContain(differ);
    expect(problem(hybrid([b, { ...pad, length: 16378 }, a], tree({ a: 5, b: 6 })))).toContain(differ);
    expect(problem(hybrid([a, { ...pad, attr: 'x' }, b], tree({ a: 5, b: 6 })))).toContain(differ);
  });

  it('is refused where a file does not begin at a piece', () => {
    expect(problem(hybrid([a, b], tree({ a: 5, b: 6 }), 1))).toContain('begin every file at a piece');
    expect(problem(hybrid([a, { ...pad, length: 16378 }, b], tree({ a: 5, b: 6 }), 1))).toContain('at a piece');
  });

  it('is refused where one part is a single file and the other is not', () => {
    const info = { ...single, 'meta version': 2, 'file tree': tree({ other: 5 }) };
    expect(problem(torrent(info))).toContain('list different files');
  });
});
