// Two trackers of the built program and a real redis-server: what a client gets while each of the three is killed.

import { createServer, type Server } from 'node:net';
import { describe, expect } from 'vitest';
import { fromLatin1, latin1 } from '../../src/base/bytes.ts';
import { createNodeEnv, type NodeEnv } from '../../src/platform/node/env.ts';
import { CAN_REUSE_PORT } from '../../src/platform/node/net/shared-port.ts';
import { loadUdpBatch } from '../../src/platform/node/net/udp-batch.ts';
import { TrackerClient } from '../../src/tracker/client/client.ts';
import type { AnnounceRequest } from '../../src/tracker/protocol/announce.ts';
import type { Running, Workplace } from '../e2e/program.ts';
import { expectFailure, it } from '../e2e/stage.ts';
import { hasProgram, REDIS, RedisStage } from '../support/redis-stage.ts';

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const SWARMS = 20;
const PEERS = 10;
const missing = hasProgram(REDIS) ? '' : ` (skipped: no ${REDIS})`;
const suite = missing === '' ? describe : describe.skip;

interface Tracker {
  readonly running: Running;
  /** `127.0.0.1:PORT` */
  readonly at: string;
}

async function startTracker(
  place: Workplace,
  state: string,
  url: string,
  at = '127.0.0.1:0',
  more: string[] = [],
): Promise<Tracker> {
  const own = ['--listen', at, '--state', place.path(state), '--store', url, '--json', ...more];
  const running = place.start('tracker', ...own);
  const ready = await running.event('ready');
  return { running, at: (ready.listen as string[])[0]! };
}

function announceOf(swarm: number, peer: number, more: Partial<AnnounceRequest> = {}): AnnounceRequest {
  const infoHash = new Uint8Array(20).fill(swarm + 1);
  const rest = { uploaded: 0, downloaded: 0, left: 5, numWant: 50, key: 7, trackerId: null };
  return { infoHash, peerId: fromLatin1('-SH0100-abcdefghijkl'), port: 1000 + peer, event: 'none', ...rest, ...more };
}

/** A client with two URLs, as an .mtorrent names them: it asks the other tracker where one does not answer, twice. */
class Caller {
  readonly #client: TrackerClient;
  readonly #places: readonly string[];

  constructor(env: NodeEnv, places: readonly string[]) {
    this.#client = new TrackerClient(env, { from: LOOPBACK });
    this.#places = places;
  }

