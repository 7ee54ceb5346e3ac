// A tracker of several threads: one swarm table, one set of numbers, whoever answers; and one that dies.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { trackerThreads } from '../../src/cli/tracker-threads.ts';
import { createNodeEnv, type NodeEnv } from '../../src/platform/node/env.ts';
import { CAN_REUSE_PORT } from '../../src/platform/node/net/shared-port.ts';
import { loadUdpBatch } from '../../src/platform/node/net/udp-batch.ts';
import { TrackerClient } from '../../src/tracker/client/client.ts';
import { TrackerServer, type TrackerServerOptions } from '../../src/tracker/server/server.ts';
import { request } from '../support/announce-request.ts';
import { rememberThreads } from '../support/remembered-threads.ts';

const signal = new AbortController().signal;
const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const CLIENTS = 12;
let folder: string;
let env: NodeEnv;
const logged: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-workers-'));
  env = createNodeEnv({ stateFolder: folder, log: { write: (level, message) => logged.push(`${level}: ${message}`) } });
});

afterAll(async () => {
  await env.close();
  await rm(folder, { recursive: true });
});

/** Every client announces, over HTTP and UDP, from connections and sockets of its own, 20 peers of 5 swarms. */
async function announceAll(server: TrackerServer): Promise<void> {
  const place = `${server.addresses[0]}`;
  const clients = Array.from({ length: CLIENTS }, () => new TrackerClient(env, { from: LOOPBACK }));
  const each = clients.map(async (client, c) => {
    for (let n = 0; n < 20; n++) {
      const infoHash = new Uint8Array(20).fill(n % 5);
      const peer = request({ infoHash, port: 1000 + 100 * c + n, left: n % 2 });
      const url = `${n % 4 < 2 ? 'http' : 'udp'}://${place}/announce`;
      await client.announce(url, peer, { signal });
    }
  });
  await Promise.all(each);
  await Promise.all(clients.map((client) => client.close()));
}

describe.skipIf(!CAN_REUSE_PORT && loadUdpBatch() === null)('a tracker of three threads', () => {
  it('has one swarm table and one count, goes on when a thread dies, and knows its swarms when it is started again', async () => {
    const { threads, started } = rememberThreads(trackerThreads());
    const options: TrackerServerOptions = {
      listen: [{ ip: LOOPBACK, port: 0 }],
      stateKey: 'tracker/workers',
      workers: { count: 3, threads },
    };
    const server = await TrackerServer.open(env, options);
    await announceAll(server);
    expect(server.stats()).toMatchObject({ peers: 20 * CLIENTS, swarms: 5, seeds: 10 * CLIENTS });
    await vi.waitFor(() => {
      const { http, udp } = server.stats();
      expect(http.announces + udp.announces).toBe(20 * CLIENTS);
    });
    await started[0]!.stop();
    expect(logged).toEqual(['warn: a thread of the tracker died; another takes its place']);
    await vi.waitFor(() => expect(started).toHaveLength(3), 10_000);
    await announceAll(server);
    expect(server.stats().peers).toBe(20 * CLIENTS);
    await server.close();
    const again = await TrackerServer.open(env, { ...options, workers: { count: 2, threads } });
    expect(again.stats()).toMatchObject({ peers: 20 * CLIENTS, swarms: 5, seeds: 10 * CLIENTS });
    await again.close();
  });

  it('does not share its ports with another one', async () => {
    const options: TrackerServerOptions = {
      listen: [{ ip: LOOPBACK, port: 0 }],
      workers: { count: 2, threads: trackerThreads() },
    };
    const server = await TrackerServer.open(env, options);
    const listen = [{ ip: LOOPBACK, port: server.addresses[0]!.port }];
    for (const served of [{}, { udp: false }, { http: false, ws: false }]) {
      await expect(TrackerServer.open(env, { ...options, ...served, listen })).rejects.toMatchObject({
        code: 'LISTEN_FAILED',
        message: expect.stringContaining('in use'),
      });
    }
    await server.close();
    await (await TrackerServer.open(env, { ...options, listen })).close();
  });
});
