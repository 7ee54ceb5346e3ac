// Disks that are full or read-only, and things that stand where content should be: one clear line, nothing lost.

import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { canMount, mountSmallDisk, type SmallDisk } from '../contract/small-disk.ts';
import type { Workplace } from './program.ts';
import { expectFailure, get, it, json, startReady, treeOf, writeFiles } from './stage.ts';

const MB = 1_000_000;

/** Runs with a small disk mounted at `disk`; the test is skipped by name where the machine does not let us. */
async function withDisk(
  place: Workplace,
  sizeBytes: number,
  skip: (note: string) => void,
  body: (disk: SmallDisk) => Promise<void>,
): Promise<void> {
  const disk = canMount ? mountSmallDisk(place.path('disk'), sizeBytes) : null;
  if (disk === null) return skip('only root may mount a small disk');
  try {
    await body(disk);
  } finally {
    await place.killAll();
    disk.unmount();
  }
}

/** A torrent of `films` (12 MB in two files and an empty one) and a seed of it. */
async function seedFilms(place: Workplace): Promise<{ source: string[] }> {
  await writeFiles(place.path('films'), { 'a.bin': 7 * MB, 'deep/b.bin': 5 * MB, empty: 0 });
  await place.run('create', 'films', '--piece-length', '128KiB');
  const { address } = await startReady(place, 'seed', 'seed', 'films.torrent', 'films');
  return { source: ['films.torrent', '--peer', address] };
}

describe('a full disk', () => {
  it('ends get with one line; with room it goes on and fetches just the rest', async ({ place, skip }) => {
    await withDisk(place, 16 * 2 ** 20, skip, async () => {
      const { source } = await seedFilms(place);
      await writeFile(place.path('disk', 'ballast'), new Uint8Array(10 * 2 ** 20));
      for (let i = 0; i < 2; i++) {
        const full = await get(place, 'leech', ...source, '-o', 'disk');
        expectFailure(full, 1, 'DISK_FULL');
        expect(full.stderr).toContain('make room');
      }
      await rm(place.path('disk', 'ballast'));
      const done = json(await get(place, 'leech', ...source, '-o', 'disk'));
      expect(done).toMatchObject({ verified: 92, pieces: 92 });
      // There was room for 6 MiB; pieces that were on their way in when it was used up may be lost.
      expect(done.downloaded).toBeLessThan(12 * MB - 4 * MB);
      expect(await treeOf(place.path('disk', 'films'))).toEqual(await treeOf(place.path('films')));
    });
  });

  it('ends create with one line, and leaves no half of a torrent file', async ({ place, skip }) => {
    await withDisk(place, 2 ** 20, skip, async () => {
      await writeFiles(place.folder, { 'content.bin': 6 * MB });
      await writeFile(place.path('disk', 'ballast'), new Uint8Array(2 ** 20));
      expectFailure(await place.run('create', 'content.bin', '-o', 'disk/new.torrent'), 1, 'DISK_FULL');
      expect(Object.keys(await treeOf(place.path('disk')))).toEqual(['/ballast']);
    });
  });
});

describe('a read-only disk', () => {
  it('ends get with one line; made writable again, get fetches just the rest', async ({ place, skip }) => {
    await withDisk(place, 32 * 2 ** 20, skip, async (disk) => {
      const { source } = await seedFilms(place);
      json(await get(place, 'leech', ...source, '-o', 'disk', '--only', 'a.bin'));
      const before = await treeOf(place.path('disk'));
      disk.makeReadOnly();
      expectFailure(await get(place, 'leech', ...source, '-o', 'disk'), 1, 'READ_ONLY');
      expectFailure(await get(place, 'other', ...source, '-o', 'disk/new'), 1, 'READ_ONLY');
      expect(await treeOf(place.path('disk'))).toEqual(before);
      disk.makeWritable();
      const done = json(await get(place, 'leech', ...source, '-o', 'disk'));
      expect(done.downloaded).toBeLessThan(5 * MB + 2 * 128 * 1024);
      expect(await treeOf(place.path('disk', 'films'))).toEqual(await treeOf(place.path('films')));
    });
  });

  it('is good enough to seed from', async ({ place, skip }) => {
    await withDisk(place, 16 * 2 ** 20, skip, async (disk) => {
      await writeFiles(place.path('disk', 'films'), { 'a.bin': 3 * MB });
      json(await place.run('create', 'disk/films', '--json'));
      disk.makeReadOnly();
      const { address } = await startReady(place, 'seed', 'seed', 'films.torrent', 'disk');
      json(await get(place, 'leech', 'films.torrent', '-o', 'here', '--peer', address));
      expect(await treeOf(place.path('here', 'films'))).toEqual(await treeOf(place.path('disk', 'films')));
    });
  });
});

