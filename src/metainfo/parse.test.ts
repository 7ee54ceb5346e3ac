import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { folder, type Members, parse, problem, single, someFiles, torrent } from '../../test/support/plain-torrents.ts';
import { sampleTorrent, testHashes } from '../../test/support/sample-torrents.ts';
import { toHex } from '../base/bytes.ts';
import type { Encodable } from '../bencode/encode.ts';
import { metainfoFromInfo } from './parse.ts';

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

  const odd = fc.constantFrom<Encodable | undefined>(undefined, -1, 0, 2n ** 63n, '', 'x', [], {}, [[]], [{}], {
    '': {},
  });

  it('never throws anything but METAINFO_INVALID when members change type', () => {
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

  it('never throws anything but METAINFO_INVALID when members of a listed file change type', () => {
    const key = fc.constantFrom('attr', 'length', 'path', 'path.utf-8', 'symlink path');
    const base: Members = { attr: 'l', length: 5, path: ['a'], 'symlink path': ['b'] };
    fc.assert(
      fc.property(fc.array(fc.tuple(key, odd), { maxLength: 3 }), (changes) => {
        problem(
          folder([
            { length: 5, path: ['b'] },
            { ...base, ...Object.fromEntries(changes) },
          ]),
        );
      }),
      { numRuns: 300 },
    );
  });
});
