// Scrapes of all swarms in virtual time: what they say, what they cost, and who is refused.

import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fromLatin1, latin1 } from '../../src/base/bytes.ts';
import { asDict, asInteger, decode } from '../../src/bencode/decode.ts';
import type { SimHost } from '../../src/platform/sim/index.ts';
import { sleep } from '../../src/ports/clock.ts';
import type { Gzip } from '../../src/ports/gzip.ts';
import type { TrackerServerOptions } from '../../src/tracker/server/server.ts';
import { get, place, request, type Setting, signal, talk, withTracker } from '../support/sim-tracker.ts';

/** Everything at the end, as simple as can be. */
const gzip: Gzip = {
  whole: (bytes) => new Uint8Array(gzipSync(bytes)),
  start: () => {
    const parts: Uint8Array[] = [];
    return {
      push: (part, isLast, done) => {
        parts.push(part);
        done(isLast ? [new Uint8Array(gzipSync(Buffer.concat(parts)))] : []);
      },
      close: () => undefined,
    };
  },
};
const OPTIONS: Partial<TrackerServerOptions> = { fullScrape: true, gzip };
const SWARMS = 2000;
const hashOf = (n: number): Uint8Array => {
  const hash = new Uint8Array(20).fill(n);
  // In no order.
  new DataView(hash.buffer).setUint32(0, Math.imul(n, 0x9e3779b1));
  return hash;
};

/** Many swarms of a leech each, announced on one connection; the first two have a seed as well. */
async function fill(setting: Setting): Promise<void> {
  const percent = (hash: Uint8Array): string =>
    [...hash].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const { host } = setting.client();
  const all = Array.from({ length: SWARMS }, (_, n) =>
    get(`/announce?info_hash=${percent(hashOf(n))}&peer_id=-SH0100-abcdefghijkl&port=1&left=5&numwant=0`),
  );
  const last = get('/healthz', 'Connection: close');
  await talk(host, place(setting), [all.join('') + last]);
  expect(setting.server.stats()).toMatchObject({ swarms: SWARMS, peers: SWARMS });
  const { client } = setting.client();
  for (const n of [0, 1])
    await client.announce(setting.url('http'), request({ infoHash: hashOf(n), left: 0 }), { signal });
}

interface Parts {
  readonly head: string;
  readonly body: Uint8Array;
}

function partsOf(text: string): Parts {
  const at = text.indexOf('\r\n\r\n');
  const head = text.slice(0, at);
  let body = text.slice(at + 4);
  if (/transfer-encoding: chunked/i.test(head)) {
    let whole = '';
    for (;;) {
      const end = body.indexOf('\r\n');
      const length = Number.parseInt(body.slice(0, end), 16);
      if (length === 0) break;
      whole += body.slice(end + 2, end + 2 + length);
      body = body.slice(end + 4 + length);
    }
    expect(body).toBe('0\r\n\r\n');
    body = whole;
  }
  const bytes = fromLatin1(body);
  return { head, body: /content-encoding: gzip/i.test(head) ? new Uint8Array(gunzipSync(bytes)) : bytes };
}

function filesOf(text: string): Map<string, unknown> {
  const dict = asDict(decode(partsOf(text).body, { maxItems: 100_000 }))!;
  return asDict(dict.get('files')) as unknown as Map<string, unknown>;
}

/** Asks for everything, but reads only after two minutes; resolves when that is over. */
function askLazily(setting: Setting, host: SimHost, field = 'Host: t'): Promise<void> {
  const stream = host.env.sockets.connect(place(setting));
  return new Promise((resolve) => {
    stream.attach({
      onOpen: () => {
        stream.write([fromLatin1(get('/scrape', field))]);
        stream.pause();
        host.env.clock.after(120_000, () => stream.resume());
      },
      onChunk: () => undefined,
      onClose: () => resolve(),
    });
  });
}

