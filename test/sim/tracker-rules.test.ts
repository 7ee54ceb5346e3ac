// Who a tracker believes, prefers, limits and refuses, in virtual time.

import { describe, expect, it } from 'vitest';
import { latin1 } from '../../src/base/bytes.ts';
import { SimSwarmStore } from '../../src/platform/sim/index.ts';
import { sleep } from '../../src/ports/clock.ts';
import type { Env } from '../../src/ports/env.ts';
import type { AnnounceFields } from '../../src/tracker/protocol/announce.ts';
import { encodeScrapeRequest } from '../../src/tracker/protocol/udp-packets.ts';
import type { AccessRules, AnnounceLedger, PathKey, Refusal } from '../../src/tracker/server/access.ts';
import type { TrackerServerOptions } from '../../src/tracker/server/server.ts';
import { get, hash, place, request, type Setting, signal, talk, withTracker } from '../support/sim-tracker.ts';

const query = `info_hash=${'%2B'.repeat(20)}&peer_id=-SH0100-abcdefghijkl&left=5&numwant=0`;
const close = 'Connection: close';
const network = (a: number, b: number, prefix: number): { ip: Uint8Array; prefix: number } => ({
  ip: Uint8Array.of(a, b, 0, 0),
  prefix,
});

/** Announces from `ip` by hand; returns the address that the tracker says it has. */
async function seenAs(setting: Setting, ip: string, extra: string, field = ''): Promise<string> {
  const { host } = setting.client(ip);
  const text = await talk(host, place(setting), [get(`/announce?${query}&port=1${extra}`, `${field}${close}`)]);
  const bytes = /external ip(\d+):/.exec(text)!;
  const at = bytes.index + bytes[0].length;
  return [...text.slice(at, at + Number(bytes[1]))].map((char) => char.charCodeAt(0)).join('.');
}

describe('the address of a peer', () => {
  it('is where it comes from, or what a named proxy says', async () => {
    await withTracker({ proxies: [network(10, 9, 16)] }, async (setting) => {
      const forwarded = 'X-Forwarded-For: 1.2.3.4, 198.51.100.7 , 10.9.0.8\r\n';
      expect(await seenAs(setting, '203.0.113.5', '', forwarded)).toBe('203.0.113.5');
      expect(await seenAs(setting, '10.9.0.7', '', forwarded)).toBe('198.51.100.7');
      expect(await seenAs(setting, '10.9.0.17', '', 'X-Forwarded-For: nonsense\r\n')).toBe('10.9.0.17');
      expect(await seenAs(setting, '10.9.0.27', '', 'X-Forwarded-For: 198.51.100.8:4711\r\n')).toBe('198.51.100.8');
    });
  });

  it('is what it says itself only from private networks and named proxies', async () => {
    await withTracker({ proxies: [network(203, 7, 16)] }, async (setting) => {
      expect(await seenAs(setting, '203.0.113.5', '&ip=198.51.100.1')).toBe('203.0.113.5');
      expect(await seenAs(setting, '10.0.0.5', '&ip=198.51.100.1')).toBe('198.51.100.1');
      expect(await seenAs(setting, '203.7.1.1', '&ip=198.51.100.2')).toBe('198.51.100.2');
      expect(await seenAs(setting, '10.0.0.6', '&ip=localhost')).toBe('10.0.0.6');
      expect(await seenAs(setting, '10.0.0.7', '&ip=0.0.0.0')).toBe('10.0.0.7');
      expect(await seenAs(setting, '10.0.0.8', '&ip=224.0.0.1')).toBe('10.0.0.8');
      expect(await seenAs(setting, '10.0.0.9', '&ip=127.0.0.1')).toBe('10.0.0.9');
      // Nobody has named this proxy, or it does not say who asks: it may be anybody.
      expect(await seenAs(setting, '10.0.0.10', '&ip=198.51.100.2', 'X-Forwarded-For: 192.0.2.1\r\n')).toBe(
        '10.0.0.10',
      );
      expect(await seenAs(setting, '203.7.1.3', '&ip=198.51.100.2', 'X-Forwarded-For: unknown\r\n')).toBe('203.7.1.3');
      const through = 'X-Forwarded-For: 192.0.2.1\r\n';
      expect(await seenAs(setting, '203.7.1.2', '&ip=198.51.100.2', through)).toBe('192.0.2.1');
    });
  });
});

