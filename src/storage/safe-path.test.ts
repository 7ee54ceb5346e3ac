import { describe, expect, it } from 'vitest';
import { noise, sampleTorrent, testHashes } from '../../test/support/sample-torrents.ts';
import { parseInfo } from '../metainfo/info.ts';
import type { TorrentInfo } from '../metainfo/types.ts';
import type { FileInfo, Files } from '../ports/files.ts';
import { contentRoot, joinPath } from './safe-path.ts';

/** Files with these paths and lengths, and the folders above them. */
function filesOf(tree: Readonly<Record<string, number>>): Files {
  const entry = (kind: 'file' | 'folder', lengthBytes: number): FileInfo => {
    return { kind, lengthBytes, mtimeMs: 0, executable: false, identity: '' };
  };
  return {
    info: async (path: string) => {
      const length = tree[path];
      if (length !== undefined) return entry('file', length);
      return Object.keys(tree).some((file) => file.startsWith(`${path}/`)) ? entry('folder', 0) : null;
    },
  } as unknown as Files;
}

function infoOf(paths: readonly string[], name: string, singleFile = false): TorrentInfo {
  const files = paths.map((path) => ({ path: path.split('/'), bytes: noise(10, 1) }));
  return parseInfo(sampleTorrent(files, { kind: 'v1', name, singleFile }).info, testHashes);
}

describe('paths', () => {
  it('join below a root, and never leave it', () => {
    expect(joinPath('/a/', ['b', 'c'])).toBe('/a/b/c');
    expect(joinPath('/', ['b'])).toBe('/b');
    expect(joinPath('/a/b', [])).toBe('/a/b');
    for (const component of ['', '.', '..', 'a/b', 'a\\b', 'a\0']) {
      expect(() => joinPath('/a', ['ok', component])).toThrow(expect.objectContaining({ code: 'UNSAFE_PATH' }));
    }
  });
});

describe('where the content of a torrent is', () => {
  const folder = infoOf(['a', 'sub/b'], 'music');
  const single = infoOf(['song'], 'song', true);

  it('is the path itself, under whatever name', async () => {
    expect(await contentRoot(filesOf({ '/x/other/a': 10, '/x/other/sub/b': 10 }), folder, '/x/other')).toBe('/x/other');
    expect(await contentRoot(filesOf({ '/x/renamed': 10 }), single, '/x/renamed')).toBe('/x/renamed');
  });

  it('is in a folder that holds the name', async () => {
    expect(await contentRoot(filesOf({ '/x/music/a': 10, '/x/other': 1 }), folder, '/x')).toBe('/x/music');
    expect(await contentRoot(filesOf({ '/x/song': 10 }), single, '/x')).toBe('/x/song');
  });

  it('is the better match where a folder holds both', async () => {
    const own = { '/music/a': 10, '/music/sub/b': 10, '/music/music/a': 10 };
    expect(await contentRoot(filesOf(own), folder, '/music')).toBe('/music');
    const parent = { '/music/a': 7, '/music/music/a': 10, '/music/music/sub/b': 10 };
    expect(await contentRoot(filesOf(parent), folder, '/music')).toBe('/music/music');
  });

  it('is found although files are damaged or missing', async () => {
    expect(await contentRoot(filesOf({ '/x/a': 3 }), folder, '/x')).toBe('/x');
  });

  it('is said to be elsewhere where nothing fits', async () => {
    const files = filesOf({ '/x/file': 10, '/x/folder/z': 1 });
    const code = (expected: string): unknown => expect.objectContaining({ code: expected });
    await expect(contentRoot(files, folder, '/nothing')).rejects.toEqual(code('FILE_NOT_FOUND'));
    await expect(contentRoot(files, folder, '/x/file')).rejects.toEqual(code('CONTENT_MISMATCH'));
    await expect(contentRoot(files, folder, '/x/folder')).rejects.toEqual(code('CONTENT_MISMATCH'));
    await expect(contentRoot(files, single, '/x/folder')).rejects.toEqual(code('CONTENT_MISMATCH'));
  });
});
