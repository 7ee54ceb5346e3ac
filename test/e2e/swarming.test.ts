// Many peers at once: one leech takes from five seeds, leeches give to each other, and the seed need not send all to each.

import { describe, expect } from 'vitest';
import { get, it, json, startReady, startTracker, treeOf, uploadedBy, writeFiles } from './stage.ts';

const MB = 1_000_000;

describe('a swarm', () => {
  it('lets one leech take from 5 seeds at once', async ({ place }) => {
    await writeFiles(place.folder, { film: 10 * MB });
    json(await place.run('create', 'film', '--json'));
    const starting = [1, 2, 3, 4, 5].map((i) =>
      startReady(place, `seed-${i}`, 'seed', 'film.torrent', 'film', '--max-upload', '1MB/s'),
    );
    const seeds = await Promise.all(starting);
    const peers = seeds.flatMap(({ address }) => ['--peer', address]);
    const got = json(await get(place, 'leech', 'film.torrent', '-o', 'here', ...peers));
    expect(got).toMatchObject({ peers: 5, length: 10 * MB });
    // No seed alone is so fast.
    expect(got.bytesPerSecond).toBeGreaterThan(2 * MB);
    const uploaded = await Promise.all(seeds.map(({ running }) => uploadedBy(running)));
    for (const bytes of uploaded) expect(bytes).toBeGreaterThan(MB);
    expect(uploaded.reduce((sum, bytes) => sum + bytes)).toBeLessThan(1.1 * 10 * MB);
    expect(await treeOf(place.path('here', 'film'))).toEqual(await treeOf(place.path('film')));
  });

  it('has leeches that upload while they download', async ({ place }) => {
    await writeFiles(place.folder, { film: 8 * MB });
    const { url } = await startTracker(place);
    json(await place.run('create', 'film', '--json', '--tracker', url));
    await startReady(place, 'seed', 'seed', 'film.torrent', 'film', '--max-upload', '2MB/s');
    const got = await Promise.all(['a', 'b'].map((name) => get(place, name, 'film.torrent', '-o', name)));
    const uploaded = got.map((outcome) => json(outcome).uploaded as number);
    expect(Math.min(...uploaded)).toBeGreaterThan(0);
    expect(uploaded[0]! + uploaded[1]!).toBeGreaterThan(0.5 * 8 * MB);
  });

  it('costs a seed at most 1.3 times the content until the first of 5 leeches is complete', async ({ place }) => {
    const length = 16 * MB;
    await writeFiles(place.folder, { film: length });
    const { url } = await startTracker(place);
    json(await place.run('create', 'film', '--json', '--tracker', url));
    const capped = ['--max-upload', '2MB/s'];
    const seed = await startReady(place, 'seed', 'seed', 'film.torrent', 'film', ...capped);
    const starting = ['a', 'b', 'c', 'd', 'e'].map((name) =>
      startReady(place, name, 'get', 'film.torrent', '-o', name, '--keep-seeding', ...capped),
    );
    const leeches = await Promise.all(starting);
    const completes = leeches.map(({ running }) => running.event('complete'));
    await Promise.race(completes);
    expect(await uploadedBy(seed.running)).toBeLessThanOrEqual(1.3 * length);
    // What is out is enough for all of them.
    const done = await Promise.all(completes);
    expect(done.reduce((sum, { uploaded }) => sum + (uploaded as number), 0)).toBeGreaterThan(2 * length);
    for (const name of ['a', 'e'])
      expect(await treeOf(place.path(name, 'film'))).toEqual(await treeOf(place.path('film')));
  });
});
