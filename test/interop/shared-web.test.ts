// WebTorrent clients (the package ws) at two trackers of the built program, which share a real redis-server: they find each other,
// and what becomes of that when one of the three is killed.

import { describe, expect } from 'vitest';
import { fromLatin1 } from '../../src/base/bytes.ts';
import { trackerThreads } from '../../src/cli/tracker-threads.ts';
import { createNodeEnv } from '../../src/platform/node/env.ts';
import { CAN_REUSE_PORT } from '../../src/platform/node/net/shared-port.ts';
import { loadUdpBatch } from '../../src/platform/node/net/udp-batch.ts';
import { createRedisSwarmStore } from '../../src/platform/node/redis/redis-swarm-store.ts';
import { TrackerClient } from '../../src/tracker/client/client.ts';
import { TrackerServer, type TrackerServerOptions } from '../../src/tracker/server/server.ts';
import type { Running, Workplace } from '../e2e/program.ts';
import { it } from '../e2e/stage.ts';
import { hasProgram, REDIS, RedisStage } from '../support/redis-stage.ts';
import { rememberThreads } from '../support/remembered-threads.ts';
import { id, offers } from '../support/web-messages.ts';
import { everyPair, WS_HASH, WsClient } from '../support/ws-client.ts';
import { until } from './harness/until.ts';

const missing = hasProgram(REDIS) ? '' : ` (skipped: no ${REDIS})`;
const suite = missing === '' ? describe : describe.skip;
const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const CAN_SHARE = CAN_REUSE_PORT || loadUdpBatch() !== null;
/** A tracker that is no more is known to be after 20 s or so, and its peers are forgotten within 30 s more. */
const FORGOTTEN_MS = 100_000;

interface Tracker {
  readonly running: Running;
  /** `127.0.0.1:PORT` */
  readonly at: string;
  /** `seeds leeches completed` by an HTTP scrape. */
  counts(): Promise<string>;
  newClient(peerId: string): Promise<WsClient>;
  /** Kills it, and starts another at its address, with its state. */
  again(): Promise<Tracker>;
}

interface Stage {
  readonly redis: RedisStage;
  readonly a: Tracker;
  /** With two threads, where the system can share a port. */
  readonly b: Tracker;
}

interface Options {
  readonly isCluster?: boolean;
  /** Asked of Redis before the trackers start. */
  readonly first?: readonly string[];
}

async function withTwo(
  place: Workplace,
  body: (stage: Stage) => Promise<void>,
  { first, ...options }: Options = {},
): Promise<void> {
  const redis = await RedisStage.start(options);
  const env = createNodeEnv({ stateFolder: '/nonexistent' });
  const asker = new TrackerClient(env, { from: LOOPBACK });
  const clients: WsClient[] = [];
  const start = async (state: string, more: readonly string[] = [], listen = '127.0.0.1:0'): Promise<Tracker> => {
    const own = ['--listen', listen, '--state', place.path(state), '--store', redis.url, '--json'];
    const running = place.start('tracker', ...own, ...more);
    const at = ((await running.event('ready')).listen as string[])[0]!;
    return {
      running,
      at,
      async counts() {
        const signal = AbortSignal.timeout(10_000);
        const [entry] = (await asker.scrape(`http://${at}/announce`, [fromLatin1(WS_HASH)], { signal })).values();
        return `${entry?.seeds} ${entry?.leeches} ${entry?.completed}`;
      },
      async newClient(peerId) {
        const client = new WsClient(`ws://${at}/announce`, peerId);
        clients.push(client);
        await client.open();
        client.announce({ event: 'started' });
        await client.take('interval');
        return client;
      },
      async again() {
        await running.stop('SIGKILL');
        return start(state, more, at);
      },
    };
  };
  try {
    if (first !== undefined) await redis.ask(first);
    await body({ redis, a: await start('a'), b: await start('b', CAN_SHARE ? ['--workers', '2'] : []) });
  } finally {
    for (const client of clients) client.drop();
    await asker.close();
    await env.close();
    await redis.close();
  }
}

