// A tracker in virtual time with WebTorrent clients.

import type { SimHost } from '../../src/platform/sim/index.ts';
import { sleep } from '../../src/ports/clock.ts';
import { place, type Setting, withTracker } from './sim-tracker.ts';
import { SimWebClient } from './sim-web-client.ts';
import { id, type Message } from './web-messages.ts';

/** A tracker, and clients that are closed in the end. */
export function withWeb(
  options: Parameters<typeof withTracker>[0],
  body: (setting: Setting) => Promise<void>,
  trackerIp?: string,
): Promise<void> {
  return withTracker(
    options,
    async (setting) => {
      await body(setting);
      for (const client of clients.splice(0)) client.stream.destroy();
      await sleep(setting.host.env.clock, 1000);
    },
    1,
    trackerIp,
  );
}

const clients: SimWebClient[] = [];

/** A client on a host of its own. */
export function connect(setting: Setting, ip?: string, path?: string): Promise<SimWebClient> {
  return newClient(setting, setting.client(ip).host, path);
}

/** Resolves when it is connected. */
export async function newClient(setting: Setting, host: SimHost, path?: string): Promise<SimWebClient> {
  const client = new SimWebClient(host, place(setting), path);
  clients.push(client);
  await sleep(setting.host.env.clock, 1000);
  return client;
}

/** Clients that have announced once under peer ids of their own. */
export async function swarm(setting: Setting, count: number, change: Message = {}): Promise<SimWebClient[]> {
  const all: SimWebClient[] = [];
  for (let i = 0; i < count; i++) {
    const client = await connect(setting);
    client.announce({ peer_id: id(0x61 + i), ...change });
    await client.take();
    all.push(client);
  }
  return all;
}
