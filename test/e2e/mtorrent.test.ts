// .mtorrent: one file, two trackers that are both told, either of them enough, neither needed once peers are connected.

import { stat } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import type { Workplace } from './program.ts';
import { get, it, json, startReady, startTracker, treeOf, until, writeFiles } from './stage.ts';

const MB = 1_000_000;
const LENGTH = 6 * MB;

/** Resolves when a tracker counts as many seeds: its status page says it. */
const untilSeeds = (url: string, seeds: number): Promise<void> =>
  until(`${url} counts ${seeds} seeds`, async () => {
    const stats = (await (await fetch(new URL('/stats', url))).json()) as { seeds: number };
    return stats.seeds === seeds;
  });

async function makeFilm(place: Workplace) {
  await writeFiles(place.folder, { film: LENGTH });
  const trackers = [await startTracker(place), await startTracker(place)] as const;
  const options = trackers.flatMap(({ url }) => ['--tracker', url]);
  json(await place.run('create', 'film', '--format', 'mtorrent', '--json', ...options));
  return trackers;
}

describe('an .mtorrent', () => {
  it('tells both trackers, and either is enough', async ({ place }) => {
    const [one, two] = await makeFilm(place);
    await startReady(place, 'seed', 'seed', 'film.mtorrent', 'film');
    for (const { url } of [one, two]) await untilSeeds(url, 1);
    await one.tracker.stop('SIGKILL');
    json(await get(place, 'a', 'film.mtorrent', '-o', 'here'));
    expect(await treeOf(place.path('here', 'film'))).toEqual(await treeOf(place.path('film')));
  });

  it('goes on without any tracker once peers are connected', async ({ place }) => {
    const [one, two] = await makeFilm(place);
    await startReady(place, 'seed', 'seed', 'film.mtorrent', 'film', '--max-upload', '3MB/s');
    for (const { url } of [one, two]) await untilSeeds(url, 1);
    const got = get(place, 'a', 'film.mtorrent', '-o', 'here');
    await until('it has begun', async () => {
      const found = await stat(place.path('here', 'film')).catch(() => null);
      return (found?.blocks ?? 0) > 0;
    });
    await Promise.all([one.tracker.stop('SIGKILL'), two.tracker.stop('SIGKILL')]);
    expect(json(await got)).toMatchObject({ verified: 12, length: LENGTH });
    expect(await treeOf(place.path('here', 'film'))).toEqual(await treeOf(place.path('film')));
  });

  it('is what share makes, and swarms with the .torrent of the same info hash', async ({ place }) => {
    await writeFiles(place.folder, { film: LENGTH });
    const [one, two] = [await startTracker(place), await startTracker(place)];
    const args = ['share', 'film', '--format', 'mtorrent', '--tracker', one.url, '--tracker', two.url];
    const { ready } = await startReady(place, 'seed', ...args);
    expect(ready).toMatchObject({ torrent: place.path('film.mtorrent'), trackers: [one.url, two.url] });
    const plain = json(await place.run('create', 'film', '--piece-length', '512KiB', '--tracker', two.url, '--json'));
    expect(json(await place.run('inspect', 'film.mtorrent', '--json')).infoHashV1).toBe(plain.infoHashV1);
    for (const { url } of [one, two]) await untilSeeds(url, 1);
    json(await get(place, 'a', 'film.torrent', '-o', 'here'));
    json(await get(place, 'b', ready.magnet as string, '-o', 'there'));
    json(await get(place, 'c', 'film.mtorrent', '-o', 'elsewhere'));
    for (const folder of ['here', 'there', 'elsewhere']) {
      expect(await treeOf(place.path(folder, 'film'))).toEqual(await treeOf(place.path('film')));
    }
  });
});
