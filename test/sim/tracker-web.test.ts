// WebTorrent signalling in virtual time: who is told of whom, who is gone, and what hostile clients get.

import { describe, expect, it } from 'vitest';
import { latin1, utf8 } from '../../src/base/bytes.ts';
import { sleep } from '../../src/ports/clock.ts';
import { OPCODE_PING, OPCODE_TEXT } from '../../src/tracker/protocol/websocket-frames.ts';
import { encodeFrame } from '../../src/tracker/protocol/websocket-writer.ts';
import type { AccessRules } from '../../src/tracker/server/access.ts';
import { get, place, request, signal, talk } from '../support/sim-tracker.ts';
import type { SimWebClient } from '../support/sim-web-client.ts';
import { connect, newClient, swarm, withWeb } from '../support/sim-web-tracker.ts';
import { id, offers } from '../support/web-messages.ts';

const HASH = id(0xfe);
const KEY = Uint8Array.of(9, 8, 7, 6);
const infoHash = new Uint8Array(20).fill(0xfe);

describe('an announce over WebSocket', () => {
  it('is answered with counts and an interval, and its offers reach others, whose answers come back', async () => {
    await withWeb({ minIntervalS: 7 }, async (setting) => {
      const [one, two, three] = (await swarm(setting, 3)) as [SimWebClient, SimWebClient, SimWebClient];
      one.announce({ peer_id: id(0x61), offers: offers(5), numwant: 5, event: 'started' });
      const [reply, ...more] = await one.take();
      expect(reply).toMatchObject({ action: 'announce', info_hash: HASH, complete: 0, incomplete: 3 });
      expect(reply!.interval).toBeGreaterThanOrEqual(120);
      expect(reply!.interval).toBeLessThan(140);
      expect(more).toEqual([]);
      const got = [...two.heard.splice(0), ...three.heard.splice(0)];
      expect(got).toHaveLength(2);
      expect(new Set(got.map(({ offer_id }) => offer_id))).toEqual(new Set([id(0x80), id(0x81)]));
      for (const offer of got) {
        expect(offer).toMatchObject({ action: 'announce', info_hash: HASH, peer_id: id(0x61) });
        const n = (offer.offer_id as string).charCodeAt(0);
        expect(offer.offer).toEqual({ type: 'offer', sdp: `sdp ${n}` });
      }
      const answer = { type: 'answer', sdp: 'v=0\r\n\u{1f41f}' };
      two.announce({ peer_id: id(0x62), to_peer_id: id(0x61), offer_id: id(0x80), answer });
      expect(await two.take()).toEqual([]);
      expect(one.heard).toEqual([
        { action: 'announce', info_hash: HASH, peer_id: id(0x62), offer_id: id(0x80), answer },
      ]);
      expect(setting.server.stats().ws).toMatchObject({
        connections: 3,
        announces: 4,
        offers: 2,
        answers: 1,
        errors: 0,
      });
    });
  });

  it('counts with HTTP and UDP, but nobody is handed to those of the other kind', async () => {
    await withWeb({}, async (setting) => {
      const { client } = setting.client();
      const web = await connect(setting);
      web.announce({ left: 0, event: 'completed' });
      expect(await web.take()).toMatchObject([{ complete: 1, incomplete: 0 }]);
      for (const scheme of ['http', 'udp'] as const) {
        const reply = await client.announce(setting.url(scheme), request({ infoHash }), { signal });
        expect(reply).toMatchObject({ seeds: 1, leeches: 1, peers: [] });
      }
      web.announce({ left: 0, event: 'completed', offers: offers(3) });
      expect(await web.take()).toMatchObject([{ complete: 1, incomplete: 1 }]);
      const counts = await client.scrape(setting.url('udp'), [infoHash], { signal });
      expect([...counts.values()]).toEqual([{ seeds: 1, leeches: 1, completed: 1 }]);
      expect(setting.server.stats()).toMatchObject({ peers: 2, seeds: 1 });
    });
  });

  it('of a seed brings offers to leeches alone, and none where there are only seeds', async () => {
    await withWeb({}, async (setting) => {
      const [seed, other, leech] = (await swarm(setting, 3)) as [SimWebClient, SimWebClient, SimWebClient];
      for (const [i, client] of [seed, other].entries()) client.announce({ peer_id: id(0x61 + i), left: 0 });
      await seed.take();
      seed.announce({ peer_id: id(0x61), left: 0, offers: offers(5) });
      await seed.take();
      expect([other.heard.splice(0).length, leech.heard.splice(0).length]).toEqual([1, 1]);
      leech.announce({ peer_id: id(0x63), event: 'stopped' });
      await leech.take();
      seed.announce({ peer_id: id(0x61), left: 0, offers: offers(5) });
      expect(await seed.take()).toMatchObject([{ complete: 2, incomplete: 0 }]);
      expect([other.heard.length, leech.heard.length]).toEqual([0, 0]);
    });
  });

  it('says goodbye by the event, or by closing the connection', async () => {
    await withWeb({}, async (setting) => {
      const [one, two, three] = (await swarm(setting, 3)) as [SimWebClient, SimWebClient, SimWebClient];
      two.announce({ peer_id: id(0x62), info_hash: id(1) });
      two.announce({ peer_id: id(0x62), event: 'stopped' });
      expect(await two.take()).toMatchObject([{ info_hash: id(1) }, { info_hash: HASH, incomplete: 2 }]);
      expect(setting.server.stats().peers).toBe(3);
      three.stream.destroy();
      one.announce({ peer_id: id(0x61), offers: offers(5) });
      expect(await one.take()).toMatchObject([{ incomplete: 1 }]);
      expect(two.heard).toEqual([]);
      two.stream.end();
      await two.take();
      expect(setting.server.stats()).toMatchObject({ peers: 1, ws: { connections: 1 } });
    });
  });

  it('of several peers on one connection brings offers from one to the other', async () => {
    await withWeb({}, async (setting) => {
      const client = await connect(setting);
      client.announce({ peer_id: id(1) });
      client.announce({ peer_id: id(2), offers: offers(2) });
      const heard = await client.take();
      expect(heard.map(({ offer }) => offer !== undefined)).toEqual([false, false, true]);
      expect(heard[2]).toMatchObject({ peer_id: id(2), offer_id: id(0x80) });
    });
  });

  it('may come from IPv6, from behind a proxy, and with a passkey that the rules of access know', async () => {
    const access: AccessRules = {
      check: (_announce, key, ip) =>
        latin1(key.bytes.subarray(key.start, key.end)) === 'secret'
          ? null
          : { reason: `no ${ip.join('.')}`, retryInMinutes: 'never' },
      checkScrape: () => null,
      shows: (bytes, at) => bytes[at] === 0xfe,
    };
    await withWeb({ access, proxies: [{ ip: Uint8Array.of(10, 7, 0, 0), prefix: 16 }] }, async (setting) => {
      const good = await connect(setting, undefined, '/secret/announce');
      good.announce();
      good.send({ action: 'scrape', info_hash: [HASH, id(1)] });
      expect(await good.take()).toMatchObject([
        { incomplete: 1 },
        { files: { [HASH]: { incomplete: 1 }, [id(1)]: { incomplete: 0 } } },
      ]);
      const bad = await connect(setting, '203.0.113.9', '/');
      bad.announce();
      expect(await bad.take()).toEqual([
        { action: 'announce', 'failure reason': 'no 203.0.113.9', info_hash: HASH, 'retry in': 'never' },
      ]);
      expect(setting.server.stats()).toMatchObject({ peers: 1, ws: { errors: 1 } });
    });
    await withWeb(
      {},
      async (setting) => {
        const six = await connect(setting);
        six.announce();
        expect(await six.take()).toHaveLength(1);
      },
      '2001:db8::1',
    );
  });
});

