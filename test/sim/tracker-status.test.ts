// What a tracker says of itself, to programs that look after it.

import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/base/bytes.ts';
import { SimSwarmStore } from '../../src/platform/sim/index.ts';
import { sleep } from '../../src/ports/clock.ts';
import type { Env } from '../../src/ports/env.ts';
import { encodeScrapeRequest } from '../../src/tracker/protocol/udp-packets.ts';
import type { TrackerServerOptions } from '../../src/tracker/server/server.ts';
import type { TrackerHistory } from '../../src/tracker/server/status/history.ts';
import { readMetrics } from '../support/prometheus.ts';
import { get, hash, place, request, type Setting, signal, talk, withTracker } from '../support/sim-tracker.ts';

/** Status and body of a page. */
async function ask(
  setting: Setting,
  path: string,
  host = setting.client().host,
  field = 'Host: t',
): Promise<[number, string]> {
  const reply = await talk(host, place(setting), [get(path, `${field}\r\nConnection: close`)]);
  return [Number(/^HTTP\/1\.1 (\d+)/.exec(reply)?.[1]), reply.slice(reply.indexOf('\r\n\r\n') + 4)];
}

describe('the numbers of a tracker', () => {
  it('count the bytes of UDP, and faults by their kind', async () => {
    await withTracker({ maxPeersPerAddressAndSwarm: 1 }, async (setting) => {
      const { client, host } = setting.client();
      await client.announce(setting.url('udp'), request(), { signal });
      const before = setting.server.stats();
      // A connect, an announce with its path (BEP 41), and answers with nobody else in them.
      expect(before.bytes).toMatchObject({ udpIn: 16 + 98 + 2 + 9, udpOut: 16 + 20 });
      await expect(client.announce(setting.url('udp'), request({ port: 1 }), { signal })).rejects.toThrow('too many');
      const socket = await host.env.sockets.bindUdp({ ip: null, port: 0 }, () => undefined);
      socket.send(encodeScrapeRequest(new Uint8Array(8), 1, [hash]), place(setting));
      socket.send(utf8('some nonsense of more than sixteen bytes'), place(setting));
      await sleep(host.env.clock, 1000);
      await socket.close();
      const { udp, faults } = setting.server.stats();
      // After an error the client tries once more with another connection id.
      expect([udp.announces, udp.errors, udp.connects]).toEqual([1, 3, 2]);
      expect(faults).toMatchObject({ tooManyPeers: 2, expiredConnectionId: 1, unknownAction: 1, malformed: 0 });
    });
  });

  it('count the bytes of HTTP, and faults by their kind', async () => {
    const refusal = { reason: 'not here', retryInMinutes: null };
    const access = { check: () => refusal, checkScrape: () => null, shows: () => true };
    await withTracker({ access }, async (setting) => {
      const asked = get('/announce?info_hash=x', 'Connection: close');
      const reply = await talk(setting.client().host, place(setting), [asked]);
      expect(setting.server.stats().bytes).toMatchObject({ httpIn: asked.length, httpOut: reply.length });
      await ask(setting, `/announce?info_hash=${'%2B'.repeat(20)}&peer_id=-SH0100-abcdefghijkl&port=6881`);
      await ask(setting, '/none');
      await ask(setting, `/${'x'.repeat(9000)}`);
      await talk(setting.client().host, place(setting), ['GET / HT']);
      const { faults, http } = setting.server.stats();
      expect(faults).toMatchObject({ malformed: 1, refused: 1, unknownAction: 1, tooLarge: 1, tooSlow: 1 });
      expect(http.errors).toBe(4);
    });
  });

  it('of the last hour are told in steps of ten seconds', async () => {
    await withTracker({}, async (setting) => {
      const { client, host } = setting.client();
      for (let n = 0; n < 20; n++) await client.announce(setting.url('udp'), request({ port: 100 + n }), { signal });
      await sleep(host.env.clock, 31_000);
      const [status, body] = await ask(setting, '/stats/history');
      const { columns, stepS, endMs } = JSON.parse(body) as TrackerHistory;
      expect([status, stepS, endMs % 1]).toEqual([200, 10, 0]);
      expect(columns.announcesUdp).toHaveLength(3);
      expect(columns.announcesUdp.reduce((sum, rate) => sum + rate * 10, 0)).toBeCloseTo(20, 0);
      expect(columns.peers).toEqual([20, 20, 20]);
      const again = ask(setting, '/stats/history');
      expect(await again).toEqual([200, body]);
      await sleep(host.env.clock, 10_000);
      expect((await ask(setting, '/stats/history'))[1]).not.toBe(body);
    });
  });

  it('are told to Prometheus on this machine and in private networks, unless all may have them or nobody', async () => {
    await withTracker({ proxies: [{ ip: Uint8Array.of(10, 3, 3, 3), prefix: 32 }] }, async (setting) => {
      const [near, far, proxy, other] = ['10.1.2.3', '203.0.113.9', '10.3.3.3', '10.4.4.4'].map(
        (ip) => setting.client(ip).host,
      );
      const [status, text] = await ask(setting, '/metrics', near);
      expect(status).toBe(200);
      expect(readMetrics(text).get('shoal_tracker_announce_interval_seconds')?.samples.size).toBe(1);
      expect((await ask(setting, '/metrics', far))[0]).toBe(403);
      expect((await ask(setting, '/metrics', proxy, 'X-Forwarded-For: 203.0.113.9'))[0]).toBe(403);
      expect((await ask(setting, '/metrics', proxy, 'X-Forwarded-For: 192.168.0.9'))[0]).toBe(200);
      expect((await ask(setting, '/metrics', proxy, 'X-Forwarded-For: 203.0.113.9:4711'))[0]).toBe(403);
      expect((await ask(setting, '/metrics', proxy, 'X-Forwarded-For: unknown'))[0]).toBe(403);
      // Nobody has named this proxy: who came through it may be anybody.
      expect((await ask(setting, '/metrics', other, 'X-Forwarded-For: 192.168.0.9'))[0]).toBe(403);
    });
    await withTracker({ metrics: 'all' }, async (setting) => {
      expect((await ask(setting, '/metrics', setting.client('203.0.113.9').host))[0]).toBe(200);
    });
    await withTracker({ metrics: 'off' }, async (setting) => {
      expect((await ask(setting, '/metrics'))[0]).toBe(404);
    });
  });

  it('say that all is well, also when the store is away', async () => {
    let store: SimSwarmStore | undefined;
    const options = ({ clock }: Env): Partial<TrackerServerOptions> => {
      store = new SimSwarmStore({ clock });
      return { swarmStore: store };
    };
    await withTracker(options, async (setting) => {
      const { host } = setting.client();
      await sleep(host.env.clock, 120_000);
      expect(await ask(setting, '/healthz')).toEqual([200, 'ok\n']);
      expect(setting.server.stats()).toMatchObject({ store: 'up', threads: 1, intervalS: 1800, process: null });
      store!.goDown();
      await sleep(host.env.clock, 1000);
      expect(await ask(setting, '/healthz')).toEqual([200, 'ok, but the store is away: answered from what is known\n']);
      expect(setting.server.stats().store).toBe('away');
    });
  });
});