describe('a folder that the disk loses', () => {
  /** Has the disk lose the first folder at or below `path` that is put onto it. */
  function loseBelow(place: Workplace, path: string): boolean {
    const library = place.path('failing.so');
    const source = fileURLToPath(new URL('../support/failing_folder_sync.c', import.meta.url));
    try {
      execFileSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl'], { stdio: 'ignore' });
    } catch {
      return false;
    }
    place.env = { LD_PRELOAD: library, FAILS_BELOW: place.path(path) };
    return true;
  }

  it.for([
    ['the content', 'here', 1],
    ['one of many in the content', 'here/films/deep', 20],
  ] as const)('ends get with one line, and nothing in it is trusted: %s', async ([, lost, count], { place, skip }) => {
    const files = Array.from({ length: count }, (_, i) => [`deep/${i}/file.bin`, MB / count] as const);
    await writeFiles(place.path('films'), Object.fromEntries(files));
    await place.run('create', 'films', '--piece-length', '16KiB');
    const { address } = await startReady(place, 'seed', 'seed', 'films.torrent', 'films');
    if (process.platform !== 'linux' || !loseBelow(place, lost)) return skip('no C compiler to make a disk fail with');
    const source = ['films.torrent', '--peer', address, '-o', 'here'];
    // Long enough for the journal to ask first: the end asks again.
    expectFailure(await get(place, 'leech', ...source, '--max-download', '500KB/s'), 1, 'IO');
    place.env = {};
    const done = json(await get(place, 'leech', ...source));
    expect(done).toMatchObject({ verified: done.pieces });
    expect(await treeOf(place.path('here', 'films'))).toEqual(await treeOf(place.path('films')));
  });

  /** Appends twice to a log in a new state folder, and tells what became of it, what was there in between, and what is there then. */
  const APPENDS = `
    import { existsSync } from 'node:fs';
    import { createFileStore } from ${JSON.stringify(new URL('../../dist/platform/node/store.js', import.meta.url).href)};
    const folder = process.argv[1] + '/state';
    const log = await createFileStore(folder).openLog('a/log', 1000);
    const append = (text) => log.append(Buffer.from(text)).then(() => 'done', (error) => error.code);
    const told = [await append('one'), existsSync(folder), existsSync(folder + '/a/log'), await append('two')];
    const bytes = await createFileStore(folder).read('a/log');
    console.log(JSON.stringify([...told, Buffer.from(bytes).toString()]));
  `;

  it.for([
    ['a folder of it', '', false],
    ['a file in it', 'state/a', true],
  ] as const)(
    'fails a record in the state folder, and is made anew by the next: %s',
    ([, lost, isThere], { place, skip }) => {
      if (process.platform !== 'linux' || !loseBelow(place, lost))
        return skip('no C compiler to make a disk fail with');
      const args = ['--input-type=module', '-e', APPENDS, place.folder];
      const told = execFileSync(process.execPath, args, { env: { ...process.env, ...place.env } });
      expect(JSON.parse(told.toString())).toEqual(['IO', isThere, false, 'done', 'two']);
    },
  );

  /** Appends twice to two logs in one folder, to both at once, and tells what became of it. */
  const TWO_LOGS = `
    import { statSync } from 'node:fs';
    import { createFileStore } from ${JSON.stringify(new URL('../../dist/platform/node/store.js', import.meta.url).href)};
    const folder = process.argv[1] + '/state';
    const store = createFileStore(folder);
    const logs = [await store.openLog('a/one', 1000), await store.openLog('a/two', 1000)];
    const append = (log) => log.append(Buffer.from('x')).then(() => 'done', (error) => error.code);
    const told = [await Promise.all(logs.map(append)), await Promise.all(logs.map(append))];
    console.log(JSON.stringify([...told, statSync(folder + '/a/one').size, statSync(folder + '/a/two').size]));
  `;

  it('tells all who put something into it, not only the first who asks', async ({ place, skip }) => {
    if (process.platform !== 'linux' || !loseBelow(place, 'state/a'))
      return skip('no C compiler to make a disk fail with');
    await mkdir(place.path('state', 'a'), { recursive: true });
    const args = ['--input-type=module', '-e', TWO_LOGS, place.folder];
    const told = execFileSync(process.execPath, args, { env: { ...process.env, ...place.env } });
    expect(JSON.parse(told.toString())).toEqual([['IO', 'IO'], ['done', 'done'], 1, 1]);
  });

  /** Replaces a log of whose new file the name is lost, and tells what became of that and of each append, and of the file. */
  const REPLACES = `
    import { readFileSync, statSync } from 'node:fs';
    import { createFileStore } from ${JSON.stringify(new URL('../../dist/platform/node/store.js', import.meta.url).href)};
    const folder = process.argv[1] + '/state';
    const log = await createFileStore(folder).openLog('a/log', 1000);
    const told = [];
    let before;
    const act = async (name, text) => {
      const outcome = await log[name](Buffer.from(text)).then(() => 'done', (error) => error.code);
      const file = folder + '/a/log';
      const { ino } = statSync(file);
      told.push([outcome, readFileSync(file, 'utf8'), ino === before ? 'same file' : 'new file']);
      before = ino;
    };
    await act('replace', 'a snapshot');
    for (const text of ['+1', '+2', '+3']) await act('append', text);
    console.log(JSON.stringify(told));
  `;

  it.for([
    ['of a log that was there, longer than the new one', 'an old log, and longer'],
    ['of a log that was there, shorter than the new one', 'old'],
    ['of a new log', null],
  ] as const)(
    'fails a replacement, and what is appended then makes the file anew: %s',
    async ([, old], { place, skip }) => {
      if (process.platform !== 'linux' || !loseBelow(place, 'state/a'))
        return skip('no C compiler to make a disk fail with');
      await mkdir(place.path('state', 'a'), { recursive: true });
      if (old !== null) await writeFile(place.path('state', 'a', 'log'), old);
      const run = (times: number): unknown => {
        const env = { ...process.env, ...place.env, FAILS_TIMES: String(times) };
        const args = ['--input-type=module', '-e', REPLACES, place.folder];
        return JSON.parse(execFileSync(process.execPath, args, { env }).toString());
      };
      expect(run(1)).toEqual([
        ['IO', 'a snapshot', 'new file'],
        ['done', 'a snapshot+1', 'new file'],
        ['done', 'a snapshot+1+2', 'same file'],
        ['done', 'a snapshot+1+2+3', 'same file'],
      ]);
      if (old === null) await rm(place.path('state', 'a', 'log'));
      else await writeFile(place.path('state', 'a', 'log'), old);
      // The file that the append makes is lost, too: nothing of it is left to be appended to.
      expect(run(2)).toEqual([
        ['IO', 'a snapshot', 'new file'],
        ['IO', 'a snapshot', 'new file'],
        ['done', 'a snapshot+2', 'new file'],
        ['done', 'a snapshot+2+3', 'same file'],
      ]);
    },
  );
});