describe('a scrape over WebSocket', () => {
  it('has counts of one or many info hashes, and zeros of those that nobody is in', async () => {
    await withWeb({ minIntervalS: 11 }, async (setting) => {
      const [client] = (await swarm(setting, 1, { left: 0, event: 'completed' })) as [SimWebClient];
      client.send({ action: 'scrape', info_hash: HASH });
      client.send({ action: 'scrape', info_hash: [id(2), HASH, id(2)] });
      client.send({ action: 'scrape' });
      const full = { complete: 1, incomplete: 0, downloaded: 1 };
      const none = { complete: 0, incomplete: 0, downloaded: 0 };
      const flags = { min_request_interval: 11 };
      expect(await client.take()).toEqual([
        { action: 'scrape', files: { [HASH]: full }, flags },
        { action: 'scrape', files: { [id(2)]: none, [HASH]: full }, flags },
        { action: 'scrape', 'failure reason': 'info_hash is missing' },
      ]);
    });
  });
});

describe('nobody', () => {
  it('takes the peer id of another connection, ends its stay or answers in its name', async () => {
    await withWeb({}, async (setting) => {
      const [owner, thief] = (await swarm(setting, 2)) as [SimWebClient, SimWebClient];
      thief.announce({ peer_id: id(0x61), offers: offers(1) });
      thief.announce({ peer_id: id(0x61), event: 'stopped' });
      thief.announce({ peer_id: id(0x61), to_peer_id: id(0x62), offer_id: id(1), answer: {} });
      expect(await thief.take()).toMatchObject([
        { 'failure reason': 'another connection has this peer id' },
        { incomplete: 2 },
        { 'failure reason': 'announce before you answer' },
      ]);
      thief.announce({ peer_id: id(0x62), offers: offers(1) });
      await thief.take();
      expect(owner.heard).toMatchObject([{ peer_id: id(0x62) }]);
      owner.stream.destroy();
      await thief.take();
      thief.announce({ peer_id: id(0x61) });
      expect(await thief.take()).toMatchObject([{ incomplete: 2 }]);
    });
  });

  it('who is gone is answered: the answer is dropped without a word', async () => {
    await withWeb({}, async (setting) => {
      const [client] = (await swarm(setting, 1)) as [SimWebClient];
      client.announce({ peer_id: id(0x61), to_peer_id: id(9), offer_id: id(1), answer: {} });
      expect(await client.take()).toEqual([]);
      expect(client.closed).toBeNull();
    });
  });
});

