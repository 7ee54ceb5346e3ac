// What the options of get and seed do: selection, order, rates, staying, and the command at the end.

import { readFile, stat } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import type { Workplace } from './program.ts';
import { expectFailure, get, it, json, LOCAL, startReady, treeOf, until, uploadedBy, writeFiles } from './stage.ts';

const MB = 1_000_000;

async function seedFilms(place: Workplace, ...options: readonly string[]): Promise<string[]> {
  await writeFiles(place.path('films'), { 'a.bin': 3 * MB, 'deep/b.txt': 300_000, 'deep/c.bin': 3 * MB, 'd.txt': 10 });
  await place.run('create', 'films', '--piece-length', '64KiB');
  const { address } = await startReady(place, 'seed', 'seed', 'films.torrent', 'films', ...options);
  return ['films.torrent', '-o', 'here', '--peer', address];
}

const LENGTH = 6 * MB + 300_010;

describe('--only', () => {
  it('takes the files that match by name or path, and later runs take more', async ({ place }) => {
    const source = await seedFilms(place);
    const some = json(await get(place, 'leech', ...source, '--only', '*.txt'));
    expect(some.downloaded).toBeLessThan(300_010 + 4 * 65_536);
    expect(some).toMatchObject({ length: LENGTH });
    const [made, got] = [await treeOf(place.path('films')), await treeOf(place.path('here', 'films'))];
    for (const path of ['/deep/b.txt', '/d.txt']) expect(got[path]).toBe(made[path]);
    expect(got['/a.bin']).not.toBe(made['/a.bin']);
    json(await get(place, 'leech', ...source, '--only', 'deep/**', '--only', 'nothing'));
    expect((await treeOf(place.path('here', 'films')))['/deep/c.bin']).toBe(made['/deep/c.bin']);
    const rest = json(await get(place, 'leech', ...source));
    expect(rest.downloaded).toBeLessThanOrEqual(3 * MB);
    expect(await treeOf(place.path('here', 'films'))).toEqual(made);
  });

  it('that takes nothing is an error, with a link, too', async ({ place }) => {
    const [file, ...rest] = await seedFilms(place);
    const link = (await place.run('magnet', file!)).stdout.trim();
    for (const args of [
      [file!, ...rest, '--only', '*.png'],
      [link, ...rest, '--only', '*.png'],
      [`${link}&so=4-9`, ...rest],
    ]) {
      expectFailure(await get(place, 'leech', ...args), 1, 'NOTHING_TO_DO');
    }
  });
});

describe('a link that selects files', () => {
  it('takes just these, and so does a later seed without arguments', async ({ place }) => {
    const [file, ...rest] = await seedFilms(place);
    const link = `${(await place.run('magnet', file!)).stdout.trim()}&so=1`;
    const some = json(await get(place, 'leech', link, ...rest));
    expect(some).toMatchObject({ length: LENGTH, wanted: expect.any(Number) });
    expect(some.wanted).toBeLessThanOrEqual(65_536);
    const { running } = await startReady(place, 'leech', 'seed', '--peer', rest.at(-1)!, '--status', '0.2');
    const { state, verified, wanted } = await running.event('status');
    expect({ state, verified, wanted }).toEqual({ state: 'seeding', verified: some.wanted, wanted: some.wanted });
    await running.stop();
  });
});

