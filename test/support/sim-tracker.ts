// A tracker in virtual time, its clients, and a client of which every byte is chosen.

import { expect } from 'vitest';
import { Address } from '../../src/base/address.ts';
import { fromLatin1, latin1 } from '../../src/base/bytes.ts';
import type { SimHost, SimWorld } from '../../src/platform/sim/index.ts';
import type { Env } from '../../src/ports/env.ts';
import { TrackerClient } from '../../src/tracker/client/client.ts';
import type { AnnounceReply } from '../../src/tracker/protocol/announce.ts';
import { TrackerServer, type TrackerServerOptions } from '../../src/tracker/server/server.ts';
import { newSimWorld } from '../contract/sim-world.ts';

export { hash, request } from './announce-request.ts';

export const signal: AbortSignal = new AbortController().signal;
export const texts: (reply: AnnounceReply) => string[] = (reply) => reply.peers.map(String).sort();

export interface Setting {
  readonly world: SimWorld;
  readonly host: SimHost;
  readonly server: TrackerServer;
  url(scheme: 'http' | 'udp'): string;
  client(ip?: string): { client: TrackerClient; host: SimHost; key: string };
}

/** A tracker, a body that uses it, and nothing left open. */
export async function withTracker(
  options: Partial<TrackerServerOptions> | ((env: Env) => Partial<TrackerServerOptions>),
  body: (setting: Setting) => Promise<void>,
  seed = 1,
  trackerIp = '10.9.0.1',
): Promise<void> {
  const world = newSimWorld({ seed });
  const host = world.addHost({ name: 'tracker', ip: trackerIp });
  const clients: TrackerClient[] = [];
  await world.run(
    (async () => {
      const server = await TrackerServer.open(host.env, {
        listen: [{ ip: null, port: 0 }],
        ...(typeof options === 'function' ? options(host.env) : options),
      });
      const place = new Address(host.ip, server.addresses[0]!.port).key;
      await body({
        world,
        host,
        server,
        url: (scheme) => `${scheme}://${place}/announce`,
        client: (ip) => {
          const peer = world.addHost(ip === undefined ? {} : { ip });
          const client = new TrackerClient(peer.env, { from: null });
          clients.push(client);
          return { client, host: peer, key: new Address(peer.ip, 6881).key };
        },
      });
      await Promise.all(clients.map((client) => client.close()));
      await server.close();
    })(),
  );
  expect(world.leaks()).toEqual([]);
}

/** Sends parts over one connection, a second apart; resolves with all that came when the tracker closes it. */
export function talk(host: SimHost, to: Address, parts: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const stream = host.env.sockets.connect(to);
    stream.attach({
      onOpen: () => {
        for (const [i, part] of parts.entries()) host.env.clock.after(i * 1000, () => stream.write([fromLatin1(part)]));
      },
      onChunk: (chunk) => {
        text += latin1(chunk);
      },
      onEnd: () => stream.destroy(),
      onClose: () => resolve(text),
    });
  });
}

/** Where the tracker listens. */
export function place({ host, server }: Setting): Address {
  return new Address(host.ip, server.addresses[0]!.port);
}

/** An HTTP request. */
export function get(path: string, field = 'Host: t'): string {
  return `GET ${path} HTTP/1.1\r\n${field}\r\n\r\n`;
}