describe('limits of an address', () => {
  it('refuse further peers with a time to ask again, and let those that are known go on', async () => {
    await withTracker({ maxPeersPerAddressAndSwarm: 2, maxPeersPerAddress: 3 }, async ({ client, url, server }) => {
      const { client: one } = client('203.0.113.1');
      const announce = (port: number, changes = {}): Promise<unknown> =>
        one.announce(url('http'), request({ port, ...changes }), { signal });
      await announce(1);
      await announce(2);
      await expect(announce(3)).rejects.toMatchObject({
        code: 'TRACKER_FAILED',
        message: 'too many peers at your address',
      });
      await announce(2);
      await announce(3, { infoHash: new Uint8Array(20) });
      await expect(announce(4, { infoHash: new Uint8Array(20).fill(1) })).rejects.toMatchObject({
        code: 'TRACKER_FAILED',
      });
      await announce(1, { event: 'stopped' });
      await announce(3);
      expect(server.stats().peers).toBe(3);
    });
  });

  it('refuse announces that come too often, and none of others', async () => {
    await withTracker({ maxAnnouncesPerAddress: 1 }, async ({ client, url, host }) => {
      const [flood, honest] = [client('203.0.113.1'), client('203.0.113.2')];
      let refused = 0;
      for (let i = 0; i < 60; i++) {
        await flood.client.announce(url('udp'), request(), { signal }).catch(() => refused++);
      }
      expect(refused).toBeGreaterThan(20);
      await honest.client.announce(url('udp'), request(), { signal });
      await sleep(host.env.clock, 30_000);
      await flood.client.announce(url('udp'), request(), { signal });
    });
  });

  it.each(['http', 'udp'] as const)('refuse scrapes that come too often over %s, and nothing else', async (scheme) => {
    await withTracker({ maxScrapesPerAddress: 1, metrics: 'all' }, async (setting) => {
      const { client, url, host, server } = setting;
      const [flood, honest] = [client('203.0.113.1'), client('203.0.113.2')];
      const scrape = async (): Promise<string> => {
        const told = flood.client.scrape(url(scheme), [hash], { signal });
        return told.then(
          () => 'answered',
          (error: Error) => error.message,
        );
      };
      const told: string[] = [];
      for (let i = 0; i < 60; i++) told.push(await scrape());
      const refused = told.filter((each) => each === 'too many scrapes from your address');
      expect(told.slice(0, 20)).toEqual(new Array(20).fill('answered'));
      expect(refused.length).toBeGreaterThan(20);
      // Over UDP the client asks once more, with a new connection id.
      const { [scheme]: counted, faults } = server.stats();
      expect(counted.scrapes).toBe(60 - refused.length);
      expect(faults.tooManyScrapes).toBeGreaterThanOrEqual(refused.length);
      expect([counted.errors, faults.rateLimited]).toEqual([faults.tooManyScrapes, 0]);
      const metrics = await talk(honest.host, place(setting), [get('/metrics', close)]);
      expect(metrics).toContain(`shoal_tracker_faults_total{kind="too_many_scrapes"} ${faults.tooManyScrapes}\n`);
      await honest.client.scrape(url(scheme), [hash], { signal });
      await flood.client.announce(url(scheme), request(), { signal });
      await sleep(host.env.clock, 30_000);
      expect(await scrape()).toBe('answered');
    });
  });

  it('count a scrape that waits for a shared store once', async () => {
    const options = ({ clock }: Env): Partial<TrackerServerOptions> => ({
      swarmStore: new SimSwarmStore({ clock }),
      maxScrapesPerAddress: 1,
    });
    await withTracker(options, async ({ client, url, server }) => {
      const { client: one } = client('203.0.113.1');
      // Side by side: so many at once and no more are allowed.
      const hashes = Array.from({ length: 20 }, (_, i) => new Uint8Array(20).fill(i + 1));
      await Promise.all(hashes.map((each) => one.scrape(url('http'), [each], { signal })));
      expect(server.stats()).toMatchObject({ http: { scrapes: 20 }, faults: { tooManyScrapes: 0 } });
    });
  });

  it('tell who has no connection id nothing of a rate', async () => {
    await withTracker({ maxScrapesPerAddress: 1 }, async (setting) => {
      const { client, host } = setting.client('203.0.113.1');
      for (let i = 0; i < 40; i++) await client.scrape(setting.url('udp'), [hash], { signal }).catch(() => undefined);
      const asked = encodeScrapeRequest(new Uint8Array(8), 1, [hash]);
      const replies: Uint8Array[] = [];
      const socket = await host.env.sockets.bindUdp({ ip: null, port: 0 }, (packet) => replies.push(packet.slice()));
      socket.send(asked, place(setting));
      await sleep(host.env.clock, 1000);
      await socket.close();
      expect(replies.map(latin1)).toEqual([expect.stringContaining('connection expired')]);
      expect(replies[0]!.length).toBeLessThanOrEqual(asked.length);
    });
  });
});

