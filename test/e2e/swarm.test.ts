// Tracker, seed, share and get as processes on loopback: what they say, leave behind, and how they end.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Outcome, type Running, Workplace } from './program.ts';

const BYTES: Uint8Array = Uint8Array.from({ length: 700_001 }, (_, i) => (i * i) >> 7);
const LOCAL = ['--listen', '127.0.0.1:0'];

let place: Workplace;
beforeEach(async () => {
  place = await Workplace.open();
  await mkdir(place.path('films', 'deep'), { recursive: true });
  await writeFile(place.path('films', 'a.bin'), BYTES);
  await writeFile(place.path('films', 'deep', 'b.txt'), 'hello');
});
afterEach(() => place.close());

const json = (outcome: Outcome): Record<string, unknown> => JSON.parse(outcome.stdout) as Record<string, unknown>;

async function startTracker(): Promise<{ tracker: Running; url: string }> {
  const tracker = place.start('tracker', ...LOCAL, '--json');
  const ready = await tracker.nextEvent();
  expect(ready).toMatchObject({ event: 'ready', listen: [expect.stringMatching(/^127\.0\.0\.1:\d+$/)] });
  return { tracker, url: (ready.urls as string[])[0]! };
}

async function startSeed(): Promise<{ seed: Running; address: string }> {
  const seed = place.start('seed', 'films.torrent', 'films', ...LOCAL, '--state', place.path('seed-state'), '--json');
  const ready = await seed.nextEvent();
  expect(ready).toMatchObject({ event: 'ready', torrents: [{ name: 'films', path: place.path('films') }] });
  return { seed, address: (ready.listen as string[])[0]! };
}

const get = (...args: readonly string[]): Promise<Outcome> => place.run('get', ...args, ...LOCAL);

describe('a swarm of processes', () => {
  it('finds itself by a tracker, fetches, verifies, and ends cleanly', async () => {
    const { tracker, url } = await startTracker();
    await place.run('create', 'films', '--tracker', url);
    const { seed } = await startSeed();
    // `ready` and the first announce come side by side: ask until the tracker has heard of the seed.
    let asked: ReturnType<typeof json>;
    do asked = json(await place.run('peers', 'films.torrent', '--json'));
    while ((asked.peers as string[]).length === 0);
    expect(asked).toMatchObject({ name: 'films', trackers: [{ url, error: null, seeds: 1 }] });
    expect(asked.peers).toHaveLength(1);

    const got = await get('films.torrent', '-o', 'here', '--json');
    expect(got.exitCode).toBe(0);
    expect(json(got)).toMatchObject({
      name: 'films',
      path: place.path('here', 'films'),
      infoHashV2: null,
      length: BYTES.length + 5,
      uploaded: 0,
      peers: 1,
      pieces: 43,
      verified: 43,
      algorithm: 'SHA-1',
    });
    expect(await readdir(place.path('here'))).toEqual(['films']);
    expect((await readdir(place.path('here', 'films'))).sort()).toEqual(['a.bin', 'deep']);
    expect(Buffer.compare(await readFile(place.path('here', 'films', 'a.bin')), BYTES)).toBe(0);

    const end = await seed.stop('SIGINT');
    expect(end.exitCode).toBe(0);
    expect(await seed.nextEvent()).toMatchObject({ event: 'stopped', torrents: [{ uploaded: BYTES.length + 5 }] });
    const after = json(await place.run('peers', 'films.torrent', '--json'));
    expect(after).toMatchObject({ trackers: [{ seeds: 0 }], peers: [] });
    expect((await tracker.stop()).exitCode).toBe(0);
  });

  it('goes by a magnet link, and needs no tracker when a peer is named', async () => {
    await place.run('create', 'films');
    const { address } = await startSeed();
    const magnet = (await place.run('magnet', 'films.torrent')).stdout.trim();
    const got = await get(magnet, '-o', 'here', '--peer', address);
    expect([got.stderr, got.exitCode]).toEqual(['', 0]);
    expect(got.stdout).toContain('verified 43 pieces (SHA-1): all good');
    const hinted = await get(`${magnet}&x.pe=${address}`, '-o', 'there', '--state', place.path('other'), '--json');
    expect(json(hinted)).toMatchObject({ verified: 43, peers: 1 });
  });

  it('fetches just the files that --only takes', async () => {
    await place.run('create', 'films', '--piece-length', '16KiB');
    const { address } = await startSeed();
    const got = await get('films.torrent', '--only', '*.txt', '--peer', address, '-o', 'here', '--json');
    expect(json(got)).toMatchObject({ length: BYTES.length + 5 });
    expect(json(got).wanted).toBeLessThan(32_768);
    expect(await readFile(place.path('here', 'films', 'deep', 'b.txt'), 'utf8')).toBe('hello');
    const nothing = await get('films.torrent', '--only', '*.doc', '--peer', address);
    expect(nothing.stderr).toMatch(/^shoal: NOTHING_TO_DO: /);
  });

  it('runs the command of --on-complete once, with path and info hash', async () => {
    await place.run('create', 'films');
    const { address } = await startSeed();
    const hook = 'echo "$SHOAL_PATH $SHOAL_INFO_HASH" >> hook.txt; echo noise';
    const got = await get('films.torrent', '-o', 'here', '--peer', address, '--on-complete', hook, '--json');
    const { path, infoHashV1 } = json(got);
    expect(await readFile(place.path('hook.txt'), 'utf8')).toBe(`${path} ${infoHashV1}\n`);
    const failing = await get('films.torrent', '-o', 'here', '--peer', address, '--on-complete', 'exit 3');
    expect(failing.stderr).toMatch(/shoal: HOOK_FAILED: .* exit code 3/);
    expect(failing.exitCode).toBe(1);
  });

  it('shares with a tracker of its own, and a leech stays until its ratio is reached', async () => {
    const share = place.start('share', 'films', '--host', '127.0.0.1', ...LOCAL, '--json');
    const ready = await share.nextEvent();
    expect(ready).toMatchObject({ event: 'ready', torrent: place.path('films.torrent') });
    const args = ['-o', 'here', '--state', place.path('leech'), '--json'];
    const stays = place.start('get', ready.magnet as string, ...args, '--seed-ratio', '0.5', ...LOCAL);
    const { listen } = (await stays.nextEvent()) as { listen: string[] };
    expect(await stays.nextEvent()).toMatchObject({ event: 'complete', verified: 43 });
    await share.stop();
    const second = ['films.torrent', '-o', 'there', '--state', place.path('leech-2'), '--peer', listen[0]!, '--json'];
    expect(json(await get(...second))).toMatchObject({ verified: 43 });
    expect(await stays.nextEvent()).toMatchObject({ event: 'stopped', uploaded: expect.any(Number) });
    expect((await stays.ended).exitCode).toBe(0);
  });
});

