// The tracker and its client together, in virtual time: what they say to each other, restarts, loss, abuse. What announces and
// scrapes do is in test/contract/tracker.ts.

import { describe, expect, it } from 'vitest';
import { Address } from '../../src/base/address.ts';
import { concatBytes, fromLatin1, latin1, utf8 } from '../../src/base/bytes.ts';
import { sleep } from '../../src/ports/clock.ts';
import { TrackerClient } from '../../src/tracker/client/client.ts';
import type { AnnounceReply } from '../../src/tracker/protocol/announce.ts';
import { encodeAnnounceRequest, encodeConnectRequest } from '../../src/tracker/protocol/udp-packets.ts';
import { TrackerServer } from '../../src/tracker/server/server.ts';
import { newSimWorld } from '../contract/sim-world.ts';
import { get, hash, place, request, signal, talk, withTracker } from '../support/sim-tracker.ts';

describe('a tracker client', () => {
  it('hears why it is refused', async () => {
    await withTracker({ maxPeers: 1 }, async ({ client, url }) => {
      const [one, two] = [client(), client()];
      await one.client.announce(url('http'), request(), { signal });
      for (const scheme of ['http', 'udp'] as const) {
        const refused = two.client.announce(url(scheme), request(), { signal });
        await expect(refused).rejects.toMatchObject({ code: 'TRACKER_FAILED', message: 'this tracker is full' });
      }
      for (const [bad, code] of [
        ['wss://t/announce', 'TRACKER_FAILED'],
        ['udp://t', 'TRACKER_FAILED'],
        ['nonsense', 'TRACKER_FAILED'],
        ['udp://nowhere.example:1', 'HOST_NOT_FOUND'],
        [url('http').replace('/announce', '/nothing'), 'HTTP_FAILED'],
        [url('http').replace('/announce', '/stats'), 'TRACKER_INVALID'],
      ] as const) {
        await expect(two.client.announce(bad, request(), { signal }), bad).rejects.toMatchObject({ code });
      }
      const page = two.client.scrape(url('http').replace('/announce', '/x'), [hash], { signal });
      await expect(page).rejects.toMatchObject({ code: 'TRACKER_FAILED' });
    });
  });

  it('gives up on a UDP tracker that is silent, and at once when it is told to', async () => {
    await withTracker({ udp: false }, async ({ client, url, world }) => {
      const { client: one } = client();
      const start = world.nowMs;
      await expect(one.announce(url('udp'), request(), { signal })).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
      expect(world.nowMs - start).toBe(37_500);
      const abort = new AbortController();
      const asked = one.announce(url('udp'), request(), { signal: abort.signal });
      abort.abort(new Error('enough'));
      await expect(asked).rejects.toThrow('enough');
      const closed = one.announce(url('udp'), request(), { signal });
      const outcome = expect(closed).rejects.toMatchObject({ code: 'STOPPED' });
      await one.close();
      await outcome;
    });
  });

  it('asks again when packets are lost', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      await withTracker(
        {},
        async ({ client, url, host, world }) => {
          const { client: one, host: peer } = client();
          world.link(peer, host, { lossRate: 0.3 });
          for (let i = 0; i < 10; i++) await one.announce(url('udp'), request(), { signal }).catch(() => undefined);
          world.link(peer, host, { lossRate: 0 });
          expect((await one.announce(url('udp'), request(), { signal })).leeches).toBe(1);
        },
        seed,
      );
    }
  });

  it('uses a connection id for a minute, shares it, and gets another when the tracker knows it no more', async () => {
    await withTracker({ listen: [{ ip: null, port: 6969 }] }, async ({ client, url, host, server }) => {
      const { client: one } = client();
      const announce = (): Promise<AnnounceReply> => one.announce(url('udp'), request(), { signal });
      await Promise.all([announce(), announce(), announce()]);
      expect(server.stats().udp).toMatchObject({ connects: 1, announces: 3 });
      await sleep(host.env.clock, 61_000);
      await announce();
      expect(server.stats().udp).toMatchObject({ connects: 2, announces: 4 });
      await server.close();
      const again = await TrackerServer.open(host.env, { listen: [{ ip: null, port: 6969 }] });
      expect((await announce()).leeches).toBe(1);
      expect(again.stats().udp).toMatchObject({ connects: 1, announces: 1, errors: 1 });
      await again.close();
    });
  });

  it('reaches a tracker of several addresses over the first that answers', async () => {
    await withTracker({}, async ({ client, world, host, server }) => {
      world.dns('tracker.example', Uint8Array.of(10, 77, 0, 1), host.ip);
      const { client: one } = client();
      const url = `udp://tracker.example:${server.addresses[0]!.port}/announce`;
      const start = world.nowMs;
      expect((await one.announce(url, request(), { signal })).leeches).toBe(1);
      expect(world.nowMs - start).toBeLessThan(8_000);
    });
  });
});