describe('hostile clients', () => {
  it('hear what was wrong, and are closed when it goes on', async () => {
    await withWeb({}, async (setting) => {
      const client = await connect(setting);
      client.send('{"action":');
      client.announce({ info_hash: 'short' });
      expect(await client.take()).toEqual([
        { action: 'announce', 'failure reason': 'this is no JSON object' },
        { action: 'announce', 'failure reason': 'info_hash is not 20 bytes' },
      ]);
      for (let i = 0; i < 10; i++) client.send('nonsense');
      await client.take();
      expect(client.closed).toBe(1008);
      expect(setting.server.stats()).toMatchObject({ faults: { malformed: 10 }, ws: { errors: 10, connections: 0 } });
    });
  });

  it.each([
    ['an unmasked frame', encodeFrame(OPCODE_TEXT, utf8('{}'), null), 1002],
    ['a huge frame', Uint8Array.of(0x81, 0xff, 0, 0, 0, 0, 0xff, 0, 0, 0, 1, 2, 3, 4), 1009],
    ['text that is no UTF-8', encodeFrame(OPCODE_TEXT, Uint8Array.of(0x7b, 0x22, 0xff), KEY), 1007],
    ['a ping of a kilobyte', encodeFrame(OPCODE_PING, new Uint8Array(1000), KEY), 1002],
  ])('are closed for %s', async (_what, bytes, code) => {
    await withWeb({}, async (setting) => {
      const [client] = (await swarm(setting, 1)) as [SimWebClient];
      client.write(bytes);
      await client.take();
      expect(client.closed).toBe(code);
      await sleep(setting.host.env.clock, 6000);
      expect(setting.server.stats()).toMatchObject({ peers: 0, ws: { connections: 0 } });
    });
  });

  it('who drip a message, do not read, answer no ping or say nothing are closed, and others are not', async () => {
    await withWeb({}, async (setting) => {
      const { clock } = setting.host.env;
      const [polite, dripping, silent, mute] = (await swarm(setting, 4)) as SimWebClient[] as [
        SimWebClient,
        SimWebClient,
        SimWebClient,
        SimWebClient,
      ];
      mute.isPolite = false;
      const frame = encodeFrame(OPCODE_TEXT, utf8('{"action":"announce"}'), KEY);
      dripping.write(frame.subarray(0, 1));
      for (let i = 1; i < 4; i++) {
        await sleep(clock, 9000);
        dripping.write(frame.subarray(i, i + 1));
      }
      await sleep(clock, 9000);
      expect([polite.closed, dripping.closed, silent.closed, mute.closed]).toEqual([null, 0, null, null]);
      await sleep(clock, 45_000);
      expect([polite.closed, silent.closed, mute.closed]).toEqual([null, null, 0]);
      polite.announce({ peer_id: id(0x61) });
      await sleep(clock, 200_000);
      expect([polite.closed, silent.closed]).toEqual([null, 1001]);
    });
  });

  it('who flood others with offers do not get them closed, nor fill the memory', async () => {
    await withWeb({}, async (setting) => {
      const [flood, victim] = (await swarm(setting, 2)) as [SimWebClient, SimWebClient];
      victim.stream.pause();
      const big = offers(10).map((each) => ({ ...each, offer: { sdp: 'x'.repeat(10_000) } }));
      for (let i = 0; i < 200; i++) {
        flood.announce({ peer_id: id(0x61), offers: big });
        if (i % 20 === 0) await flood.take();
      }
      await flood.take();
      const { ws } = setting.server.stats();
      expect(ws.announces).toBe(202);
      expect(ws.offers).toBeLessThan(150);
      victim.stream.resume();
      await sleep(setting.host.env.clock, 10_000);
      expect(victim.closed).toBeNull();
      victim.announce({ peer_id: id(0x62) });
      expect((await victim.take()).at(-1)).toMatchObject({ incomplete: 2 });
    });
  });

  it('who ask but do not read are closed', async () => {
    await withWeb({}, async (setting) => {
      const client = await connect(setting);
      client.stream.pause();
      const many = { action: 'scrape', info_hash: Array.from({ length: 128 }, (_, i) => id(i)) };
      for (let i = 0; i < 400; i++) client.send(many);
      await sleep(setting.host.env.clock, 120_000);
      const { ws, faults } = setting.server.stats();
      expect(ws.scrapes).toBeLessThan(400);
      expect([ws.connections, faults.tooSlow]).toEqual([0, 1]);
    });
  });

  it('find a limit of connections, of connections, messages and peers of an address, and of torrents', async () => {
    const limits = { maxWebSockets: 4, maxWebSocketsPerAddress: 2, maxPeersPerAddressAndSwarm: 3 };
    await withWeb({ ...limits, maxScrapesPerAddress: 100 }, async (setting) => {
      const host = setting.client('203.0.113.7').host;
      const one = await newClient(setting, host);
      await newClient(setting, host);
      const refused = await newClient(setting, host);
      expect(refused.head).toContain('HTTP/1.1 503 Service Unavailable\r\n');
      for (let i = 0; i < 4; i++) one.announce({ peer_id: id(i) });
      expect((await one.take()).at(-1)).toMatchObject({ 'failure reason': 'too many peers at your address' });
      await swarm(setting, 2);
      expect((await connect(setting)).head).toContain('503');
      for (let i = 0; i < 2100; i++) one.send({ action: 'scrape', info_hash: HASH });
      expect((await one.take()).at(-1)).toMatchObject({ 'failure reason': 'too many scrapes from your address' });
    });
    await withWeb({}, async (setting) => {
      const client = await connect(setting);
      for (let i = 0; i < 1025; i++) client.announce({ info_hash: String(i).padEnd(20) });
      expect((await client.take()).at(-1)).toMatchObject({
        'failure reason': 'more than 1024 torrents on one connection',
      });
      expect(setting.server.stats().peers).toBe(1024);
    });
  });
});

