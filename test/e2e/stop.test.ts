// Ctrl-C and SIGTERM while trackers hang, what a stopped program says, and what it does about nothing arriving.

import { createSocket } from 'node:dgram';
import { stat } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect } from 'vitest';
import type { Running, Workplace } from './program.ts';
import { expectFailure, get, it, json, LOCAL, startReady, startTracker, treeOf, until, writeFiles } from './stage.ts';

/** The promise of the issue. */
const CLEAN_END_MS = 3000;
const MB = 1_000_000;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Trackers that take what they are sent and never answer, by HTTP and by UDP. */
async function silentTrackers(): Promise<{ http: string; udp: string }> {
  const held: Socket[] = [];
  const server = createServer((socket) => {
    held.push(socket.on('error', () => undefined));
  });
  const datagrams = createSocket('udp4');
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  await new Promise<void>((done) => datagrams.bind(0, '127.0.0.1', done));
  closers.push(() => {
    for (const socket of held) socket.destroy();
    server.close();
    datagrams.close();
  });
  const { port } = server.address() as AddressInfo;
  return { http: `http://127.0.0.1:${port}/announce`, udp: `udp://127.0.0.1:${datagrams.address().port}` };
}

/** Sends the signal; the exit code, and what it said on stderr. */
async function end(running: Running, signal: NodeJS.Signals): Promise<{ exitCode: number | null; stderr: string }> {
  const sinceMs = performance.now();
  const { exitCode, stderr } = await running.stop(signal);
  expect(performance.now() - sinceMs).toBeLessThan(CLEAN_END_MS);
  expect(running.child.signalCode).toBeNull();
  return { exitCode, stderr };
}

async function makeFilms(place: Workplace, ...trackers: readonly string[]): Promise<void> {
  await writeFiles(place.path('films'), { 'a.bin': 6 * MB, 'b/c.bin': 2 * MB });
  await place.run('create', 'films', '--piece-length', '64KiB', ...trackers.flatMap((url) => ['--tracker', url]));
}

describe('a clean end while trackers hang', () => {
  it('takes less than 3 s after SIGINT and after SIGTERM', async ({ place }) => {
    const { http, udp } = await silentTrackers();
    await makeFilms(place, http, udp);
    const seed = await startReady(place, 'seed', 'seed', 'films.torrent', 'films');
    const share = await startReady(place, 'share', 'share', 'films', '--tracker', `${udp},${http}`, '-o', 's.torrent');
    const keeps = await startReady(
      place,
      'keeps',
      ...['get', 'films.torrent', '-o', 'kept', '--peer', seed.address, '--keep-seeding'],
    );
    await keeps.running.event('complete');
    const waits = await startReady(place, 'waits', 'get', 'films.torrent', '-o', 'not', '--keep-seeding');
    const stays = [end(seed.running, 'SIGINT'), end(share.running, 'SIGTERM'), end(keeps.running, 'SIGTERM')];
    for (const { exitCode, stderr } of await Promise.all(stays)) {
      expect(exitCode).toBe(0);
      expect(stderr).not.toContain('shoal: ');
    }
    const { exitCode, stderr } = await end(waits.running, 'SIGINT');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^shoal: UNFINISHED: .*run the same command again/m);
  });

  it('says how to go on', async ({ place }) => {
    const { http } = await silentTrackers();
    await makeFilms(place, http);
    const seed = place.start('seed', 'films.torrent', 'films', '--state', place.path('states', 'seed'), ...LOCAL);
    expect(await seed.nextLine()).toMatch(/^seeding 1 torrent on 127\.0\.0\.1:\d+/);
    expect((await end(seed, 'SIGTERM')).stderr).toContain("'shoal seed' takes it all up again");
  });

  it('needs no tracker to end one, though clients hold connections to it', async ({ place }) => {
    const { tracker, address } = await startTracker(place);
    const [host, port] = address.split(':');
    const client = (await import('node:net')).connect(Number(port), host).on('error', () => undefined);
    await new Promise((connected) => client.once('connect', connected));
    closers.push(() => client.destroy());
    expect((await end(tracker, 'SIGINT')).exitCode).toBe(0);
  });
});

describe('a get that was stopped', () => {
  it('goes on where it was', async ({ place }) => {
    await makeFilms(place);
    const seed = await startReady(place, 'seed', 'seed', 'films.torrent', 'films');
    const source = ['films.torrent', '-o', 'here', '--peer', seed.address];
    const first = place.start(
      'get',
      ...source,
      '--max-download',
      '2MB',
      ...LOCAL,
      '--state',
      place.path('states', 'a'),
    );
    await until('it has begun', async () => {
      const found = await stat(place.path('here', 'films', 'a.bin')).catch(() => null);
      return (found?.blocks ?? 0) * 512 > 2 * MB;
    });
    const stopped = await first.stop();
    expectFailure(stopped, 1, 'UNFINISHED');
    const percent = Number(/stopped at ([\d.]+) %/.exec(stopped.stderr)![1]);
    expect(percent).toBeGreaterThan(0);
    const { downloaded } = json(await get(place, 'a', ...source)) as { downloaded: number };
    // What the line says is shortened to a tenth of a percent; pieces on their way to the disk then count below.
    expect(downloaded).toBeLessThanOrEqual(8 * MB * (1 - (percent - 0.1) / 100));
    expect(await treeOf(place.path('here', 'films'))).toEqual(await treeOf(place.path('films')));
  });
});

describe('a get that nothing arrives for', () => {
  it('has nothing to wait for without a tracker and a peer', async ({ place }) => {
    await makeFilms(place);
    expectFailure(await get(place, 'a', 'films.torrent', '-o', 'here'), 1, 'NO_PEERS');
    const magnet = (await place.run('magnet', 'films.torrent')).stdout.trim();
    expectFailure(await get(place, 'b', magnet, '-o', 'here'), 1, 'NO_PEERS');
  });

  it('says why soon, and again every 10 s', async ({ place }) => {
    const { http } = await silentTrackers();
    await makeFilms(place);
    const { url } = await startTracker(place);
    const dead = 'http://127.0.0.1:9/announce';
    const cases: readonly (readonly [RegExp, readonly string[]])[] = [
      [/nothing arrives: no tracker answers \(http:\/\/127\.0\.0\.1:9\/announce: .*refused/g, ['--tracker', dead]],
      [/nothing arrives: waiting for a tracker to answer/g, ['--tracker', http]],
      [/nothing arrives: the trackers know no other peer/g, ['--tracker', url]],
      [/nothing arrives: none of 1 known peer answers/g, ['--peer', '127.0.0.1:9']],
    ];
    const waiting = cases.map(async ([why, options], i) => {
      await place.run('create', 'films', '-o', `${i}.torrent`, ...(options[0] === '--tracker' ? options : []));
      const peers = options[0] === '--peer' ? options : [];
      const state = `waits-${i}`;
      const { running } = await startReady(
        place,
        state,
        'get',
        `${i}.torrent`,
        '-o',
        state,
        '--keep-seeding',
        ...peers,
      );
      // After 5 s by its own clock; a busy machine may be late to start it, and to show it.
      await running.saying(why, 30_000);
      const sinceMs = performance.now();
      await running.saying(new RegExp(`(${why.source}[^]*){2}`), 40_000);
      expect(performance.now() - sinceMs).toBeGreaterThan(5_000);
      expect((await running.stop()).exitCode).toBe(1);
    });
    await Promise.all(waiting);
  });
});