describe('what is remembered', () => {
  it('is listed, taken up again, and forgotten without touching the content', async () => {
    await place.run('create', 'films');
    const { seed } = await startSeed();
    const state = ['--state', place.path('seed-state')];
    const busy = await place.run('seed', 'films.torrent', 'films', ...state, ...LOCAL);
    expect(busy.stderr).toMatch(/^shoal: TORRENT_BUSY: /);
    expect(busy.exitCode).toBe(1);
    await seed.stop();
    const listed = JSON.parse((await place.run('list', ...state, '--json')).stdout) as { infoHashV1: string }[];
    expect(listed).toMatchObject([{ name: 'films', mode: 'seed', complete: true, path: place.path('films') }]);
    const again = place.start('seed', ...state, ...LOCAL, '--json');
    const { listen } = (await again.nextEvent()) as { listen: string[] };
    expect((await get('films.torrent', '-o', 'here', '--peer', listen[0]!)).exitCode).toBe(0);
    await again.stop('SIGHUP');
    const removed = await place.run('remove', listed[0]!.infoHashV1.slice(0, 8), ...state);
    expect(removed.stdout).toContain('forgotten: films');
    expect(JSON.parse((await place.run('list', ...state, '--json')).stdout)).toEqual([]);
    expect(await readdir(place.path('films'))).toContain('a.bin');
  });

  it('is what is already on disk: a second get fetches nothing', async () => {
    await place.run('create', 'films');
    const { seed, address } = await startSeed();
    await get('films.torrent', '-o', 'here', '--peer', address);
    await seed.stop();
    const second = await get('films.torrent', '-o', 'here', '--json');
    expect(json(second)).toMatchObject({ downloaded: 0, verified: 43, peers: 0 });
  });
});

describe('what does not arrive', () => {
  it('is nothing to wait for when there is nobody to ask', async () => {
    await place.run('create', 'films');
    const got = await get('films.torrent', '-o', 'here');
    expect(got.stderr).toMatch(/^shoal: NO_PEERS: [^\n]+\n$/);
    expect(got.exitCode).toBe(1);
  });

  it('is explained, and an unfinished get ends with 1 and says how to go on', async () => {
    await place.run('create', 'films', '--tracker', 'http://127.0.0.1:1/announce');
    const waiting = place.start('get', 'films.torrent', '-o', 'here', ...LOCAL);
    await new Promise<void>((resolve) => {
      let said = '';
      waiting.child.stderr!.on('data', (text: string) => {
        said += text;
        if (said.includes('nothing arrives: no tracker answers')) resolve();
      });
    });
    const end = await waiting.stop();
    expect(end.stderr).toMatch(/shoal: UNFINISHED: stopped at 0\.0 %; run the same command again/);
    expect([end.stdout, end.exitCode]).toEqual(['', 1]);
  });

  it('is refused to be seeded: bad content is an error that names the pieces', async () => {
    await place.run('create', 'films');
    const harmed = BYTES.slice();
    harmed[100_000]! ^= 1;
    await writeFile(place.path('films', 'a.bin'), harmed);
    const seed = await place.run('seed', 'films.torrent', 'films', ...LOCAL);
    expect(seed.stderr).toMatch(/^shoal: CONTENT_BAD: .*1 of 43 pieces .*\(6\)/);
    expect(seed.exitCode).toBe(1);
  });
});
