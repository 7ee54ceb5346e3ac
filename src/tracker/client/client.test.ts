import { describe, expect, it } from 'vitest';
import { newSimWorld } from '../../../test/contract/sim-world.ts';
import { toHex, utf8 } from '../../base/bytes.ts';
import type { HttpRequest, HttpResponse } from '../../ports/http.ts';
import type { AnnounceRequest } from '../protocol/announce.ts';
import { TrackerClient } from './client.ts';

const signal = new AbortController().signal;
const URL = 'http://t/announce?passkey=secret';

const request: AnnounceRequest = {
  infoHash: new Uint8Array(20).fill(1),
  peerId: new Uint8Array(20).fill(2),
  port: 6881,
  uploaded: 1,
  downloaded: 2,
  left: 3,
  event: 'started',
  numWant: 50,
  key: 4,
  trackerId: null,
};

/** A client whose HTTP answers are made up; UDP leaves from a host of a simulated world. */
function setUp(answer: Partial<HttpResponse>, from: Uint8Array | null = null) {
  const world = newSimWorld();
  const { env } = world.addHost();
  const asked: HttpRequest[] = [];
  const http = {
    get: async (each: HttpRequest): Promise<HttpResponse> => {
      asked.push(each);
      return { status: 200, headers: {}, body: utf8('de'), url: each.url, ...answer };
    },
  };
  return { world, asked, client: new TrackerClient({ ...env, http }, { from }) };
}

describe('asking an HTTP tracker', () => {
  it('keeps the query of its URL, leaves from the chosen address, and bounds the reply', async () => {
    const from = Uint8Array.of(127, 0, 0, 5);
    const { asked, client } = setUp({}, from);
    await client.announce(URL, request, { signal });
    await client.scrape(URL, [request.infoHash], { signal });
    expect(asked[0]!.url).toMatch(/^http:\/\/t\/announce\?passkey=secret&info_hash=%01/);
    expect(asked[1]!.url).toBe(`http://t/scrape?passkey=secret&info_hash=${'%01'.repeat(20)}`);
    expect(asked[0]).toMatchObject({ from, maxBytes: 1024 * 1024 });
  });

  it('says why it was refused, whatever the status, and when to come back', async () => {
    const ask = (answer: Partial<HttpResponse>): Promise<unknown> =>
      setUp(answer).client.announce(URL, request, { signal });
    const refusal = utf8('d14:failure reason4:full8:retry in1:5e');
    for (const status of [200, 400, 503]) {
      await expect(ask({ status, body: refusal })).rejects.toMatchObject({
        code: 'TRACKER_FAILED',
        message: 'full',
        retryInS: 300,
      });
    }
    const busy = ask({ status: 503, body: utf8('<html>'), headers: { 'retry-after': '90' } });
    await expect(busy).rejects.toMatchObject({ code: 'TRACKER_FAILED', retryInS: 90 });
    await expect(ask({ status: 404 })).rejects.toMatchObject({ code: 'HTTP_FAILED' });
    await expect(ask({ body: utf8('<html>') })).rejects.toMatchObject({ code: 'TRACKER_INVALID' });
  });

  it('asks for many info hashes in several scrapes', async () => {
    const hashes = Array.from({ length: 100 }, (_, i) => new Uint8Array(20).fill(i));
    const { asked, client } = setUp({ body: utf8(`d5:filesd20:${'a'.repeat(20)}d8:completei3eeee`) });
    const counts = await client.scrape(URL, hashes, { signal });
    expect(asked).toHaveLength(2);
    expect([...counts]).toEqual([[toHex(utf8('a'.repeat(20))), { seeds: 3, leeches: 0, completed: 0 }]]);
  });
});

describe('asking a UDP tracker', () => {
  it('is not tried over a family that the chosen address has not', async () => {
    const { world, client } = setUp({}, Uint8Array.of(10, 0, 0, 1));
    const asked = client.announce('udp://[2001:db8::1]:6969/announce', request, { signal });
    await expect(world.run(asked)).rejects.toMatchObject({ code: 'HOST_NOT_FOUND' });
    await client.close();
    expect(world.leaks()).toEqual([]);
  });

  it('ignores what comes from elsewhere or was not asked for', async () => {
    const { world, client } = setUp({});
    const tracker = world.addHost({ ip: '10.8.0.1' });
    const liar = world.addHost({ ip: '10.8.0.2' });
    const connect = async (): Promise<string> => {
      const fake = await liar.env.sockets.bindUdp({ ip: null, port: 6969 }, () => undefined);
      const real = await tracker.env.sockets.bindUdp({ ip: null, port: 6969 }, (packet, from) => {
        const error = new Uint8Array(16);
        error[3] = 3;
        error.set(packet.subarray(12, 16), 4);
        error.set(utf8('liar'), 8);
        // The right transaction id from the wrong address, then a wrong one and a short packet from the right address.
        fake.send(error, from);
        real.send(error.with(7, error[7]! ^ 1), from);
        real.send(error.subarray(0, 7), from);
        const honest = error.slice();
        honest.set(utf8('busy'), 8);
        tracker.env.clock.after(1000, () => real.send(honest.subarray(0, 12), from));
      });
      const message = await client
        .announce('udp://10.8.0.1:6969', request, { signal })
        .catch((error: Error) => error.message);
      await Promise.all([fake.close(), real.close(), client.close()]);
      return String(message);
    };
    expect(await world.run(connect())).toBe('busy');
  });
});
