// A tracker with rules of access and a catalogue, served by two threads: the same answers whoever gives them.

import { afterEach, describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../src/base/bytes.ts';
import { CAN_REUSE_PORT } from '../../src/platform/node/net/shared-port.ts';
import { loadUdpBatch } from '../../src/platform/node/net/udp-batch.ts';
import type { TrackerClient } from '../../src/tracker/client/client.ts';
import type { AnnounceReply, AnnounceRequest } from '../../src/tracker/protocol/announce.ts';
import type { AccessMode } from '../../src/tracker/site/access-gate.ts';
import { torrentNamed } from '../support/site-stage.ts';
import { announceOf, besides, publish, Stage, type Told } from './site-serving.ts';

const signal = new AbortController().signal;
/** Each has sockets of its own: that all of them meet the same thread happens once in 30,000 runs. */
const CLIENTS = 16;
const MODES: readonly AccessMode[] = ['open', 'allow-list', 'private'];

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

/** All clients at once, half of them over UDP. */
function byAll(
  at: Stage,
  path: string,
  changes: (n: number) => Partial<AnnounceRequest>,
  infoHash: Uint8Array,
): Promise<PromiseSettledResult<AnnounceReply>[]> {
  return Promise.allSettled(
    Array.from({ length: CLIENTS }, (_, n) => {
      const url = `${n % 2 === 0 ? at.base : at.base.replace('http', 'udp')}${path}/announce`;
      return at.newClient().announce(url, announceOf(infoHash, { port: 1000 + n, ...changes(n) }), { signal });
    }),
  );
}

function expectRefused(results: readonly PromiseSettledResult<unknown>[], why: RegExp): void {
  for (const result of results) {
    expect(result.status).toBe('rejected');
    expect(String((result as PromiseRejectedResult).reason)).toMatch(why);
  }
}

function expectServed(results: readonly PromiseSettledResult<unknown>[]): void {
  expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
}

const scrape = (client: TrackerClient, url: string, hash: Uint8Array): Promise<unknown> =>
  client.scrape(url, [hash], { signal }).then((entries) => entries.get(toHex(hash)));

describe.skipIf(!CAN_REUSE_PORT && loadUdpBatch() === null)('two threads of one tracker with a site', () => {
  it.each(MODES)('decide alike over announces and scrapes: %s', async (mode) => {
    stage = await Stage.open(mode, 2);
    const { token, passkey } = await besides(stage, (site) => ({
      token: site.tokens.add('root', 'admin').secret,
      passkey: site.users.add('ann').passkey,
    }));
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const { infoHash } = await publish(stage, token, torrentNamed('film'));
    const hash = fromHex(infoHash)!;
    const path = mode === 'private' ? `/${passkey}` : '';
    expectServed(await byAll(stage, path, (n) => ({ left: n % 4 }), hash));
    const unknown = await byAll(stage, path, () => ({}), new Uint8Array(20));
    if (mode === 'open') expectServed(unknown);
    else expectRefused(unknown, /not registered/);
    if (mode === 'private') {
      expectRefused(await byAll(stage, '', () => ({}), hash), /private/);
      expectRefused(await byAll(stage, `/${'0'.repeat(32)}`, () => ({}), hash), /unknown passkey/);
      await expect(scrape(stage.client, `${stage.base}/announce`, hash)).rejects.toThrow(/private/);
      const udp = `${stage.base.replace('http', 'udp')}${path}/announce`;
      await expect(scrape(stage.client, udp, hash)).rejects.toThrow(/private/);
    }
    const counts = { seeds: CLIENTS / 4, leeches: CLIENTS - CLIENTS / 4 };
    const query = mode === 'private' ? `&passkey=${passkey}` : '';
    // Searches reach both threads, whose requests all go to the site's.
    const found = await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        const response = await fetch(`${stage!.base}/api/search?q=film${query}`, { headers: { connection: 'close' } });
        return ((await response.json()) as { torrents: Told[] }).torrents[0];
      }),
    );
    for (const torrent of found) expect(torrent).toMatchObject({ infoHash, ...counts });
    const url = `${stage.base}${path}/announce`;
    for (let i = 0; i < 4; i++) expect(await scrape(stage.newClient(), url, hash)).toMatchObject(counts);
    await fetch(`${stage.base}/api/admin/lists/deny/${infoHash}`, { method: 'PUT', headers, body: '{}' });
    expectRefused(await byAll(stage, path, () => ({}), hash), /does not serve/);
    expect(await scrape(stage.client, url, hash)).toEqual({ seeds: 0, leeches: 0, completed: 0 });
    expect(stage.logged).toEqual([]);
  });

  it('know what is published, and what is removed, as soon as that is answered, while tables grow', async () => {
    stage = await Stage.open('allow-list', 2);
    const { secret } = await besides(stage, (site) => site.tokens.add('root', 'admin'));
    const headers = { authorization: `Bearer ${secret}` };
    const url = `${stage.base.replace('http', 'udp')}/announce`;
    const clients = Array.from({ length: 4 }, () => stage!.newClient());
    const announce = (hash: Uint8Array): Promise<PromiseSettledResult<unknown>[]> =>
      Promise.allSettled(clients.map((client) => client.announce(url, announceOf(hash), { signal })));
    // The first table has room for 96 hashes.
    for (let n = 0; n < 120; n++) {
      const { infoHash } = await publish(stage, secret, torrentNamed(`torrent ${n}`));
      expectServed(await announce(fromHex(infoHash)!));
      if (n % 10 > 0) continue;
      await fetch(`${stage.base}/api/torrents/${infoHash}`, { method: 'DELETE', headers });
      expectRefused(await announce(fromHex(infoHash)!), /not registered/);
    }
  });

  it('keep one account of a user, also of what was said last', async () => {
    stage = await Stage.open('private', 2);
    const { token, passkey } = await besides(stage, (site) => ({
      token: site.tokens.add('ci', 'publish').secret,
      passkey: site.users.add('ann').passkey,
    }));
    const hash = fromHex((await publish(stage, token, torrentNamed('film'))).infoHash)!;
    const url = `${stage.base.replace('http', 'udp')}/${passkey}/announce`;
    const clients = Array.from({ length: CLIENTS }, () => stage!.newClient());
    const each = clients.map(async (client, n) => {
      const say = (changes: Partial<AnnounceRequest>): Promise<unknown> =>
        client.announce(url, announceOf(hash, { port: 1000 + n, peerId: new Uint8Array(20).fill(n), ...changes }), {
          signal,
        });
      await say({});
      await say({ event: 'none', uploaded: 1000, downloaded: 10 });
      await say({ event: 'stopped', uploaded: 3000, downloaded: 20 });
    });
    await Promise.all(each);
    await stage.stop();
    const user = await besides(stage, (site) => site.users.get('ann'));
    expect(user).toMatchObject({ uploaded: 3000 * CLIENTS, downloaded: 20 * CLIENTS });
  });
});