describe('the tracker over HTTP', () => {
  const query = `info_hash=${'%2B'.repeat(20)}&peer_id=-SH0100-abcdefghijkl&port=6881`;

  it('answers requests one after the other on a connection that stays, however they are split', async () => {
    await withTracker({}, async (setting) => {
      const { host } = setting.client();
      const all = get('/healthz') + get(`/announce?${query}`) + get('/nothing') + get(`/scrape?${query}`);
      const whole = all + get('/stats', 'Connection: close');
      const text = await talk(host, place(setting), [whole.slice(0, 37), whole.slice(37)]);
      expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual([200, 200, 404, 200, 200].map((status) => `HTTP/1.1 ${status}`));
      expect(text).toContain('\r\n\r\nd8:completei0e10:downloadedi0e11:external ip4:');
      expect(text).toContain(
        'd5:filesd20:++++++++++++++++++++d8:completei0e10:downloadedi0e11:downloadersi1e10:incompletei1e',
      );
      expect(text).toMatch(/"peers":1,"seeds":0,"leeches":1/);
    });
  });

  it('has pages for people where it was given some, and no body for HEAD', async () => {
    const bytes = utf8('<title>Shoal tracker</title>');
    const index = { path: 'index.html', type: 'text/html', bytes, gzip: utf8('zz'), etag: '"a1"' };
    const asset = { ...index, path: 'assets/b.js', type: 'text/javascript', gzip: null, etag: null };
    const deep = { ...index, path: 'torrent/index.html', etag: '"c2"' };
    await withTracker({ pages: [index, asset, deep] }, async (setting) => {
      const ask = (path: string, ...fields: string[]): Promise<string> =>
        talk(setting.client().host, place(setting), [get(path, ...fields, 'Connection: close')]);
      for (const path of ['/', '/search?q=x', '/publish']) expect(await ask(path)).toContain('ETag: "a1"');
      expect(await ask(`/torrent/${'aB'.repeat(20)}`)).toMatch(/ETag: "c2"[\s\S]*<title>Shoal tracker/);
      expect(await ask('/', 'Accept-Encoding: br, gzip')).toMatch(/Content-Encoding: gzip[\s\S]*\r\n\r\nzz$/);
      expect(await ask('/', 'Accept-Encoding: gzip;q=0')).toMatch(/Content-Length: 28\r\n/);
      expect(await ask('/', 'If-None-Match: "a1"')).toMatch(/^HTTP\/1\.1 304 [\s\S]*\r\n\r\n$/);
      expect(await ask('/assets/b.js', 'Accept-Encoding: gzip')).toMatch(/immutable[\s\S]*<title>/);
      for (const path of ['/torrent/x/y', '/assets/', '/%2e', '/../package.json']) {
        expect(await ask(path)).toMatch(/^HTTP\/1\.1 404 /);
      }
      const both = await talk(setting.client().host, place(setting), [get('/'), get('/healthz', 'Connection: close')]);
      expect(both).toMatch(/<title>Shoal tracker<\/title>HTTP\/1\.1 200 OK[\s\S]*\r\n\r\nok\n$/);
      const head = await talk(setting.client().host, place(setting), ['HEAD / HTTP/1.0\r\n\r\n']);
      expect(head).toMatch(
        /^HTTP\/1\.1 200 OK\r\n[\s\S]*Content-Security-Policy: default-src 'none'[\s\S]*close\r\n\r\n$/,
      );
    });
  });

  it('answers people in a line where it was given no pages', async () => {
    await withTracker({}, async (setting) => {
      const { host } = setting.client();
      const page = await talk(host, place(setting), [get('/', 'Connection: close')]);
      expect(page).toContain('Shoal tracker: announce at /announce');
      expect(Number(/Content-Length: (\d+)/.exec(page)![1])).toBe(page.split('\r\n\r\n')[1]!.length);
      const head = await talk(host, place(setting), ['HEAD / HTTP/1.0\r\n\r\n']);
      expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close\r\n\r\n$/);
    });
  });

  it('gives peers as dictionaries to those who ask for them', async () => {
    await withTracker({}, async (setting) => {
      const one = setting.client();
      await one.client.announce(setting.url('http'), request(), { signal });
      const close = 'Connection: close';
      const text = await talk(one.host, place(setting), [get(`/announce?${query}&port=1`, close)]);
      expect(text).toContain('14:failure reason25:port given more than once');
      const other = query.replace('6881', '6882');
      const dictionary = await talk(one.host, place(setting), [get(`/announce?${other}&compact=0`, close)]);
      expect(dictionary).toContain(
        `5:peersld2:ip${one.host.ip.join('.').length}:${one.host.ip.join('.')}4:porti6881eee10:tracker id8:`,
      );
    });
  });

  it('refuses what it cannot read and goes on serving others', async () => {
    await withTracker({}, async (setting) => {
      const { host, client } = setting.client();
      const status = async (text: string): Promise<string> => {
        const reply = await talk(host, place(setting), [text]);
        return /^HTTP\/1\.1 (\d+)[\s\S]*Connection: close\r\n/.exec(reply)?.[1] ?? reply;
      };
      expect(await status('POST /announce HTTP/1.1\r\n\r\n')).toBe('405');
      expect(await status('\u0016\u0003\u0001\n\n')).toBe('400');
      expect(await status('GET / HTTP/1.1\r\nContent-Length: 4\r\n\r\nGET ')).toBe('413');
      expect(await status(`GET /${'x'.repeat(9000)} HTTP/1.1\r\n\r\n`)).toBe('431');
      expect(await status(`GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(2000)}\r\n`)).toBe('431');
      expect((await client.announce(setting.url('http'), request(), { signal })).leeches).toBe(1);
    });
  });

  it('survives any bytes', async () => {
    await withTracker({}, async (setting) => {
      const { host, client } = setting.client();
      const words = [
        'GET ',
        'HEAD ',
        '/announce',
        '/scrape',
        '/',
        '?',
        '&',
        query,
        'compact=0',
        ' HTTP/1.1',
        '\r\n',
        '\n',
      ];
      const { random } = host.env;
      for (let i = 0; i < 300; i++) {
        const parts = Array.from({ length: random.below(30) }, () => words[random.below(words.length)]!);
        const noise = new Uint8Array(random.below(20));
        random.fill(noise);
        await talk(host, place(setting), [`${parts.join('')}${latin1(noise)}\nGET / HTTP/1.0\r\n\r\n`]);
      }
      expect((await client.announce(setting.url('http'), request(), { signal })).leeches).toBeGreaterThan(0);
    });
  });

  it('closes connections that drip or idle, and makes room when too many are open', async () => {
    await withTracker({ maxConnections: 4 }, async (setting) => {
      const { host, client } = setting.client();
      const { clock } = host.env;
      const start = clock.nowMs();
      const drip = await talk(
        host,
        place(setting),
        Array.from({ length: 60 }, () => 'G'),
      );
      expect(drip).toBe('');
      expect(clock.nowMs() - start).toBeLessThan(13_000);
      const idle = await talk(host, place(setting), [get('/healthz')]);
      expect(idle).toContain('ok');
      expect(clock.nowMs() - start).toBeLessThan(80_000);
      const open = Array.from({ length: 10 }, () => talk(host, place(setting), []));
      await sleep(clock, 500);
      expect(setting.server.stats().http).toMatchObject({ connections: 4, refusedConnections: 6 });
      expect((await client.announce(setting.url('http'), request(), { signal })).leeches).toBe(1);
      await Promise.all(open);
      expect(setting.server.stats().http.connections).toBe(0);
    });
  });

  it('answers no further while a client does not read, and all of it when it does', async () => {
    const bytes = utf8(`${' '.repeat(1500)}</html>`);
    const page = { path: 'index.html', type: 'text/html', bytes, gzip: null, etag: '"a1"' };
    await withTracker({ pages: [page] }, async (setting) => {
      const { host } = setting.client();
      const requests = 2000;
      const all = get('/').repeat(requests - 1) + get('/', 'Connection: close');
      let received = 0;
      let most = 0;
      let pages = 0;
      await new Promise<void>((resolve) => {
        const stream = host.env.sockets.connect(place(setting));
        stream.attach({
          onOpen: () => {
            stream.write([fromLatin1(all)]);
            stream.pause();
            host.env.clock.after(5000, () => {
              most = received;
              stream.resume();
            });
          },
          onChunk: (chunk) => {
            received += chunk.length;
            pages += latin1(chunk).split('</html>').length - 1;
          },
          onEnd: () => stream.destroy(),
          onClose: () => resolve(),
        });
      });
      expect(most).toBeLessThan(1024 * 1024);
      expect(received).toBeGreaterThan(2 * 1024 * 1024);
      // A chunk may end within the word that is counted.
      expect(pages).toBeGreaterThan(requests * 0.9);
    });
  });
});