const countEverywhere = (stage: Stage, counts: string): Promise<boolean> =>
  until(`${counts} at both trackers`, async () => {
    const both = await Promise.all([stage.a.counts(), stage.b.counts()]);
    return both.every((each) => each === counts);
  });

suite(`WebTorrent clients at two trackers and one ${REDIS}${missing}`, () => {
  for (const isCluster of [false, true])
    it(`offer and answer from each to each, and are counted at both${isCluster ? ', by a cluster' : ''}`, async ({
      place,
    }) =>
      withTwo(
        place,
        async (stage) => {
          const { a, b } = stage;
          // The system deals connections out to threads as it likes.
          const all: WsClient[] = [];
          for (let n = 0; n < 9; n++) all.push(await (n < 3 ? a : b).newClient(id(0x61 + n)));
          await countEverywhere(stage, '0 9 0');
          await everyPair(all);
          all[0]!.announce({ event: 'completed', left: 0 });
          await countEverywhere(stage, '1 8 1');
          all[1]!.announce({ event: 'stopped' });
          all[8]!.drop();
          await countEverywhere(stage, '1 6 1');
          for (const { running } of [a, b]) expect((await running.stop()).exitCode).toBe(0);
        },
        { isCluster },
      ));

  it('are members of one of them, also where they come to both at once, and complete once', async ({ place }) =>
    withTwo(place, async (stage) => {
      const { a, b } = stage;
      const all: WsClient[] = [];
      for (let n = 0; n < 5; n++) {
        const peerId = id(0x61 + n);
        const ends = await Promise.all([a, b].map(({ at }) => new WsClient(`ws://${at}/announce`, peerId).open()));
        for (const end of ends) end.announce({ event: 'started' });
        const refused = await Promise.race(ends.map((end) => end.take('failure reason').then(() => end)));
        for (const end of ends) end.announce({ event: 'completed', left: 0 });
        await refused.take('failure reason');
        await countEverywhere(stage, `${n + 1} 0 ${n + 1}`);
        const kept = ends[0] === refused ? ends[1]! : ends[0]!;
        expect(kept.heard.filter((message) => 'failure reason' in message)).toEqual([]);
        // It stays when it is left alone.
        refused.drop();
        await countEverywhere(stage, `${n + 1} 0 ${n + 1}`);
        all.push(kept);
      }
      for (const end of all) end.drop();
      await countEverywhere(stage, '0 0 5');
    }));

  // These wait for most of their time: side by side.
  it.concurrent('are gone when their tracker is killed, and free for another to take their ids', async ({ place }) =>
    withTwo(place, async (stage) => {
      const { a, b } = stage;
      await a.newClient(id(0x61));
      const other = await b.newClient(id(0x62));
      await countEverywhere(stage, '0 2 0');
      await a.running.stop('SIGKILL');
      await until('the dead tracker’s peer to be gone', async () => (await b.counts()) === '0 1 0', FORGOTTEN_MS);
      const again = await b.newClient(id(0x61));
      expect(await b.counts()).toBe('0 2 0');
      other.announce({ offers: offers(1), numwant: 1 });
      expect(await again.take('offer')).toMatchObject({ peer_id: id(0x62) });
    }));

  it.concurrent('come back at once to their tracker that was killed, and has a state', async ({ place }) =>
    withTwo(place, async ({ a, b }) => {
      // Where it names a port it has one.
      let tracker = await b.again();
      for (let n = 0; n < 3; n++) {
        const client = await tracker.newClient(id(0x61));
        await until('the peer to be known', async () => (await a.counts()) === '0 1 0');
        expect(client.heard).toEqual([]);
        tracker = await tracker.again();
      }
      await until(
        'the killed tracker to be known as gone',
        async () => {
          const client = new WsClient(`ws://${a.at}/announce`, id(0x61));
          await client.open();
          client.announce();
          const heard = await until('a reply', () => client.heard[0]);
          client.drop();
          return 'interval' in heard;
        },
        12_000,
      );
    }));

  it.skipIf(!CAN_SHARE)('of a thread that dies are gone at the other tracker too', { concurrent: true }, async () => {
    const redis = await RedisStage.start();
    const env = createNodeEnv({ stateFolder: '/nonexistent' });
    const { threads, started } = rememberThreads(trackerThreads(null, redis.url));
    const open = (more: Partial<TrackerServerOptions>): Promise<TrackerServer> => {
      const swarmStore = createRedisSwarmStore(redis.url);
      return TrackerServer.open(env, { listen: [{ ip: LOOPBACK, port: 0 }], swarmStore, ...more });
    };
    const [a, b] = [await open({ workers: { count: 2, threads } }), await open({})];
    const clients = Array.from({ length: 20 }, (_, n) => new WsClient(`ws://${a.addresses[0]}/announce`, id(0x61 + n)));
    try {
      let lost = 0;
      await Promise.all(clients.map((client) => client.open()));
      for (const client of clients) {
        client.socket.once('close', () => lost++).on('error', () => undefined);
        client.announce();
        await client.take('interval');
      }
      const leeches = (): number => b.counts(fromLatin1(WS_HASH)).leeches;
      await until('all to be known at the other', async () => leeches() === clients.length);
      await started[0]!.stop();
      await until('connections to be gone', async () => lost > 0);
      // Its sweep begins a round every 30 s.
      await until('the dead thread’s peers to be gone', async () => leeches() === clients.length - lost, FORGOTTEN_MS);
      // The system deals connections out to threads as it likes: of twenty, all on one is one chance in 500,000.
      expect(lost).toBeLessThan(clients.length);
    } finally {
      for (const client of clients) client.drop();
      await Promise.all([a.close(), b.close()]);
      await env.close();
      await redis.close();
    }
  });

  it('go on at each tracker while the store is away, and find each other again when it is back', async ({ place }) =>
    withTwo(place, async (stage) => {
      const { a, b, redis } = stage;
      const first = [await a.newClient(id(0x61)), await a.newClient(id(0x62))];
      const far = await b.newClient(id(0x63));
      await countEverywhere(stage, '0 3 0');
      await redis.signal('SIGKILL');
      await Promise.all([a, b].map(({ running }) => running.saying(/the swarm store is away/)));
      first[0]!.announce({ offers: offers(1), numwant: 1 });
      first[1]!.answer(await first[1]!.take('offer'));
      await first[0]!.take('answer');
      await redis.comeBack();
      await Promise.all([a, b].map(({ running }) => running.saying(/the swarm store is back/)));
      await countEverywhere(stage, '0 3 0');
      for (const client of [...first, far]) client.heard.splice(0);
      // A tracker may listen a little later than it can be told.
      await until('an answer from the other tracker', async () => {
        far.announce({ offers: offers(2), numwant: 2 });
        await far.take('interval');
        for (const client of first)
          for (const heard of client.heard.splice(0)) if ('offer' in heard) client.answer(heard);
        return far.heard.some((message) => 'answer' in message);
      });
    }));

  it('are counted, but reached at their own tracker alone, where the store lets nobody listen, until it does', async ({
    place,
  }) =>
    withTwo(
      place,
      async (stage) => {
        const { a, b, redis } = stage;
        await Promise.all([a, b].map(({ running }) => running.saying(/cannot be heard/)));
        const [one, two] = [await a.newClient(id(0x61)), await a.newClient(id(0x62))];
        const far = await b.newClient(id(0x63));
        await countEverywhere(stage, '0 3 0');
        one.announce({ offers: offers(2), numwant: 2 });
        await two.take('offer');
        expect(far.heard).toEqual([]);
        await redis.ask(['ACL', 'SETUSER', 'default', 'allchannels']);
        await Promise.all([a, b].map(({ running }) => running.saying(/is heard again/)));
        await everyPair([one, two, far]);
        const { stderr } = await a.running.stop();
        expect(stderr.match(/cannot be heard/g)).toHaveLength(1);
        expect(stderr).not.toContain('store is away');
      },
      { first: ['ACL', 'SETUSER', 'default', 'resetchannels'] },
    ));
});