describe('a full scrape', () => {
  it('has all swarms with their counts, in order, plain or compressed, for old clients and new ones', async () => {
    await withTracker(OPTIONS, async (setting) => {
      await fill(setting);
      const { host } = setting.client();
      const ask = (path: string, field = 'Host: t'): Promise<string> => talk(host, place(setting), [get(path, field)]);
      const plain = await ask('/scrape');
      expect(partsOf(plain).head).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*Transfer-Encoding: chunked/);
      const files = filesOf(plain);
      expect(files.size).toBe(SWARMS);
      const names = [...files.keys()];
      expect(names).toEqual([...names].sort());
      const counts = asDict(files.get(latin1(hashOf(1))) as never)!;
      expect(
        ['complete', 'incomplete', 'downloaded', 'downloaders'].map((name) => asInteger(counts.get(name))),
      ).toEqual([1, 1, 0, 1]);
      const zipped = await ask('/scrape', 'Accept-Encoding: br;q=1, gzip;q=0.5');
      expect(partsOf(zipped).head).toMatch(/Content-Encoding: gzip/);
      expect(zipped.length).toBeLessThan(plain.length / 2);
      expect(filesOf(zipped).size).toBe(SWARMS);
      expect(partsOf(await ask('/scrape', 'Accept-Encoding: gzip;q=0')).head).not.toMatch(/gzip/);
      const old = await talk(host, place(setting), ['GET /scrape HTTP/1.0\r\n\r\n']);
      expect(partsOf(old).head).toMatch(/^HTTP\/1\.0 200 OK(?![\s\S]*chunked)/);
      expect(filesOf(old).size).toBe(SWARMS);
    });
  });

  it('is a minute old at most', async () => {
    await withTracker(OPTIONS, async (setting) => {
      const { client, host } = setting.client();
      const count = async (): Promise<number> => filesOf(await talk(host, place(setting), [get('/scrape')])).size;
      expect(await count()).toBe(0);
      await client.announce(setting.url('http'), request(), { signal });
      expect(await count()).toBe(0);
      await sleep(host.env.clock, 61_000);
      expect(await count()).toBe(1);
    });
  });

  it('is refused with 429 to who has one under way, and when there are too many; others are served on', async () => {
    await withTracker(OPTIONS, async (setting) => {
      await fill(setting);
      const hosts = [setting.client().host, setting.client().host, setting.client().host];
      const open = hosts.slice(0, 2).map((host) => askLazily(setting, host));
      await sleep(hosts[0]!.env.clock, 1000);
      for (const host of [hosts[0]!, hosts[2]!]) {
        const text = await talk(host, place(setting), [get('/scrape')]);
        expect(text).toMatch(/^HTTP\/1\.1 429 [\s\S]*Retry-After: 60[\s\S]*14:failure reason[\s\S]*8:retry in1:1e$/);
      }
      const { client } = setting.client();
      expect((await client.announce(setting.url('http'), request(), { signal })).leeches).toBe(1);
      await Promise.all(open);
      expect(filesOf(await talk(hosts[2]!, place(setting), [get('/scrape')])).size).toBe(SWARMS + 1);
    });
  });

  it('is one to a client, also behind a proxy', async () => {
    const proxy = '10.3.3.3';
    await withTracker({ ...OPTIONS, proxies: [{ ip: Uint8Array.of(10, 3, 3, 3), prefix: 32 }] }, async (setting) => {
      await fill(setting);
      const { host } = setting.client(proxy);
      const open = askLazily(setting, host, 'X-Forwarded-For: 203.0.113.1');
      await sleep(host.env.clock, 1000);
      const ask = (ip: string): Promise<string> =>
        talk(host, place(setting), [get('/scrape', `X-Forwarded-For: ${ip}`)]);
      expect(await ask('203.0.113.1')).toMatch(/^HTTP\/1\.1 429/);
      expect(filesOf(await ask('203.0.113.2')).size).toBe(SWARMS);
      await open;
    });
  });

  it('is refused in words to some at once, who may take their time to close, and to more by closing', async () => {
    const access = {
      check: () => null,
      checkScrape: () => ({ reason: 'not you', retryInMinutes: 'never' as const }),
      shows: () => true,
    };
    await withTracker({ ...OPTIONS, access }, async (setting) => {
      const { host } = setting.client();
      let told = '';
      const streams = Array.from({ length: 100 }, () => {
        const stream = host.env.sockets.connect(place(setting));
        stream.attach({
          onOpen: () => stream.write([fromLatin1(get('/scrape'))]),
          onChunk: (chunk) => {
            told += latin1(chunk);
          },
          onEnd: () => undefined,
          onClose: () => undefined,
        });
        return stream;
      });
      await sleep(host.env.clock, 2000);
      expect(told.match(/not you/g)).toHaveLength(64);
      expect(await talk(host, place(setting), [get('/scrape')])).toBe('');
      await sleep(host.env.clock, 5000);
      expect(await talk(host, place(setting), [get('/scrape')])).toContain('not you');
      for (const stream of streams) stream.destroy();
    });
  });

  it('is for those alone that the rules allow, and of what they show', async () => {
    const access = {
      check: () => null,
      checkScrape: (key: { start: number; end: number }) =>
        key.start === key.end ? { reason: 'not you', retryInMinutes: 'never' as const } : null,
      shows: (infoHash: Uint8Array, at: number) => infoHash[at] !== 0,
    };
    await withTracker({ ...OPTIONS, access }, async (setting) => {
      const { client, host } = setting.client();
      for (const first of [0, 1]) {
        await client.announce(setting.url('http'), request({ infoHash: new Uint8Array(20).fill(first) }), { signal });
      }
      expect(await talk(host, place(setting), [get('/scrape')])).toMatch(/200 OK[\s\S]*not you/);
      expect([...filesOf(await talk(host, place(setting), [get('/key/scrape')])).keys()]).toEqual([
        '\u0001'.repeat(20),
      ]);
    });
  });

  it('is no more than a missing info hash where it is not allowed', async () => {
    await withTracker({}, async (setting) => {
      const { host } = setting.client();
      const text = await talk(host, place(setting), [get('/scrape', 'Connection: close')]);
      expect(text).toContain('14:failure reason20:info_hash is missing');
    });
  });
});

describe('a scrape of many info hashes', () => {
  it('is compressed for who takes it so, and one of few is not', async () => {
    await withTracker({ gzip }, async (setting) => {
      const { host } = setting.client();
      const query = (count: number): string =>
        Array.from({ length: count }, (_, n) => `info_hash=${String(n).padStart(20, 'x')}`).join('&');
      const ask = (count: number, field: string): Promise<string> =>
        talk(host, place(setting), [get(`/scrape?${query(count)}`, `${field}Connection: close`)]);
      const many = await ask(100, 'Accept-Encoding: gzip\r\n');
      expect(many).toMatch(/Content-Encoding: gzip/);
      expect(filesOf(many).size).toBe(100);
      expect(await ask(100, '')).not.toMatch(/Content-Encoding/);
      expect(await ask(3, 'Accept-Encoding: gzip\r\n')).not.toMatch(/Content-Encoding/);
    });
  });
});
