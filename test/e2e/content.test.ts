// Where content is, and what a get leaves behind: exactly DIR/name, with names, links and bits as they should be.

import { chmod, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import type { Workplace } from './program.ts';
import { expectFailure, get, it, json, LOCAL, startReady, treeOf, writeFiles } from './stage.ts';

/** Files of every sort, and names in many scripts. */
async function makeFilms(place: Workplace): Promise<void> {
  await writeFiles(place.path('films'), {
    'a.bin': 900_000,
    'b.bin': 3,
    'empty file': 0,
    'deep/er/and/deeper/c.bin': 70_000,
    'deep/empty too': 0,
    '.hidden': 5,
    'ελληνικά.txt': 1000,
    'русский/имя файла.txt': 1001,
    '日本語/ファイル.bin': 1002,
    'العربية.txt': 1003,
    'עברית.txt': 1004,
    'हिन्दी.txt': 1005,
    'emoji 🐟🐠.txt': 1006,
    'cafe\u0301 and café.txt': 1007,
    'quotes \' " and $dollar & more; #.txt': 1008,
  });
  await writeFile(place.path('films', 'run.sh'), '#!/bin/sh\n');
  await chmod(place.path('films', 'run.sh'), 0o755);
  await symlink('a.bin', place.path('films', 'link'));
  await symlink('../../a.bin', place.path('films', 'deep', 'er', 'link up'));
}

async function makeTorrent(place: Workplace, ...options: readonly string[]): Promise<void> {
  json(await place.run('create', 'films', '--symlinks', 'keep', '--json', '--piece-length', '32KiB', ...options));
}

/** Paths below a folder, folders included. */
const pathsIn = async (folder: string): Promise<string[]> => {
  const all = await readdir(folder, { recursive: true, encoding: 'utf8' });
  return all.sort();
};

describe('shoal get -o DIR', () => {
  it.for(['v1', 'v2', 'hybrid'])('leaves exactly DIR/name as it was made, of a %s torrent', async (meta, { place }) => {
    await makeFilms(place);
    await makeTorrent(place, '--meta', meta);
    const { address } = await startReady(place, 'seed', 'seed', 'films.torrent', 'films');
    await mkdir(place.path('here'));
    json(await get(place, 'leech', 'films.torrent', '-o', 'here', '--peer', address));
    expect(await treeOf(place.path('here'))).toEqual(await treeOf(place.path('films'), '/films'));
  });

  it('has nothing beside or in it while it runs', async ({ place }) => {
    await makeFilms(place);
    await makeTorrent(place);
    const { address } = await startReady(place, 'seed', 'seed', 'films.torrent', 'films');
    const allowed = new Set(['films', ...(await pathsIn(place.path('films'))).map((path) => `films/${path}`)]);
    await mkdir(place.path('here'));
    let isRunning = true;
    const fetching = get(place, 'leech', 'films.torrent', '-o', 'here', '--peer', address, '--max-download', '400kB');
    const ended = fetching.finally(() => {
      isRunning = false;
    });
    let looks = 0;
    while (isRunning) {
      const found = await pathsIn(place.path('here'));
      expect(found.filter((path) => !allowed.has(path))).toEqual([]);
      if (found.length > 0 && isRunning) looks++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    json(await ended);
    expect(looks).toBeGreaterThan(5);
    expect(await treeOf(place.path('here'))).toEqual(await treeOf(place.path('films'), '/films'));
  });

  it('mends what is damaged, and fetches no more than that', async ({ place }) => {
    await makeFilms(place);
    await makeTorrent(place);
    const { address } = await startReady(place, 'seed', 'seed', 'films.torrent', 'films');
    json(await get(place, 'leech', 'films.torrent', '-o', 'here', '--peer', address));
    await rm(place.path('here', 'films', '日本語', 'ファイル.bin'));
    await rm(place.path('here', 'films', 'empty file'));
    await rm(place.path('here', 'films', 'link'));
    await chmod(place.path('here', 'films', 'run.sh'), 0o644);
    const mended = json(await get(place, 'leech', 'films.torrent', '-o', 'here', '--peer', address));
    expect(mended.downloaded).toBeLessThanOrEqual(2 * 32 * 1024);
    expect(await treeOf(place.path('here'))).toEqual(await treeOf(place.path('films'), '/films'));
  });
});

describe('shoal seed', () => {
  it('names the pieces that are bad', async ({ place }) => {
    await writeFiles(place.path('films'), { 'a.bin': 400_000, 'b.bin': 400_000 });
    await makeTorrent(place);
    await rm(place.path('films', 'b.bin'));
    const lacking = await place.run('seed', 'films.torrent', 'films', ...LOCAL, '--state', place.path('states', 'a'));
    expectFailure(lacking, 1, 'CONTENT_BAD');
    expect(lacking.stderr).toMatch(/13 of 25 pieces are bad or missing \(12, 13, 14, /);
  });

  it('takes content under any name, and a folder that holds it', async ({ place }) => {
    await makeFilms(place);
    await makeTorrent(place);
    await writeFiles(place.folder, { song: 100_000 });
    json(await place.run('create', 'song', '--json'));
    await mkdir(place.path('media'));
    await rename(place.path('films'), place.path('media', 'films'));
    await rename(place.path('song'), place.path('media', 'song'));
    const inParent = ['seed', 'films.torrent', 'media', 'song.torrent', 'media'];
    const first = await startReady(place, 'a', ...inParent);
    expect(first.ready.torrents).toMatchObject([
      { path: place.path('media', 'films') },
      { path: place.path('media', 'song') },
    ]);
    await first.running.stop();
    await rename(place.path('media', 'films'), place.path('media', 'moving pictures'));
    await rename(place.path('media', 'song'), place.path('media', 'music.flac'));
    const renamed = ['seed', 'films.torrent', 'media/moving pictures', 'song.torrent', 'media/music.flac'];
    const { address } = await startReady(place, 'a', ...renamed);
    json(await get(place, 'leech', 'films.torrent', '-o', 'here', '--peer', address));
    json(await get(place, 'leech', 'song.torrent', '-o', 'here', '--peer', address));
    expect(await treeOf(place.path('here', 'films'))).toEqual(await treeOf(place.path('media', 'moving pictures')));
    expect(await treeOf(place.path('here', 'song'))).toEqual(await treeOf(place.path('media', 'music.flac')));
    const wrong = await place.run('seed', 'films.torrent', 'media/music.flac', ...LOCAL);
    expectFailure(wrong, 1, 'CONTENT_MISMATCH');
  });

  it('takes many pairs from a list', async ({ place }) => {
    const names = Array.from({ length: 12 }, (_, i) => `file ${i}`);
    await writeFiles(place.path('media'), Object.fromEntries(names.map((name, i) => [name, 20_000 + i])));
    for (let i = 0; i < names.length; i += 6) {
      const some = names.slice(i, i + 6);
      await Promise.all(some.map((name) => place.run('create', `media/${name}`, '-o', `${name}.torrent`)));
    }
    const lines = names.map((name) => `${name}.torrent\tmedia/${name}`);
    await writeFile(place.path('list.txt'), `# all\n\n${lines.join('\n')}\n`);
    const { address, ready } = await startReady(place, 'seed', 'seed', '--list', 'list.txt');
    expect((ready.torrents as { name: string }[]).map(({ name }) => name)).toEqual(names);
    for (const name of [names[0]!, names[11]!]) {
      json(await get(place, 'leech', `${name}.torrent`, '-o', 'here', '--peer', address));
      expect(await treeOf(place.path('here', name))).toEqual(await treeOf(place.path('media', name)));
    }
    await writeFile(place.path('bad.txt'), 'one.torrent\n');
    expectFailure(await place.run('seed', '--list', 'bad.txt', ...LOCAL), 2, 'USAGE');
  });
});