describe('the tracker over UDP', () => {
  it('answers nothing larger than the question to those who have no connection id', async () => {
    await withTracker({}, async ({ host, server, client, url }) => {
      const { host: peer, client: honest } = client();
      const replies: number[] = [];
      const socket = await peer.env.sockets.bindUdp({ ip: null, port: 0 }, (packet) => replies.push(packet.length));
      const to = new Address(host.ip, server.addresses[0]!.port);
      const forged = encodeAnnounceRequest(new Uint8Array(8), 1, request(), '');
      const packets = [forged, forged.subarray(0, 16), forged.subarray(0, 15), new Uint8Array(0), new Uint8Array(1400)];
      for (const packet of packets) socket.send(packet, to);
      for (let length = 0; length < 100; length++) {
        const noise = new Uint8Array(length);
        peer.env.random.fill(noise);
        socket.send(noise, to);
      }
      await sleep(host.env.clock, 1000);
      expect(replies).toEqual([26]);
      socket.send(concatBytes([encodeConnectRequest(5), new Uint8Array(50)]), to);
      await sleep(host.env.clock, 1000);
      expect(replies).toEqual([26, 16]);
      expect(server.stats().peers).toBe(0);
      expect((await honest.announce(url('udp'), request(), { signal })).leeches).toBe(1);
      await socket.close();
    });
  });
});

