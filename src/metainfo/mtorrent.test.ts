import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noise, sampleTorrent, testHashes } from '../../test/support/sample-torrents.ts';
import { concatBytes, fromLatin1, latin1, toHex, utf8 } from '../base/bytes.ts';
import { isShoalError } from '../base/errors.ts';
import { encode } from '../bencode/encode.ts';
import { formatMtorrent, type Mtorrent, metainfoToMtorrent, mtorrentToMetainfo, parseMtorrent } from './mtorrent.ts';
import { parseMetainfo } from './parse.ts';

const HASH = 'abcdefghijklmnopqrst';
const file = (...parts: string[]): Uint8Array => fromLatin1(parts.join(''));
const HEAD = 'http://a/\nhttp://b/\nname.bin\n524289\n';

function problem(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isShoalError(error, 'MTORRENT_INVALID')) return error.message;
    throw error;
  }
  return 'fine';
}

describe('parseMtorrent', () => {
  it('reads four lines and the hashes', () => {
    expect(parseMtorrent(file(HEAD, HASH, HASH))).toEqual({
      trackers: ['http://a/', 'http://b/'],
      name: 'name.bin',
      lengthBytes: 524_289,
      hashes: utf8(HASH + HASH),
    });
  });

  it('takes an empty second tracker and a name in any script', () => {
    const { trackers, name } = parseMtorrent(concatBytes([utf8('http://a/\n\n日本 é.bin\n1\n'), utf8(HASH)]));
    expect([trackers, name]).toEqual([['http://a/', null], '日本 é.bin']);
  });

  it('takes CRLF, one final line end, and hashes in hex', () => {
    const expected = parseMtorrent(file(HEAD, HASH, HASH));
    const hex = toHex(utf8(HASH + HASH));
    for (const head of [HEAD, HEAD.replaceAll('\n', '\r\n')]) {
      for (const hashes of [HASH + HASH, hex, hex.toUpperCase()]) {
        for (const end of ['', '\n', '\r\n']) expect(parseMtorrent(file(head, hashes, end))).toEqual(expected);
      }
    }
  });

  it('keeps hashes that look like line ends', () => {
    const hashes = `${HASH.slice(2)}\r\n`;
    expect(latin1(parseMtorrent(file('http://a/\n\nn\n5\n', hashes)).hashes)).toBe(hashes);
    expect(latin1(parseMtorrent(file('http://a/\n\nn\n5\n', '\n'.repeat(20), '\n')).hashes)).toBe('\n'.repeat(20));
  });

  it.each([
    ['', 'four lines'],
    ['http://a/\n\nn\n5', 'four lines'],
    [`\n\nn\n5\n${HASH}`, 'tracker is no URL'],
    [`nope\n\nn\n5\n${HASH}`, 'tracker is no URL'],
    [`http://a/\nnope\nn\n5\n${HASH}`, 'tracker is no URL'],
    [`http://a/\n\na/b\n5\n${HASH}`, 'file name'],
    [`http://a/\n\na\rb\n5\n${HASH}`, 'file name'],
    [`http://a/\n\n\n5\n${HASH}`, 'file name'],
    [`http://a/\n\n..\n5\n${HASH}`, 'file name'],
    [`http://a/\n\n${'n'.repeat(256)}\n5\n${HASH}`, 'longer than 255'],
    [`http://a/\n\nn\n\n${HASH}`, 'size'],
    [`http://a/\n\nn\n0\n`, 'size'],
    [`http://a/\n\nn\n-5\n${HASH}`, 'size'],
    [`http://a/\n\nn\n05\n${HASH}`, 'size'],
    [`http://a/\n\nn\n5 \n${HASH}`, 'size'],
    [`http://a/\n\nn\n9999999999999999\n${HASH}`, 'size'],
    [`http://a/\n\nn\n5\n${HASH.slice(1)}`, 'do not fit the size'],
    [`http://a/\n\nn\n5\n${HASH}\n\n`, 'do not fit the size'],
    [`http://a/\n\nn\n5\n${HASH}${HASH.slice(1)}`, 'do not fit the size'],
    [`http://a/\n\nn\n524289\n${HASH}`, 'do not fit the size'],
    [`http://a/\n\nn\n5\n${'g'.repeat(40)}`, 'not hexadecimal'],
    [`http://a/\n\n\xff\n5\n${HASH}`, 'not UTF-8'],
    [`http://${'a'.repeat(10_000)}/\n\nn\n5\n${HASH}`, 'four lines'],
  ])('refuses %.40j', (text, what) => {
    expect(problem(() => parseMtorrent(fromLatin1(text)))).toContain(what);
  });

  it('reads back what is written, and never throws anything but MTORRENT_INVALID', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      .filter((each) => !/[/\r\n\0]|^\.\.?$/.test(each));
    const sizes = fc.integer({ min: 1, max: 3 * 524_288 });
    const edit = fc.record({ at: fc.nat(), put: fc.uint8Array({ maxLength: 3 }), cut: fc.nat(3) });
    fc.assert(
      fc.property(name, sizes, fc.boolean(), edit, (each, lengthBytes, two, { at, put, cut }) => {
        const mtorrent: Mtorrent = {
          trackers: ['http://a/x', two ? 'udp://b:1' : null],
          name: each,
          lengthBytes,
          hashes: noise(20 * Math.ceil(lengthBytes / 524_288), lengthBytes),
        };
        const bytes = formatMtorrent(mtorrent);
        expect(parseMtorrent(bytes)).toEqual(mtorrent);
        const changed = [...bytes];
        changed.splice(at % changed.length, cut, ...put);
        problem(() => mtorrentToMetainfo(parseMtorrent(Uint8Array.from(changed)), testHashes));
      }),
      { numRuns: 400 },
    );
  });
});

