// The tracker and its client in the real world, on loopback.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromLatin1, toHex } from '../../src/base/bytes.ts';
import { createNodeEnv, type NodeEnv } from '../../src/platform/node/env.ts';
import { TrackerClient } from '../../src/tracker/client/client.ts';
import type { AnnounceRequest } from '../../src/tracker/protocol/announce.ts';
import { TrackerServer } from '../../src/tracker/server/server.ts';

const signal = new AbortController().signal;
const request: AnnounceRequest = {
  infoHash: Uint8Array.from({ length: 20 }, (_, i) => 13 * i),
  peerId: fromLatin1('-SH0100-abcdefghijkl'),
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 100,
  event: 'started',
  numWant: null,
  key: 7,
  trackerId: null,
};

let folder: string;
let env: NodeEnv;
let server: TrackerServer;
let client: TrackerClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-tracker-'));
  env = createNodeEnv({ stateFolder: folder });
  server = await TrackerServer.open(env, {
    listen: [
      { ip: Uint8Array.of(127, 0, 0, 1), port: 0 },
      { ip: Uint8Array.of(127, 0, 0, 2), port: 0 },
    ],
    stateKey: 'tracker/swarms',
  });
  client = new TrackerClient(env, { from: Uint8Array.of(127, 0, 0, 1) });
});

afterAll(async () => {
  await client.close();
  await server.close();
  await env.close();
  await rm(folder, { recursive: true });
});

describe('the tracker on a real machine', () => {
  it('serves HTTP and UDP on the same port, on every address it was given', async () => {
    let port = 1;
    for (const address of server.addresses) {
      for (const scheme of ['http', 'udp']) {
        const reply = await client.announce(
          `${scheme}://${address}/announce`,
          { ...request, port: port++ },
          { signal },
        );
        expect(reply.leeches).toBe(port - 1);
        expect(reply.peers).toHaveLength(port - 2);
        const counts = await client.scrape(`${scheme}://${address}/announce`, [request.infoHash], { signal });
        expect(counts.get(toHex(request.infoHash))).toMatchObject({ leeches: port - 1 });
      }
    }
  });

  it('answers a program and a person, over connections that stay', async () => {
    const base = `http://${server.addresses[0]}`;
    const pages = await Promise.all(['/', '/stats', '/healthz', '/none'].map((path) => fetch(base + path)));
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200, 404]);
    expect(await pages[1]!.json()).toMatchObject({ swarms: 1, peers: 4 });
    expect(await pages[0]!.text()).toContain('Shoal tracker');
    for (const page of pages.slice(2)) await page.text();
  });

  it('takes ports that are taken for an error, and leaves nothing open behind it', async () => {
    const taken = { ip: Uint8Array.of(127, 0, 0, 1), port: server.addresses[0]!.port };
    const free = { ip: Uint8Array.of(127, 0, 0, 1), port: 0 };
    await expect(TrackerServer.open(env, { listen: [free, taken] })).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
  });
});