describe('--sequential', () => {
  it('fetches from the first piece on', async ({ place }) => {
    const source = await seedFilms(place);
    const state = ['--state', place.path('states', 'a'), ...LOCAL];
    const leech = place.start('get', ...source, ...state, '--sequential', '--max-download', '1500kB');
    await until('half of it is there', async () => {
      const found = await stat(place.path('here', 'films', 'a.bin')).catch(() => null);
      return (found?.blocks ?? 0) * 512 >= 2 * MB;
    });
    await leech.stop();
    const { stdout } = await place.run('verify', 'films.torrent', 'here', '--json');
    const { missingPieces, badPieces } = JSON.parse(stdout) as Record<string, [number, number][]>;
    const gone = [...missingPieces!, ...badPieces!].sort(([a], [b]) => a - b);
    // One run of pieces to the end, but for the few that were on their way at once.
    expect(gone[0]![0]).toBeGreaterThan(20);
    expect(gone[gone.length - 1]![1]).toBe(Math.ceil(LENGTH / 65_536) - 1);
    const holes = gone.slice(0, -1).reduce((sum, [first, last]) => sum + last - first + 1, 0);
    expect(holes).toBeLessThanOrEqual(8);
  });
});

describe('rates', () => {
  it.for([
    ['--max-download', '1500kB/s', []],
    ['--max-upload', '', ['--max-upload', '1500kB/s']],
  ] as const)('are kept: %s', async ([option, rate, seedOptions], { place }) => {
    const source = await seedFilms(place, ...seedOptions);
    const got = json(await get(place, 'leech', ...source, ...(rate === '' ? [] : [option, rate])));
    expect(got.bytesPerSecond).toBeLessThan(1.2 * 1.5 * MB);
    expect(got.bytesPerSecond).toBeGreaterThan(0.5 * 1.5 * MB);
  });
});

describe('a get that stays', () => {
  it('seeds on after --keep-seeding, and until its ratio after --seed-ratio', async ({ place }) => {
    const source = await seedFilms(place);
    const keeps = await startReady(place, 'keeps', 'get', ...source, '--keep-seeding');
    await keeps.running.event('complete');
    const ratio = await startReady(place, 'ratio', 'get', ...source.with(2, 'there'), '--seed-ratio', '1.5');
    await ratio.running.event('complete');
    for (let i = 0; i < 2; i++) {
      const other = ['films.torrent', '-o', `other-${i}`, '--peer', ratio.address];
      json(await get(place, `other-${i}`, ...other));
    }
    expect(await ratio.running.event('stopped')).toMatchObject({ uploaded: 2 * LENGTH });
    expect((await ratio.running.ended).exitCode).toBe(0);
    json(await get(place, 'last', 'films.torrent', '-o', 'last', '--peer', keeps.address));
    expect(await uploadedBy(keeps.running)).toBe(LENGTH);
  });
});

describe('--on-complete', () => {
  it('runs the command once, when all is verified and written', async ({ place }) => {
    const source = await seedFilms(place);
    const hook =
      'echo "$SHOAL_NAME $SHOAL_INFO_HASH $SHOAL_PATH" >> told; cat "$SHOAL_PATH/a.bin" "$SHOAL_PATH/deep/c.bin" > seen';
    const stays = await startReady(place, 'a', 'get', ...source, '--keep-seeding', '--on-complete', hook);
    const { infoHashV1 } = await stays.running.event('complete');
    // Its bytes are handed out to others afterwards, and it does not run again.
    json(await get(place, 'b', 'films.torrent', '-o', 'there', '--peer', stays.address));
    await stays.running.stop();
    expect(await readFile(place.path('told'), 'utf8')).toBe(`films ${infoHashV1} ${place.path('here', 'films')}\n`);
    const files = [place.path('films', 'a.bin'), place.path('films', 'deep', 'c.bin')].map((path) => readFile(path));
    expect(Buffer.compare(await readFile(place.path('seen')), Buffer.concat(await Promise.all(files)))).toBe(0);
  });

  it('does not run for what is not complete', async ({ place }) => {
    const source = await seedFilms(place);
    const args = ['get', ...source, '--max-download', '500kB', '--on-complete', 'echo ran > told'];
    const leech = place.start(...args, ...LOCAL, '--state', place.path('states', 'a'));
    await until('it has begun', () => stat(place.path('here', 'films')).then(Boolean, () => false));
    expect((await leech.stop('SIGINT')).exitCode).toBe(1);
    await expect(stat(place.path('told'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
