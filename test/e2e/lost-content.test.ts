// Content that is lost while it is seeded: it is said at once, others are served on, and with the last one the command ends.

import { truncate } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import type { Workplace } from './program.ts';
import { get, it, json, startReady, treeOf, writeFiles } from './stage.ts';

async function make(place: Workplace, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await writeFiles(place.folder, { [name]: 3_000_000 });
    json(await place.run('create', name, '-o', `${name}.torrent`, '--piece-length', '64KiB', '--json'));
  }
}

/** Somebody asks for it, in vain, until the returned function is called. */
function ask(place: Workplace, address: string, torrent: string): () => Promise<unknown> {
  const options = ['-o', `of ${torrent}`, '--listen', '127.0.0.1:0', '--state', place.path('states', torrent)];
  const asking = place.start('get', torrent, ...options, '--peer', address);
  return () => asking.stop();
}

describe('content that is cut while it is seeded', () => {
  it.for(['seed', 'share'] as const)('ends a %s of nothing else with one line', async (command, { place }) => {
    await make(place, 'a');
    const words = command === 'seed' ? ['seed', 'a.torrent', 'a'] : ['share', 'a', '-o', 'a.torrent'];
    const { running, address } = await startReady(place, 'seed', ...words);
    await truncate(place.path('a'), 1000);
    const leave = ask(place, address, 'a.torrent');
    expect(await running.event('failed')).toMatchObject({ name: 'a', code: 'FILE_CHANGED' });
    const { exitCode, stderr } = await running.ended;
    expect([exitCode, stderr.match(/^shoal: .*$/gm)]).toEqual([1, [expect.stringContaining('FILE_CHANGED: ')]]);
    await leave();
  });

  it('ends a get that stays', async ({ place }) => {
    await make(place, 'a');
    const seed = await startReady(place, 'seed', 'seed', 'a.torrent', 'a');
    const words = ['get', 'a.torrent', '-o', 'here', '--peer', seed.address, '--keep-seeding'];
    const { running, address } = await startReady(place, 'stays', ...words);
    await running.event('complete');
    await seed.running.stop();
    await truncate(place.path('here', 'a'), 1000);
    const leave = ask(place, address, 'a.torrent');
    expect((await running.ended).exitCode).toBe(1);
    await leave();
  });

  it('is told, and the other torrents are served on', async ({ place }) => {
    await make(place, 'a', 'b');
    const { running, address } = await startReady(place, 'seed', 'seed', 'a.torrent', 'a', 'b.torrent', 'b');
    await truncate(place.path('a'), 1000);
    const leave = ask(place, address, 'a.torrent');
    await running.saying(/^shoal: FILE_CHANGED: .*"/m);
    json(await get(place, 'leech', 'b.torrent', '-o', 'here', '--peer', address));
    expect(await treeOf(place.path('here', 'b'))).toEqual(await treeOf(place.path('b')));
    await leave();
    expect((await running.stop()).exitCode).toBe(0);
  });
});