describe('mtorrentToMetainfo', () => {
  it('stands for one definite v1 info dictionary, its trackers a tier each', () => {
    const mtorrent = parseMtorrent(file(HEAD, HASH, HASH));
    const { info, trackers } = mtorrentToMetainfo(mtorrent, testHashes);
    expect(latin1(info.bytes)).toBe(
      `d6:lengthi524289e4:name8:name.bin12:piece lengthi524288e6:pieces40:${HASH}${HASH}e`,
    );
    expect(info.infoHashV1).toEqual(testHashes.sha1(info.bytes));
    expect(info).toMatchObject({ singleFile: true, pieceCount: 2, hasV2: false, private: false });
    expect(trackers).toEqual([['http://a/'], ['http://b/']]);
    expect(mtorrentToMetainfo({ ...mtorrent, trackers: ['http://a/', null] }, testHashes).trackers).toEqual([
      ['http://a/'],
    ]);
  });

  it('and back is the same', () => {
    const mtorrent = parseMtorrent(file(HEAD, HASH, HASH));
    expect(metainfoToMtorrent(mtorrentToMetainfo(mtorrent, testHashes))).toEqual(mtorrent);
  });
});

describe('metainfoToMtorrent', () => {
  const one = [{ path: ['n'], bytes: noise(600_000, 1) }];
  const options = { kind: 'v1', name: 'n', singleFile: true, pieceLengthBytes: 524_288 } as const;
  const convert = (more: object): Mtorrent =>
    metainfoToMtorrent(parseMetainfo(sampleTorrent(one, { ...options, ...more }).metainfo, testHashes));

  it('keeps the first two trackers, in order', () => {
    const { trackers } = convert({ trackers: [['http://a/', 'http://b/'], ['http://c/']] });
    expect(trackers).toEqual(['http://a/', 'http://b/']);
    expect(convert({}).trackers[1]).toBeNull();
  });

  it.each([
    ['v1 torrents only', { kind: 'v2' }],
    ['v1 torrents only', { kind: 'hybrid' }],
    ['a folder', { singleFile: false }],
    ['512 KiB', { pieceLengthBytes: 262_144 }],
    ['needs a tracker', { trackers: [] }],
    ['info hash would change', { private: true }],
    ['info hash would change', { source: 'x' }],
  ])('says what the format cannot hold: %s', (what, more) => {
    expect(problem(() => convert(more))).toContain(what);
  });

  it('refuses a name that had to be made safe', () => {
    const info = { length: 5, name: 'a\\b', 'piece length': 524_288, pieces: utf8(HASH) };
    const meta = parseMetainfo(encode({ announce: 'http://a/', info }), testHashes);
    expect(problem(() => metainfoToMtorrent(meta))).toContain('info hash would change');
  });
});
