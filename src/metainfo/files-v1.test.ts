import { describe, expect, it } from 'vitest';
import { folder, type Members, parse, pathsOf, problem, single, torrent } from '../../test/support/plain-torrents.ts';
import { testHashes } from '../../test/support/sample-torrents.ts';
import { fromLatin1, latin1, utf8 } from '../base/bytes.ts';
import type { Encodable } from '../bencode/encode.ts';
import { parseMetainfo } from './parse.ts';

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

  it('has plain files where their flags are of the wrong type', () => {
    const attrs: Encodable[] = [{ p: 'p' }, ['p'], 7];
    const { info } = parse(folder(attrs.map((attr, i) => ({ length: 1, path: [`${i}`], attr }))));
    expect(info.files.map(({ path, padding }) => [path[0], padding])).toEqual([
      ['0', false],
      ['1', false],
      ['2', false],
    ]);
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
    ['something that is no name', { files: [{ length: 5, path: [{ a: 'b' }] }] }],
    ['something that is no name', { files: [{ length: 5, path: [7] }] }],
    ['no path', { files: [{ length: 5, path: { a: 'b' } }] }],
    ['no valid length', { files: [{ length: { a: 'b' }, path: ['a'] }] }],
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
