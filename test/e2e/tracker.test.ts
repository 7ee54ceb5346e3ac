// The tracker and its client in the real world, on loopback.

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../src/base/bytes.ts';
import { createNodeEnv, type NodeEnv } from '../../src/platform/node/env.ts';
import { TrackerClient } from '../../src/tracker/client/client.ts';
import { TrackerServer } from '../../src/tracker/server/server.ts';
import { request } from '../support/announce-request.ts';

const signal = new AbortController().signal;
const infoHash = Uint8Array.from({ length: 20 }, (_, i) => 13 * i);

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
        const url = `${scheme}://${address}/announce`;
        const reply = await client.announce(url, request({ infoHash, port: port++ }), { signal });
        expect(reply.leeches).toBe(port - 1);
        expect(reply.peers).toHaveLength(port - 2);
        const counts = await client.scrape(url, [infoHash], { signal });
        expect(counts.get(toHex(infoHash))).toMatchObject({ leeches: port - 1 });
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

  it('serves HTTPS beside HTTP on one port, and outlives those who break off or say nonsense', async () => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    const names = ['-subj', '/CN=localhost', '-days', '2', '-keyout', key, '-out', cert];
    const openssl = 'openssl';
    execFileSync(openssl, ['req', '-x509', '-nodes', ...curve, ...names], { stdio: 'ignore' });
    const tls = { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
    const secure = await TrackerServer.open(env, { listen: [{ ip: Uint8Array.of(127, 0, 0, 1), port: 0, tls }] });
    const place = `${secure.addresses[0]}`;
    for (const bytes of [[0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5], []]) {
      await new Promise<void>((resolve) => {
        const stream = env.sockets.connect(secure.addresses[0]!);
        stream.attach({
          onOpen: () => {
            stream.write([Uint8Array.from(bytes)]);
            stream.end();
          },
          onChunk: () => undefined,
          onClose: () => resolve(),
        });
      });
    }
    const text = await new Promise<string>((resolve, reject) => {
      const get = https.get(`https://${place}/healthz`, { rejectUnauthorized: false }, (response) => {
        response.setEncoding('utf8').on('data', resolve);
      });
      get.on('error', reject);
    });
    expect(text).toBe('ok\n');
    expect(await (await fetch(`http://${place}/healthz`)).text()).toBe('ok\n');
    await secure.close();
    const bad = { ip: Uint8Array.of(127, 0, 0, 1), port: 0, tls: { cert: 'none', key: 'none' } };
    await expect(TrackerServer.open(env, { listen: [bad] })).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
  });
});
