import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noise, type SampleFile, sampleTorrent, testHashes } from '../../test/support/sample-torrents.ts';
import { fromLatin1, latin1, toHex, utf8 } from '../base/bytes.ts';
import { isShoalError } from '../base/errors.ts';
import { type Encodable, encode } from '../bencode/encode.ts';
import { parseInfo } from './info.ts';
import { metainfoFromInfo, parseMetainfo } from './parse.ts';
import type { Metainfo } from './types.ts';

type Members = { readonly [key: string]: Encodable | undefined };

const HASH = new Uint8Array(20).fill(7);

/** A v1 torrent file of plain members. */
const torrent = (info: Members, outer: Members = {}): Uint8Array => encode({ ...outer, info });
const single: Members = { name: 'n', length: 5, 'piece length': 16384, pieces: HASH };
const folder = (files: readonly Members[], more: Members = {}): Uint8Array =>
  torrent({ name: 'n', 'piece length': 16384, pieces: HASH, files: files as Encodable[], ...more });
const parse = (bytes: Uint8Array): Metainfo => parseMetainfo(bytes, testHashes);
const pathsOf = (meta: Metainfo): string[] => meta.info.files.map((file) => file.path.join('/'));

function problem(bytes: Uint8Array): string {
  try {
    parse(bytes);
  } catch (error) {
    if (isShoalError(error, 'METAINFO_INVALID')) return error.message;
    throw error;
  }
  return 'fine';
}

const someFiles: readonly SampleFile[] = [
  { path: ['b', 'x'], bytes: noise(40_000, 1), executable: true },
  { path: ['b.txt'], bytes: noise(5, 2) },
  { path: ['empty'], bytes: new Uint8Array(0) },
  { path: ['a'], bytes: noise(100_000, 3), hidden: true },
  { path: ['link'], bytes: new Uint8Array(0), symlink: ['b', 'x'] },
];

