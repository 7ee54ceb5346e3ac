// Peers that lie, stall, and go: the download completes, and the bytes are right.

import { copyFile, mkdir, open, readdir } from 'node:fs/promises';
import { describe, expect, vi } from 'vitest';
import type { Workplace } from './program.ts';
import { get, it, json, startReady, startTracker, treeOf, until, uploadedBy, writeFiles } from './stage.ts';

const MB = 1_000_000;
const LENGTH = 8 * MB;

async function makeFilm(place: Workplace, ...options: readonly string[]): Promise<void> {
  await writeFiles(place.folder, { film: LENGTH });
  json(await place.run('create', 'film', '--json', '--piece-length', '64KiB', ...options));
}

/** Changes a byte in every piece of a file that is being seeded. */
async function damage(path: string): Promise<void> {
  const file = await open(path, 'r+');
  for (let at = 100; at < LENGTH; at += 65_536) await file.write(Uint8Array.of(at & 255, 1, 2, 3), 0, 4, at);
  await file.close();
}

async function copyFilm(place: Workplace, folder: string): Promise<string> {
  await mkdir(place.path(folder));
  await copyFile(place.path('film'), place.path(folder, 'film'));
  return place.path(folder, 'film');
}

const expectFilm = async (place: Workplace, folder: string): Promise<void> =>
  expect(await treeOf(place.path(folder, 'film'))).toEqual(await treeOf(place.path('film')));

/** Resolves when a first piece is on disk. */
const begun = (place: Workplace): Promise<void> =>
  until('it has begun', async () => (await readdir(place.path('here')).catch(() => [])).length > 0);

describe('a liar', () => {
  it.for(['v1', 'v2'])('is banned, and the download of a %s torrent completes', async (meta, { place }) => {
    await makeFilm(place, '--meta', meta);
    // As fast as each other: a liar that nobody bans sends as much as the film is long.
    const rate = ['--max-upload', '2MB/s'];
    const honest = await startReady(place, 'honest', 'seed', 'film.torrent', 'film', ...rate);
    const copy = await copyFilm(place, 'copy');
    const liar = await startReady(place, 'liar', 'seed', 'film.torrent', copy, ...rate);
    await damage(copy);
    vi.stubEnv('SHOAL_LOG', 'warn');
    try {
      const peers = ['--peer', liar.address, '--peer', honest.address];
      const got = await get(place, 'leech', 'film.torrent', '-o', 'here', ...peers);
      expect(got.stderr).toContain(`banned: it sent bad data peer="${liar.address}"`);
      expect(got.stderr).not.toContain(honest.address);
      json(got);
    } finally {
      vi.unstubAllEnvs();
    }
    await expectFilm(place, 'here');
    expect(await uploadedBy(liar.running)).toBeLessThan(LENGTH / 2);
  });
});

describe('a seed that stalls', () => {
  it('is snubbed, and others deliver what it was asked for', async ({ place }) => {
    await makeFilm(place);
    const stalls = await startReady(place, 'stalls', 'seed', 'film.torrent', 'film', '--max-upload', '1MB/s');
    const goes = await startReady(place, 'goes', 'seed', 'film.torrent', 'film', '--max-upload', '1MB/s');
    const peers = ['--peer', stalls.address, '--peer', goes.address];
    const got = get(place, 'leech', 'film.torrent', '-o', 'here', ...peers);
    await begun(place);
    stalls.running.child.kill('SIGSTOP');
    expect(json(await got)).toMatchObject({ peers: 2, length: LENGTH });
    stalls.running.child.kill('SIGCONT');
    await expectFilm(place, 'here');
  });
});

describe('seeds that leave and come', () => {
  it('are found again', async ({ place }) => {
    const { url } = await startTracker(place);
    await makeFilm(place, '--tracker', url);
    const slow = ['--max-upload', '2MB/s'];
    const first = await startReady(place, 'first', 'seed', 'film.torrent', 'film', ...slow);
    const got = get(place, 'leech', 'film.torrent', '-o', 'here', '--peer', first.address);
    await begun(place);
    await first.running.stop('SIGKILL');
    const back = ['seed', 'film.torrent', 'film', ...slow, '--listen', first.address];
    await startReady(place, 'first', ...back);
    json(await got);
    await expectFilm(place, 'here');
  });
});