describe('an upgrade', () => {
  const upgrade = (fields: string, path = '/announce'): string => get(path, `Upgrade: websocket\r\n${fields}`);
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';

  it('is agreed to without extensions, and refused where it is not as it should be', async () => {
    await withWeb({}, async (setting) => {
      const { host } = setting.client();
      const ask = (text: string): Promise<string> => talk(host, place(setting), [text, '\u0088\u0080\0\0\0\0']);
      const good = `Connection: Upgrade\r\n${key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate`;
      const agreed = await ask(upgrade(good));
      expect(agreed).toContain('HTTP/1.1 101 ');
      expect(agreed).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n');
      expect(agreed).not.toContain('Extensions');
      expect(await ask(upgrade(`Connection: Upgrade\r\n${key}`))).toMatch(
        /^HTTP\/1.1 426 .*\r\n(.*\r\n)*Sec-WebSocket-Version: 13\r\n/,
      );
      expect(await ask(upgrade('Connection: Upgrade\r\nSec-WebSocket-Version: 13'))).toContain('HTTP/1.1 400 ');
      expect(await ask(upgrade(good, '/elsewhere'))).toContain('HTTP/1.1 404 ');
    });
  });

  it('may be followed by messages at once, in the same bytes', async () => {
    await withWeb({}, async (setting) => {
      const { host } = setting.client();
      const message = JSON.stringify({ action: 'scrape', info_hash: HASH });
      const good = `Connection: Upgrade\r\n${key}\r\nSec-WebSocket-Version: 13`;
      const bytes = upgrade(good) + latin1(encodeFrame(OPCODE_TEXT, utf8(message), KEY));
      const close = latin1(encodeFrame(8, Uint8Array.of(3, 232), KEY));
      expect(await talk(host, place(setting), [bytes, close])).toContain('{"action":"scrape","files":');
    });
  });

  it('is refused with ws: false, and all else with http: false', async () => {
    await withWeb({ ws: false }, async (setting) => {
      expect((await connect(setting)).head).toContain('404');
    });
    await withWeb({ http: false }, async (setting) => {
      const web = await connect(setting);
      web.announce();
      expect(await web.take()).toHaveLength(1);
      const { host } = setting.client();
      expect(await talk(host, place(setting), [get('/announce')])).toContain('HTTP/1.1 404 ');
    });
  });
});