describe('a v1 torrent', () => {
  it('of one file is read', () => {
    const { info } = parse(torrent(single));
    expect(info).toMatchObject({
      hasV1: true,
      hasV2: false,
      infoHashV2: null,
      name: 'n',
      singleFile: true,
      pieceLengthBytes: 16384,
      pieceCount: 1,
      spaceBytes: 5,
      lengthBytes: 5,
      private: false,
      source: null,
    });
    expect(info.files).toEqual([
      {
        path: ['n'],
        lengthBytes: 5,
        offsetBytes: 0,
        padding: false,
        executable: false,
        hidden: false,
        symlink: null,
        piecesRoot: null,
      },
    ]);
  });

  it('has the info hash of its original bytes, sorted or not', () => {
    const info = 'd6:lengthi5e12:piece lengthi16384e4:name1:n6:pieces20:aaaaaaaaaaaaaaaaaaaae';
    const meta = parse(fromLatin1(`d4:info${info}8:announce9:http://a/e\n`));
    expect(meta.info.infoHashV1).toEqual(testHashes.sha1(fromLatin1(info)));
    expect(latin1(meta.info.bytes)).toBe(info);
    expect(meta.trackers).toEqual([['http://a/']]);
  });

  it('of a folder is read, padding, attributes and symlinks included', () => {
    const { info } = parse(
      folder(
        [
          { length: 10, path: ['a'], attr: 'xh' },
          { length: 16374, path: ['.pad', '16374'], attr: 'p' },
          { path: ['l'], attr: 'l', 'symlink path': ['d', 'b'] },
          { length: 20, path: ['d', 'b'] },
        ],
        { pieces: new Uint8Array(40) },
      ),
    );
    expect(info.files.map((file) => file.offsetBytes)).toEqual([0, 10, 16384, 16384]);
    expect(info.files.map((file) => file.padding)).toEqual([false, true, false, false]);
    expect(info.files[0]).toMatchObject({ executable: true, hidden: true });
    expect(info.files[2]).toMatchObject({ symlink: ['d', 'b'], lengthBytes: 0 });
    expect(info).toMatchObject({ singleFile: false, spaceBytes: 16404, lengthBytes: 30, pieceCount: 2 });
  });

  it('may have padding without a path, and padding of one name many times', () => {
    const pad = { length: 10, attr: 'p' };
    const meta = parse(folder([{ length: 1, path: ['a'] }, pad, { length: 1, path: ['b'] }, pad]));
    expect(pathsOf(meta)).toEqual(['a', '.pad/10', 'b', '.pad/10']);
  });

  it('prefers names marked as UTF-8, and reads any others somehow', () => {
    const latin = fromLatin1('caf\xe9');
    const meta = parse(
      folder(
        [
          { length: 1, path: [latin], 'path.utf-8': ['café!'] },
          { length: 1, path: [latin] },
        ],
        {
          name: latin,
          'name.utf-8': 'nüm',
        },
      ),
    );
    expect(meta.info.name).toBe('nüm');
    expect(pathsOf(meta)).toEqual(['café!', 'café']);
  });

  it('gets safe and unique names, and loses no file', () => {
    const meta = parse(
      folder(
        [
          { length: 1, path: ['..', '..', 'etc', 'passwd'] },
          { length: 1, path: ['a/b'] },
          { length: 1, path: ['x'] },
          { length: 1, path: ['X'] },
          { length: 1, path: ['x', 'y'] },
        ],
        { name: '../n' },
      ),
    );
    expect(meta.info.name).toBe('.._n');
    expect(pathsOf(meta)).toEqual(['__/__/etc/passwd', 'a_b', 'x.1', 'X.2', 'x/y']);
  });

  it('keeps names that differ in case alone for a disk that tells them apart', () => {
    const bytes = folder([
      { length: 1, path: ['x'] },
      { length: 1, path: ['X'] },
    ]);
    expect(pathsOf(parseMetainfo(bytes, testHashes, { caseSensitive: true }))).toEqual(['x', 'X']);
  });

  it('turns a symlink out of the torrent into an empty file', () => {
    const link = { length: 0, path: ['l'], attr: 'l', 'symlink path': ['..', 'etc', 'passwd'] };
    expect(parse(folder([link, { length: 1, path: ['a'] }])).info.files[0]!.symlink).toBeNull();
  });

  it.each<[string, Members]>([
    ['no name', { name: undefined }],
    ['no valid piece length', { 'piece length': 0 }],
    ['no valid piece length', { 'piece length': -16384 }],
    ['longer than 536870912', { 'piece length': 2 ** 40 }],
    ['40 bytes of piece hashes where 1 pieces need 20', { pieces: new Uint8Array(40) }],
    ['19 bytes of piece hashes', { pieces: new Uint8Array(19) }],
    ['0 bytes of piece hashes', { pieces: new Uint8Array(0) }],
    ['piece hashes are missing', { pieces: 7 }],
    ['neither piece hashes', { pieces: undefined }],
    ['no valid length', { length: -1 }],
    ['no valid length', { length: 2n ** 60n }],
    ['no valid length', { length: undefined }],
    ['no content', { length: 0, pieces: '' }],
    ['newer format', { 'meta version': 3 }],
    ['more than 4194304 pieces', { length: 2 ** 50 }],
    ['an entry of its file list is no dictionary', { files: ['x'] }],
    ['no content', { files: [] }],
    ['no path', { files: [{ length: 5 }] }],
    ['no path', { files: [{ length: 5, path: [] }] }],
    ['something that is no name', { files: [{ length: 5, path: [['a']] }] }],
    ['no valid length', { files: [{ path: ['a'] }] }],
    [
      'no valid length',
      {
        files: [
          { path: ['a'], length: -5 },
          { path: ['b'], length: 10 },
        ],
      },
    ],
    [
      'longer than 2^53',
      {
        files: [
          { path: ['a'], length: 2 ** 53 - 1 },
          { path: ['b'], length: 1 },
        ],
      },
    ],
    ['deeper than 100', { files: [{ length: 5, path: new Array<string>(101).fill('a') }] }],
  ])('is refused with %j', (what, change) => {
    expect(problem(torrent({ ...single, ...change }))).toContain(what);
  });

  it('is refused where it is no dictionary with an info dictionary', () => {
    expect(problem(new Uint8Array(0))).toContain('byte 0');
    expect(problem(utf8('<html>'))).toContain('the file cannot be read, bencoding is broken at byte 0');
    expect(problem(utf8('i1e'))).toContain('no dictionary');
    expect(problem(utf8('de'))).toContain('no info dictionary');
    expect(problem(utf8('d4:infoi1ee'))).toContain('no info dictionary');
    expect(problem(torrent(single).subarray(0, -1))).toContain('unexpected end');
  });
});

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
    const info = { raw: parse(sample.metainfo).info };
    const withLayers = (layers: ReadonlyMap<string, Encodable>): Uint8Array =>
      fromLatin1(`d4:info${latin1(info.raw.bytes)}12:piece layers${latin1(encode(layers))}e`);
    const layers = new Map([...sample.pieceLayers].map(([root, layer]) => [latin1(fromHexKey(root)), layer]));
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