describe('a tracker that is started again', () => {
  it('knows its swarms, where it was told to keep them', async () => {
    const world = newSimWorld({ seed: 3 });
    const host = world.addHost({ name: 'tracker' });
    const peer = world.addHost();
    const options = { listen: [{ ip: null, port: 6969 }], stateKey: 'tracker/swarms' };
    const url = `http://${new Address(host.ip, 6969).key}/announce`;
    await world.run(
      (async () => {
        const client = new TrackerClient(peer.env, { from: null });
        const first = await TrackerServer.open(host.env, options);
        for (let port = 1; port <= 20; port++) await client.announce(url, request({ port }), { signal });
        await first.close();
        const second = await TrackerServer.open(host.env, options);
        expect(second.stats()).toMatchObject({ peers: 20, swarms: 1 });
        expect((await client.announce(url, request(), { signal })).peers).toHaveLength(20);
        // What was there minutes before a crash is there after it.
        await sleep(host.env.clock, 6 * 60_000);
        host.crash();
        host.restart();
        const third = await TrackerServer.open(host.env, options);
        expect(third.stats().peers).toBe(21);
        await third.close();
        await host.env.store.write(options.stateKey, fromLatin1('SHTRgarbage'));
        const fourth = await TrackerServer.open(host.env, options);
        expect(fourth.stats().peers).toBe(0);
        // Where one keeps its swarms another does not.
        const fifth = await TrackerServer.open(host.env, { ...options, listen: [{ ip: null, port: 6970 }] });
        await client.announce(url.replace('6969', '6970'), request({ port: 1 }), { signal });
        await client.announce(url, request({ port: 2 }), { signal });
        await client.announce(url, request({ port: 3 }), { signal });
        await fourth.close();
        await fifth.close();
        const sixth = await TrackerServer.open(host.env, options);
        expect(sixth.stats().peers).toBe(2);
        await sixth.close();
        await client.close();
      })(),
    );
    expect(world.leaks()).toEqual([]);
  });
});