describe('peers of the own network', () => {
  it('are all of it where there is nobody else', async () => {
    await withTracker({}, async ({ client, url }) => {
      const { client: one } = client('10.1.1.1');
      for (let port = 1; port <= 30; port++) await one.announce(url('http'), request({ port, numWant: 0 }), { signal });
      expect((await one.announce(url('http'), request({ port: 99, numWant: 25 }), { signal })).peers).toHaveLength(25);
    });
  });
});

describe('an announce of a path with a key', () => {
  const refusal: Refusal = { reason: 'unknown passkey', retryInMinutes: 'never' };

  it('is judged by the rules of access and noted in the ledger, over HTTP and UDP', async () => {
    const noted: string[] = [];
    const judge = (key: PathKey): Refusal | null =>
      latin1(key.bytes.subarray(key.start, key.end)) === 'secret' ? null : refusal;
    const access: AccessRules = {
      check: (_announce, key) => judge(key),
      checkScrape: judge,
      shows: (infoHash, at) => infoHash[at] === hash[0],
    };
    const ledger: AnnounceLedger = {
      note: (announce: AnnounceFields, key) => {
        noted.push(`${latin1(key.bytes.subarray(key.start, key.end))} ${announce.uploaded}`);
      },
    };
    await withTracker({ access, ledger }, async ({ client, url, server }) => {
      const { client: one } = client();
      for (const scheme of ['http', 'udp'] as const) {
        const keyed = url(scheme).replace('/announce', '/secret/announce');
        await one.announce(keyed, request({ uploaded: 77 }), { signal });
        const hidden = new Uint8Array(20);
        await one.announce(keyed, request({ infoHash: hidden, event: 'none' }), { signal });
        expect(server.counts(hidden).leeches).toBe(1);
        const scraped = one.scrape(keyed, [hash, hidden], { signal });
        // UDP has no place for a passkey in a scrape.
        if (scheme === 'udp') await expect(scraped).rejects.toMatchObject({ message: 'unknown passkey' });
        else expect([...(await scraped).values()]).toMatchObject([{ leeches: 0 }, { leeches: 1 }]);
        const asked = one.scrape(url(scheme), [hash], { signal });
        await expect(asked).rejects.toMatchObject({ message: 'unknown passkey' });
        for (const bad of [url(scheme), keyed.replace('secret', 'guess')]) {
          await expect(one.announce(bad, request(), { signal })).rejects.toMatchObject({ message: 'unknown passkey' });
        }
      }
      expect(noted).toEqual(['secret 77', 'secret 0', 'secret 77', 'secret 0']);
    });
  });
});

describe('other requests', () => {
  it('are handed over as they came, on connections that had announces before', async () => {
    const heard: string[] = [];
    await withTracker(
      {
        others: (stream, bytes) => {
          heard.push(latin1(bytes));
          stream.attach({
            onChunk: (chunk) => {
              heard.push(latin1(chunk));
              stream.write([chunk.slice()]);
              stream.end();
            },
            onClose: () => heard.push('closed'),
          });
        },
      },
      async (setting) => {
        const { host } = setting.client();
        const post = 'POST /api HTTP/1.1\r\nContent-Length: 4\r\n\r\n';
        const text = await talk(host, place(setting), [get(`/announce?${query}&port=1`) + post, 'body']);
        expect(text).toContain('10:incompletei1e');
        expect(text.endsWith('body')).toBe(true);
        await sleep(host.env.clock, 1000);
        expect(heard).toEqual([post, 'body', 'closed']);
        const socket = get('/socket', `Upgrade: websocket\r\n${close}`);
        const upgraded = talk(host, place(setting), [socket, '!']);
        expect(await upgraded).toBe('!');
        await sleep(host.env.clock, 1000);
        expect(setting.server.stats().http.connections).toBe(0);
      },
    );
  });
});

describe('dictionary replies', () => {
  it('have peer ids where the tracker keeps them and the client wants them', async () => {
    await withTracker({ keepsPeerIds: true }, async (setting) => {
      const { host } = setting.client();
      const ask = (extra: string): Promise<string> =>
        talk(host, place(setting), [get(`/announce?${query.replace('numwant=0', 'compact=0')}${extra}`, close)]);
      await ask('&port=1');
      expect(await ask('&port=2')).toContain('7:peer id20:-SH0100-abcdefghijkl4:porti1ee');
      expect(await ask('&port=2&no_peer_id=1')).not.toContain('peer id');
    });
  });
});