  /** How many others it is told of; -1 where nobody answers. */
  async announce(first: number, request: AnnounceRequest): Promise<number> {
    for (let tried = 0; tried < 2 * this.#places.length; tried++) {
      const at = this.#places[(first + tried) % this.#places.length]!;
      const signal = AbortSignal.timeout(3000);
      const reply = await this.#client.announce(`http://${at}/announce`, request, { signal }).catch(() => null);
      if (reply !== null) return reply.peers.length;
    }
    return -1;
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/** What a tracker counts in some of the swarms: who is there, and who has completed. */
async function countsOf(client: TrackerClient, at: string, swarms: readonly number[]): Promise<[number, number][]> {
  const hashes = swarms.map((swarm) => announceOf(swarm, 0).infoHash);
  const signal = AbortSignal.timeout(10_000);
  const entries = [...(await client.scrape(`http://${at}/announce`, hashes, { signal })).values()];
  return entries.map(({ seeds, leeches, completed }) => [seeds + leeches, completed]);
}

/** Resolves when all of the trackers count so in each of the swarms, one after the other. `there` null: whoever is there. */
async function untilCounted(
  client: TrackerClient,
  places: readonly string[],
  swarms: readonly number[],
  [there, completed]: readonly [number | null, number],
): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  for (const at of places) {
    for (;;) {
      const counts = await countsOf(client, at, swarms);
      const isSo = counts.every((count) => (there === null || count[0] === there) && count[1] === completed);
      if (isSo && counts.length === swarms.length) break;
      if (performance.now() > deadlineMs) expect(counts).toEqual(swarms.map(() => [there, completed]));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Resolves when each of two trackers knows what the other was told: both have the store. `swarm`: one that nobody is in. */
async function areTogether(env: NodeEnv, places: readonly string[], swarm: number): Promise<void> {
  const callers = places.map((at) => new Caller(env, [at]));
  const deadlineMs = performance.now() + 20_000;
  for (;;) {
    const told = await Promise.all(callers.map((caller, i) => caller.announce(0, announceOf(swarm, i))));
    if (told.every((count) => count === 1)) break;
    if (performance.now() > deadlineMs) throw new Error(`the trackers do not know of each other's peers: ${told}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await Promise.all(callers.map((caller) => caller.close()));
}

/** Announces again and again until it is stopped; counts those who were told of too few. */
class Crowd {
  announces = 0;
  failures: string[] = [];
  readonly #caller: Caller;
  #isOver = false;
  #work: Promise<unknown> | null = null;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  start(): void {
    this.#work = Promise.all(Array.from({ length: 8 }, (_, i) => this.#run(i)));
  }

  async #run(worker: number): Promise<void> {
    for (let n = worker; !this.#isOver; n += 8) {
      const [swarm, peer] = [n % SWARMS, Math.floor(n / SWARMS) % PEERS];
      let told = await this.#caller.announce(n & 1, announceOf(swarm, peer));
      // Whoever is told of too few asks its second URL: a tracker does not wait long for a store that hangs for a moment.
      if (told < PEERS - 1) told = await this.#caller.announce((n & 1) ^ 1, announceOf(swarm, peer));
      this.announces++;
      if (told < PEERS - 1) this.failures.push(`swarm ${swarm}, peer ${peer}: ${told}`);
    }
  }

  /** Resolves when so many more announces were made. */
  async more(count: number): Promise<void> {
    const end = this.announces + count;
    while (this.announces < end) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#work;
  }
}

async function withRedis(body: (redis: RedisStage, env: NodeEnv) => Promise<void>, options = {}): Promise<void> {
  const redis = await RedisStage.start(options);
  const env = createNodeEnv({ stateFolder: '/nonexistent' });
  try {
    await body(redis, env);
  } finally {
    await env.close();
    await redis.close();
  }
}

suite(`two trackers and one ${REDIS}${missing}`, () => {
  for (const isCluster of [false, true])
    it(`are one tracker, while each of the three is killed and comes back${isCluster ? ', a cluster that keeps what it had' : ''}`, async ({
      place,
    }) =>
      withRedis(
        async (redis, env) => {
          const a = await startTracker(place, 'a', redis.url);
          let b = await startTracker(place, 'b', redis.url);
          const caller = new Caller(env, [a.at, b.at]);
          // Half of each swarm is known to one tracker alone at first.
          for (let swarm = 0; swarm < SWARMS; swarm++) {
            for (let peer = 0; peer < PEERS; peer++) await caller.announce(peer & 1, announceOf(swarm, peer));
          }
          const watcher = new TrackerClient(env, { from: LOOPBACK });
          await untilCounted(watcher, [a.at, b.at], [...Array(SWARMS).keys()], [PEERS, 0]);
          await watcher.close();
          const crowd = new Crowd(caller);
          crowd.start();
          await crowd.more(300);
          await redis.signal('SIGKILL');
          await crowd.more(300);
          await redis.comeBack();
          // The store has forgotten everything; who is killed before it has told it again is the second to be lost.
          if (!isCluster) await Promise.all([a, b].map(({ running }) => running.saying(/the swarm store is back/)));
          await areTogether(env, [a.at, b.at], SWARMS);
          await crowd.more(300);
          await b.running.stop('SIGKILL');
          await crowd.more(300);
          b = await startTracker(place, 'new', redis.url, b.at);
          await crowd.more(300);
          await areTogether(env, [a.at, b.at], SWARMS + 1);
          await redis.signal('SIGSTOP');
          await crowd.more(300);
          await redis.signal('SIGCONT');
          await crowd.more(300);
          await crowd.stop();
          await caller.close();
          expect(crowd.failures).toEqual([]);
          expect((await b.running.stop()).exitCode).toBe(0);
          expect((await a.running.stop()).exitCode).toBe(0);
        },
        { isCluster, isKept: isCluster },
      ));

  it('tells at one tracker what another heard, without and with more threads', async ({ place }) =>
    withRedis(async (redis, env) => {
      const canShare = CAN_REUSE_PORT || loadUdpBatch() !== null;
      const a = await startTracker(place, 'a', redis.url);
      const b = await startTracker(place, 'b', redis.url, undefined, canShare ? ['--workers', '2'] : []);
      const clients = Array.from({ length: 6 }, () => new TrackerClient(env, { from: LOOPBACK }));
      const signal = AbortSignal.timeout(30_000);
      for (const scheme of ['http', 'udp']) {
        const swarm = scheme === 'http' ? 1 : 2;
        await clients[0]!.announce(`${scheme}://${a.at}/announce`, announceOf(swarm, 1), { signal });
        await untilCounted(clients[0]!, [b.at], [swarm], [1, 0]);
        for (const [i, client] of clients.entries()) {
          const reply = await client.announce(`${scheme}://${b.at}/announce`, announceOf(swarm, 10 + i), { signal });
          expect(reply.peers.map(({ port }) => port)).toContain(1001);
        }
        await untilCounted(clients[0]!, [a.at], [swarm], [7, 0]);
        const reply = await clients[0]!.announce(`${scheme}://${a.at}/announce`, announceOf(swarm, 1), { signal });
        expect(reply.peers.map(({ port }) => port).sort()).toEqual([1010, 1011, 1012, 1013, 1014, 1015]);
      }
      await Promise.all(clients.map((client) => client.close()));
      expect((await b.running.stop()).exitCode).toBe(0);
      // What it was told last is in the store when it has ended.
      const again = await startTracker(place, 'new', redis.url);
      const client = new TrackerClient(env, { from: LOOPBACK });
      const reply = await client.announce(`http://${again.at}/announce`, announceOf(2, 99), { signal });
      expect(reply.peers).toHaveLength(7);
      await client.close();
    }));

  it('counts every completion once, with more threads and a store that was away and forgot everything', async ({
    place,
  }) =>
    withRedis(async (redis, env) => {
      const canShare = CAN_REUSE_PORT || loadUdpBatch() !== null;
      const a = await startTracker(place, 'a', redis.url);
      const b = await startTracker(place, 'b', redis.url, undefined, canShare ? ['--workers', '2'] : []);
      // Each has a port of its own: which thread serves it is the system's choice.
      const clients = Array.from({ length: 8 }, () => new TrackerClient(env, { from: LOOPBACK }));
      const say = (n: number, at: string, more: Partial<AnnounceRequest>): Promise<unknown> =>
        clients[n % clients.length]!.announce(`udp://${at}/announce`, announceOf(1, n, more), {
          signal: AbortSignal.timeout(10_000),
        });
      for (let n = 0; n < 32; n++) await say(n, b.at, {});
      await untilCounted(clients[0]!, [a.at], [1], [32, 0]);
      await redis.signal('SIGKILL');
      await b.running.saying(/the swarm store is away/);
      const done = { left: 0, event: 'completed' } as const;
      for (let n = 0; n < 32; n++) await say(n, n % 8 === 7 ? a.at : b.at, done);
      for (let n = 0; n < 16; n++) await say(n, b.at, { left: 0, event: 'stopped' });
      await redis.comeBack();
      await b.running.saying(/the swarm store is back/);
      // Who completed at one and left the other within a second is there or not.
      await untilCounted(clients[0]!, [a.at, b.at], [1], [null, 32]);
      // It stays so: what is told after all that was told again adds itself, and nothing else.
      for (let n = 32; n < 36; n += 2) {
        await Promise.all([say(n, a.at, done), say(n + 1, b.at, done)]);
        await untilCounted(clients[0]!, [a.at, b.at], [1], [null, n + 2]);
      }
      await Promise.all(clients.map((client) => client.close()));
    }));

  it('share all swarms but one of which the store has something else, and that one when it is gone', async ({
    place,
  }) =>
    withRedis(async (redis, env) => {
      const [a, b] = [await startTracker(place, 'a', redis.url), await startTracker(place, 'b', redis.url)];
      const caller = new Caller(env, [a.at]);
      const watcher = new TrackerClient(env, { from: LOOPBACK });
      const [bad, good] = [1, 2];
      const key = `shoal:{${latin1(announceOf(bad, 0).infoHash)}}`;
      await redis.ask(['SET', key, 'no sorted set']);
      for (let peer = 0; peer < 3; peer++) {
        for (const swarm of [bad, good]) expect(await caller.announce(0, announceOf(swarm, peer))).toBe(peer);
      }
      await a.running.saying(/the swarm store refuses swarms .*WRONGTYPE/);
      await untilCounted(watcher, [b.at], [good], [3, 0]);
      await redis.ask(['DEL', key]);
      await untilCounted(watcher, [b.at], [bad], [3, 0]);
      await Promise.all([caller.close(), watcher.close()]);
      const said = await Promise.all([a, b].map(({ running }) => running.stop()));
      for (const { stderr } of said) expect(stderr).not.toContain('away');
      expect(said[0]!.stderr.match(/refuses/g)).toHaveLength(1);
    }));

  it('says once that the store is away, and once that it is back', async ({ place }) =>
    withRedis(async (redis, env) => {
      const { running, at } = await startTracker(place, 'a', redis.url);
      await redis.signal('SIGKILL');
      await running.saying(/the swarm store is away/);
      const caller = new Caller(env, [at]);
      expect(await caller.announce(0, announceOf(1, 1))).toBe(0);
      expect(await caller.announce(0, announceOf(1, 2))).toBe(1);
      await redis.comeBack();
      await running.saying(/the swarm store is back/);
      await caller.close();
      const { stderr } = await running.stop();
      expect(stderr.match(/store is away/g)).toHaveLength(1);
    }));

  it('begins without a store that is not there, and ends where one is no good, with the reason', async ({ place }) =>
    withRedis(
      async (redis) => {
        const start = (url: string): ReturnType<Workplace['run']> =>
          place.run('tracker', '--listen', '127.0.0.1:0', '--store', url);
        expectFailure(await start(redis.url), 1, 'STORE_REFUSED');
        const wrong = await start(`${redis.url}?password=wrongone`);
        expectFailure(wrong, 1, 'STORE_REFUSED');
        expect(wrong.stderr).not.toContain('wrongone');
        for (const url of ['http://127.0.0.1', 'redis://', 'redis://host/x', 'redis://host?x=y']) {
          expectFailure(await start(url), 2, 'USAGE');
        }
        const good = await startTracker(place, 'good', `${redis.url}?password=right`);
        expect((await good.running.stop()).exitCode).toBe(0);
        await withServer(
          () => 'HTTP/1.1 400 Bad Request\r\n\r\n',
          async (port) => {
            const other = await start(`redis://127.0.0.1:${port}`);
            expectFailure(other, 1, 'STORE_REFUSED');
            expect(other.stderr).toContain('no Redis');
          },
        );
        await withServer(
          (text) => (text.includes('INFO') ? bulk('# Server\r\nredis_version:5.0.7\r\n') : '+OK\r\n'),
          async (port) => {
            const old = await start(`redis://127.0.0.1:${port}`);
            expectFailure(old, 1, 'STORE_REFUSED');
            expect(old.stderr).toContain('too old');
          },
        );
        await withServer(
          () => '',
          async (port) => {
            const mute = await startTracker(place, 'mute', `redis://127.0.0.1:${port}`);
            await mute.running.saying(/the swarm store is away/);
            expect((await mute.running.stop()).exitCode).toBe(0);
          },
        );
      },
      { more: ['--requirepass', 'right'] },
    ));
});

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

/** A server that gives each command some answer. */
async function withServer(answer: (text: string) => string, body: (port: number) => Promise<void>): Promise<void> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      for (const command of bytes.toString('latin1').split(/(?=\*\d+\r\n)/)) socket.write(answer(command));
    });
    server.once('close', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await body((server.address() as { port: number }).port);
  } finally {
    server.emit('close');
    server.close();
  }
}
