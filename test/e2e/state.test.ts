// --state: shared by processes, a torrent held by one of them; what is remembered, forgotten, and never touched.

import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import type { Workplace } from './program.ts';
import { expectFailure, get, it, json, LOCAL, startReady, startTracker, treeOf, until, writeFiles } from './stage.ts';

const MB = 1_000_000;

async function makeTwo(place: Workplace): Promise<void> {
  await writeFiles(place.folder, { 'films/a.bin': MB, 'films/b.bin': 10, song: 2 * MB });
  for (const name of ['films', 'song']) json(await place.run('create', name, '--json', '--piece-length', '32KiB'));
}

async function listed(place: Workplace, state: string): Promise<Record<string, unknown>[]> {
  const { stdout } = await place.run('list', '--state', place.path('states', state), '--json');
  return JSON.parse(stdout) as Record<string, unknown>[];
}

describe('a state folder', () => {
  it('is shared by processes, and each torrent is held by one, even after kill -9', async ({ place }) => {
    await makeTwo(place);
    const state = ['--state', place.path('states', 'a')];
    const first = await startReady(place, 'a', 'seed', 'films.torrent', 'films');
    await startReady(place, 'a', 'seed', 'song.torrent', 'song');
    expectFailure(await place.run('seed', 'films.torrent', 'films', ...state, ...LOCAL), 1, 'TORRENT_BUSY');
    expectFailure(
      await place.run('get', 'song.torrent', '--peer', '127.0.0.1:9', ...state, ...LOCAL),
      1,
      'TORRENT_BUSY',
    );
    expectFailure(await place.run('remove', 'films', ...state), 1, 'TORRENT_BUSY');
    await first.running.stop('SIGKILL');
    const second = await startReady(place, 'a', 'seed', 'films.torrent', 'films');
    expect(await listed(place, 'a')).toMatchObject([{ name: 'films' }, { name: 'song' }]);
    await second.running.stop('SIGKILL');
    expect((await place.run('remove', 'films', ...state)).exitCode).toBe(0);
    expect(await listed(place, 'a')).toMatchObject([{ name: 'song' }]);
    expect(Object.keys(await treeOf(place.path('films')))).toEqual(['/a.bin', '/b.bin']);
  });

  it('remembers all that was shared and fetched, and seed without arguments takes it up again', async ({ place }) => {
    await makeTwo(place);
    const shared = await startReady(place, 'a', 'seed', 'films.torrent', 'films', 'song.torrent', 'song');
    const peer = ['--peer', shared.address];
    json(await get(place, 'b', 'films.torrent', '-o', 'here', ...peer));
    const magnet = (await place.run('magnet', 'song.torrent')).stdout.trim();
    const slow = await startReady(
      place,
      'b',
      'get',
      magnet,
      '-o',
      'here',
      ...peer,
      '--max-download',
      '200kB',
      '--keep-seeding',
    );
    await until('the content is begun', () => existsSync(place.path('here', 'song')));
    expectFailure(await ended(slow.running.stop('SIGINT')), 1, 'UNFINISHED');
    expect(await listed(place, 'b')).toMatchObject([
      { name: 'films', mode: 'get', complete: true, path: place.path('here', 'films') },
      { name: 'song', mode: 'get', complete: false, path: place.path('here', 'song') },
    ]);
    const again = await startReady(place, 'b', 'seed', ...peer);
    expect(again.ready.torrents).toMatchObject([{ name: 'films' }, { name: 'song' }]);
    // What was unfinished is finished, too.
    const done = (): Promise<boolean> => listed(place, 'b').then((all) => all.every((one) => one.complete));
    await until('song is complete', done);
    await shared.running.stop('SIGKILL');
    for (const name of ['films', 'song']) {
      json(await get(place, 'c', `${name}.torrent`, '-o', 'there', '--peer', again.address));
      expect(await treeOf(place.path('there', name))).toEqual(await treeOf(place.path(name)));
    }
    await again.running.stop();
    expect((await place.run('remove', '--all', '--state', place.path('states', 'b'))).exitCode).toBe(0);
    expect(await listed(place, 'b')).toEqual([]);
    expect((await readdir(place.path('here'))).sort()).toEqual(['films', 'song']);
    expectFailure(await place.run('seed', '--state', place.path('states', 'b'), ...LOCAL), 1, 'NOTHING_TO_DO');
  });

  it('of a newer version is refused and left as it is', async ({ place }) => {
    await makeTwo(place);
    await (await startReady(place, 'a', 'seed', 'song.torrent', 'song')).running.stop();
    const folder = place.path('states', 'a');
    const { readFile, writeFile } = await import('node:fs/promises');
    const records = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith('record'));
    expect(records).toHaveLength(1);
    const newer = (await readFile(`${folder}/${records[0]}`, 'utf8')).replace('"version": 1', '"version": 2');
    await writeFile(`${folder}/${records[0]}`, newer);
    for (const args of [['list'], ['seed', ...LOCAL], ['seed', 'song.torrent', 'song', ...LOCAL]]) {
      expectFailure(await place.run(...args, '--state', folder), 1, 'STATE_VERSION');
    }
    expect(await readFile(`${folder}/${records[0]}`, 'utf8')).toBe(newer);
  });

  it('is not made by create, inspect, magnet, verify, and by what fails before', async ({ place }) => {
    await makeTwo(place);
    await mkdir(place.path('empty'));
    const magnet = (await place.run('magnet', 'song.torrent')).stdout.trim();
    await place.run('inspect', 'song.torrent');
    await place.run('inspect', magnet);
    expect((await place.run('verify', 'song.torrent', 'song')).exitCode).toBe(0);
    await place.run('verify', 'song.torrent', 'empty');
    await place.run('get', 'nothing.torrent');
    await place.run('seed', 'song.torrent');
    expect((await readdir(place.folder)).sort()).toEqual(['empty', 'films', 'films.torrent', 'song', 'song.torrent']);
  });
});

/** An outcome without the JSON events that came before. */
async function ended<T extends { stdout: string }>(outcome: Promise<T>): Promise<T> {
  return { ...(await outcome), stdout: '' };
}

describe('a tracker', () => {
  it('names its HTTP and UDP addresses, and says when it cannot keep its swarms', async ({ place }) => {
    await writeFile(place.path('file'), '');
    // Port 0 has no name to keep swarms by: this one was free a moment ago.
    const { tracker: first, address } = await startTracker(place);
    await first.stop();
    const tracker = place.start('tracker', '--listen', address, '--state', place.path('file'), '--json');
    const urls = ['http', 'udp', 'ws'].map((scheme) => `${scheme}://${address}/announce`);
    expect(await tracker.event('ready')).toMatchObject({ listen: [address], urls });
    // At the start, not first when it is too late.
    await tracker.saying(/warn the swarms could not be saved/);
    const { exitCode, stderr } = await tracker.stop();
    expect(exitCode).toBe(0);
    expect(stderr).toContain('warn the swarms could not be saved');
  });
});