describe('what stands around the info dictionary', () => {
  it('is read', () => {
    const meta = parse(
      torrent(
        { ...single, private: 1, source: 'SRC' },
        {
          announce: 'http://one/',
          'announce-list': [['http://a/', 'udp://b:1/'], [], ['http://a/', 'wss://c/']],
          'url-list': ['http://w/', 'http://w/', ''],
          httpseeds: ['http://h/'],
          nodes: [['1.2.3.4', 5], ['bad host', 1], ['x', 0], ['::1', 65535], 7],
          comment: 'hello',
          'created by': 'someone',
          'creation date': 1234,
        },
      ),
    );
    expect(meta).toMatchObject({
      trackers: [['http://a/', 'udp://b:1/'], ['wss://c/']],
      webSeeds: ['http://w/'],
      httpSeeds: ['http://h/'],
      nodes: [
        { host: '1.2.3.4', port: 5 },
        { host: '::1', port: 65535 },
      ],
      comment: 'hello',
      createdBy: 'someone',
      creationDate: 1234,
    });
    expect(meta.info).toMatchObject({ private: true, source: 'SRC' });
  });

  it('takes announce where the list is empty, a list of plain URLs, and a web seed that is no list', () => {
    expect(parse(torrent(single, { announce: 'http://one/', 'announce-list': [[]] })).trackers).toEqual([
      ['http://one/'],
    ]);
    expect(parse(torrent(single, { 'announce-list': ['http://a/', 'http://b/'] })).trackers).toEqual([
      ['http://a/'],
      ['http://b/'],
    ]);
    expect(parse(torrent(single, { 'url-list': 'http://w/' })).webSeeds).toEqual(['http://w/']);
    expect(parse(torrent(single)).trackers).toEqual([]);
  });

  it('is ignored where it is of the wrong type or no URL', () => {
    const meta = parse(
      torrent(single, {
        announce: 5,
        'announce-list': 'x',
        'url-list': ['no url', 'http://a b/', 'http://\u0007/', 7],
        nodes: {},
        comment: [],
        'creation date': -5,
      }),
    );
    expect(meta).toMatchObject({ trackers: [], webSeeds: [], nodes: [], comment: null, creationDate: null });
  });

  it('holds no more URLs than the limit', () => {
    const urls = Array.from({ length: 1000 }, (_, i) => `http://t/${i}`);
    expect(parse(torrent(single, { 'announce-list': urls.map((url) => [url]) })).trackers.length).toBe(256);
    expect(parse(torrent(single, { 'announce-list': [urls] })).trackers.flat().length).toBe(256);
  });

  it('merges hints of similar torrents from inside and outside', () => {
    const hash = (byte: number): Uint8Array => new Uint8Array(20).fill(byte);
    const { info } = parse(
      torrent(
        { ...single, similar: [hash(1), 'short'], collections: ['c'] },
        {
          similar: [hash(1), hash(2)],
          collections: ['d', 'c'],
        },
      ),
    );
    expect(info.similar.map((each) => toHex(each).slice(0, 2))).toEqual(['01', '02']);
    expect(info.collections).toEqual(['c', 'd']);
  });

  it('is empty where only the info dictionary is known', () => {
    const { info } = sampleTorrent(someFiles, { kind: 'v2' });
    const meta = metainfoFromInfo(info, [['http://t/']], [], testHashes);
    expect(meta.pieceLayers.size).toBe(0);
    expect(meta.info.infoHashV2).toEqual(testHashes.sha256(info));
  });
});

describe('hostile input', () => {
  const valid = (['v1', 'v2', 'hybrid'] as const).map((kind) => sampleTorrent(someFiles, { kind }).metainfo);

  it('never throws anything but METAINFO_INVALID', () => {
    const edit = fc.record({
      at: fc.nat(),
      cut: fc.integer({ min: 0, max: 12 }),
      put: fc.uint8Array({ maxLength: 6 }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...valid), fc.array(edit, { minLength: 1, maxLength: 4 }), (bytes, edits) => {
        const changed = [...bytes];
        for (const { at, cut, put } of edits) changed.splice(at % changed.length, cut, ...put);
        problem(Uint8Array.from(changed));
      }),
      { numRuns: 800 },
    );
  });

  it('never throws anything but METAINFO_INVALID when members change type', () => {
    const odd = fc.constantFrom<Encodable | undefined>(undefined, -1, 0, 2n ** 63n, '', 'x', [], {}, [[]], [{}], {
      '': {},
    });
    const key = fc.constantFrom(
      'name',
      'length',
      'piece length',
      'pieces',
      'files',
      'file tree',
      'meta version',
      'attr',
      'private',
      'similar',
      'collections',
    );
    const base: Members = {
      ...single,
      'meta version': 2,
      'file tree': { n: { '': { length: 5, 'pieces root': new Uint8Array(32) } } },
    };
    fc.assert(
      fc.property(fc.array(fc.tuple(key, odd), { maxLength: 3 }), (changes) => {
        problem(torrent({ ...base, ...Object.fromEntries(changes) }));
      }),
      { numRuns: 800 },
    );
  });
});

function fromHexKey(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16));
}
