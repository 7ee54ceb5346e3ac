// Trackers that share their swarms by a store, in virtual time: what each of them tells, and what becomes of it when the store
// is away, silent, forgetful or full.

import { describe, expect, it } from 'vitest';
import { ShoalError } from '../../src/base/errors.ts';
import { type Scheme, withTrackers } from '../support/sim-shared-trackers.ts';

const SCHEMES: readonly Scheme[] = ['http', 'udp'];

describe('two trackers with one store', () => {
  it.each(SCHEMES)('tell of each other’s peers at once, over %s', (scheme) =>
    withTrackers(async ({ newPeer, pass }) => {
      const [a, b, c] = [newPeer(), newPeer(), newPeer()];
      expect(await a.announce(0, scheme)).toEqual([]);
      await pass(1900);
      expect(await b.announce(1, scheme)).toEqual([a.key]);
      await pass(1900);
      expect(await a.announce(0, scheme)).toEqual([b.key]);
      await b.announce(1, scheme, { event: 'stopped' });
      await pass(1900);
      expect(await c.announce(0, scheme)).toEqual([a.key]);
    }),
  );

  it('answer from what they know where a copy is young', () =>
    withTrackers(async ({ newPeer, store, pass }) => {
      const [a, b] = [newPeer(), newPeer()];
      await a.announce(0, 'udp');
      await pass(900);
      const before = store.exchanges;
      for (let n = 0; n < 20; n++) await b.announce(0, 'udp', { event: 'none' });
      expect(store.exchanges - before).toBeLessThan(5);
    }));

  it('count seeds, leeches and completions alike, and a completion that both hear once', () =>
    withTrackers(async ({ newPeer, pass, scrape }) => {
      const [a, b] = [newPeer(), newPeer()];
      await a.announce(0, 'udp');
      await a.announce(1, 'udp');
      await b.announce(0, 'http', { left: 0 });
      for (const tracker of [0, 1]) await a.announce(tracker, 'udp', { left: 0, event: 'completed' });
      await pass(5000);
      for (const tracker of [0, 1]) await b.announce(tracker, 'http', { left: 0, event: 'none' });
      await pass(1000);
      expect([scrape(0), scrape(1)]).toEqual(['2 0 1', '2 0 1']);
    }));

  it('forget those that are silent, and so does the store', () =>
    withTrackers(
      async ({ newPeer, store, pass, servers }) => {
        await newPeer().announce(0, 'udp');
        await pass(200_000);
        expect(await newPeer().announce(1, 'udp', { event: 'none' })).toEqual([]);
        await pass(200_000);
        expect(servers[0]!.stats().peers).toBe(0);
        expect(await newPeer().announce(1, 'udp', { event: 'none' })).toEqual([]);
        // The other is that of the trackers.
        expect(store.swarmCount).toBe(2);
      },
      { intervalS: 60 },
    ));

  it('know all peers again when one is started anew', () =>
    withTrackers(async ({ newPeer, pass, restart }) => {
      const [a, b, c] = [newPeer(), newPeer(), newPeer()];
      await a.announce(0, 'udp');
      await b.announce(1, 'udp');
      await pass(1000);
      await restart(0);
      expect(await c.announce(0, 'udp')).toEqual([a.key, b.key].sort());
    }));

  it('know all peers when one is started anew, were the store half a second slow', () =>
    withTrackers(async ({ newPeer, store, pass, restart }) => {
      const [a, b, c] = [newPeer(), newPeer(), newPeer()];
      await a.announce(0, 'udp');
      await pass(1000);
      store.latencyMs = 700;
      await restart(0);
      for (const [peer, scheme] of [
        [b, 'udp'],
        [c, 'http'],
      ] as const) {
        expect(await peer.announce(0, scheme)).toContain(a.key);
      }
    }));
});

describe('a store that is away', () => {
  it.each(['goDown', 'fallSilent'] as const)(
    'is done without, and told of once, when it does %s; deletions hold',
    (how) =>
      withTrackers(async ({ newPeer, store, pass, log, servers, scrape }) => {
        const [a, b, c, d] = [newPeer(), newPeer(), newPeer(), newPeer()];
        await a.announce(0, 'udp');
        await b.announce(1, 'udp');
        await pass(1000);
        await b.announce(0, 'http', { event: 'none' });
        store[how]();
        await a.announce(0, 'http', { event: 'none' });
        await pass(10_000);
        expect(servers.map((server) => server.stats().store)).toEqual(['away', 'away']);
        expect(await c.announce(0, 'udp')).toEqual([a.key, b.key].sort());
        await a.announce(0, 'udp', { event: 'stopped' });
        await c.announce(0, 'udp', { left: 0, event: 'completed' });
        await pass(20_000);
        expect(await d.announce(0, 'http')).toEqual([b.key, c.key].sort());
        store.comeBack();
        await pass(15_000);
        // Tracker 1 still has what left at tracker 0, and hears of it.
        expect(await newPeer().announce(1, 'udp', { event: 'none' })).toEqual([b.key, c.key, d.key].sort());
        expect(scrape(1)).toBe('1 3 1');
        expect(log.filter((line) => line.startsWith('the swarm store is away')).length).toBe(2);
        expect(servers[0]!.stats().store).toBe('up');
      }),
  );

  it('is told everything again when it has forgotten it', () =>
    withTrackers(async ({ newPeer, store, pass, restart, scrape }) => {
      const peers = Array.from({ length: 30 }, newPeer);
      for (const [n, peer] of peers.entries()) await peer.announce(n % 2, 'udp', { left: n % 3 });
      await peers[1]!.announce(0, 'udp', { left: 0, event: 'completed' });
      await pass(2000);
      await peers[2]!.announce(0, 'udp', { event: 'none' });
      await peers[3]!.announce(1, 'udp', { event: 'none' });
      await pass(1000);
      store.goDown();
      store.forgetAll();
      await pass(60_000);
      store.comeBack();
      await pass(20_000);
      await restart(0);
      expect(await newPeer().announce(0, 'udp', { event: 'none', numWant: 100 })).toHaveLength(30);
      expect(scrape(0)).toBe(scrape(1).replace(/^(\d+) (\d+)/, scrape(0).slice(0, scrape(0).lastIndexOf(' '))));
      expect(scrape(0).endsWith(' 1')).toBe(true);
    }));

  it('that refuses what it is told, such as one that is full, is away too, and healed', () =>
    withTrackers(async ({ newPeer, store, pass, servers, log }) => {
      const [a, b] = [newPeer(), newPeer()];
      store.refusal = new ShoalError('IO', 'OOM command not allowed');
      for (let n = 0; n < 10; n++) {
        await a.announce(0, 'udp', { event: 'none' });
        await pass(1000);
      }
      expect(servers[0]!.stats().store).toBe('away');
      expect(log).toHaveLength(1);
      store.refusal = null;
      await pass(20_000);
      expect(await b.announce(1, 'udp')).toEqual([a.key]);
    }));

  it('need not be there at the start', () =>
    withTrackers(async ({ newPeer, store, pass, restart, log }) => {
      const [a, b] = [newPeer(), newPeer()];
      store.goDown();
      await restart(0);
      expect(log.filter((line) => line.startsWith('the swarm store is away'))).not.toEqual([]);
      await a.announce(0, 'udp');
      store.comeBack();
      await pass(15_000);
      expect(await b.announce(1, 'udp')).toEqual([a.key]);
    }));
});