describe('something in the way', () => {
  it.for([
    ['a file where the folder of the torrent should be', 'films', 'file'],
    ['a file where a folder in it should be', 'films/deep', 'file'],
    ['a folder where a file should be', 'films/deep/b.bin', 'folder'],
    ['a folder where an empty file should be', 'films/empty', 'folder'],
    ['a link where a folder should be', 'films/deep', 'link'],
    ['a link where a file should be', 'films/a.bin', 'link'],
  ] as const)('is named and left as it is: %s', async ([, path, kind], { place }) => {
    const { source } = await seedFilms(place);
    await writeFiles(place.path('elsewhere'), { precious: 100 });
    await mkdir(dirname(place.path('here', path)), { recursive: true });
    if (kind === 'file') await writeFiles(place.path('here'), { [path]: 100 });
    if (kind === 'folder') await writeFiles(place.path('here', path), { precious: 100 });
    if (kind === 'link') await symlink(place.path('elsewhere'), place.path('here', path));
    const before = (await treeOf(place.path('here', path)))[kind === 'folder' ? '/precious' : ''];
    const elsewhere = await treeOf(place.path('elsewhere'));
    const failed = await get(place, 'leech', ...source, '-o', 'here');
    expectFailure(failed, 1, kind === 'link' ? 'UNSAFE_PATH' : 'FILE_IN_THE_WAY');
    expect(failed.stderr).toContain(path);
    expect((await treeOf(place.path('here', path)))[kind === 'folder' ? '/precious' : '']).toBe(before);
    expect(await treeOf(place.path('elsewhere'))).toEqual(elsewhere);
    await rm(place.path('here', path), { recursive: true });
    json(await get(place, 'leech', ...source, '-o', 'here'));
    expect(await treeOf(place.path('here', 'films'))).toEqual(await treeOf(place.path('films')));
  });

  it('is named where the folder for the content is a file', async ({ place }) => {
    const { source } = await seedFilms(place);
    await writeFile(place.path('here'), 'precious');
    expectFailure(await get(place, 'leech', ...source, '-o', 'here'), 1, 'FILE_IN_THE_WAY');
    expect(await readFile(place.path('here'), 'utf8')).toBe('precious');
  });
});
