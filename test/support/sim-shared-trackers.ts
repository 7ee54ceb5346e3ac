// Two trackers that share their swarms by a store, in virtual time, and who asks them.

import { expect } from 'vitest';
import { Address, parseIp } from '../../src/base/address.ts';
import { type SimHost, SimSwarmStore, type SimWorld } from '../../src/platform/sim/index.ts';
import { sleep } from '../../src/ports/clock.ts';
import { TrackerClient } from '../../src/tracker/client/client.ts';
import type { AnnounceRequest } from '../../src/tracker/protocol/announce.ts';
import { TrackerServer, type TrackerServerOptions } from '../../src/tracker/server/server.ts';
import { newSimWorld } from '../contract/sim-world.ts';
import { request, signal, texts } from './sim-tracker.ts';
import { SimWebClient } from './sim-web-client.ts';

export type Scheme = 'http' | 'udp';

interface Peer {
  /** Announces at tracker 0 or 1; resolves with the peers that it is told of. */
  announce(tracker: number, scheme: Scheme, changes?: Partial<AnnounceRequest>): Promise<string[]>;
  readonly key: string;
}

export interface Setting {
  readonly world: SimWorld;
  readonly store: SimSwarmStore;
  readonly servers: TrackerServer[];
  /** What the trackers have logged. */
  readonly log: string[];
  readonly options: readonly Partial<TrackerServerOptions>[];
  newPeer(): Peer;
  /** Connected to tracker 0 or 1, and closed in the end. */
  newWebClient(tracker: number): Promise<SimWebClient>;
  pass(ms: number): Promise<void>;
  /** Ends a tracker as it should end, and starts it again. */
  restart(tracker: number): Promise<void>;
  /** Starts a tracker again after kill -9. */
  crash(tracker: number): Promise<void>;
  /** `seeds leeches completed`, as a tracker counts them. */
  scrape(tracker: number): string;
}

export async function withTrackers(
  body: (setting: Setting) => Promise<void>,
  more: Partial<TrackerServerOptions> = {},
): Promise<void> {
  const world = newSimWorld({ seed: 7 });
  const hosts = [0, 1].map((n) => world.addHost({ name: `tracker ${n}`, ip: `10.9.0.${n + 1}` }));
  const outside = world.addHost({ ip: '10.9.0.9' });
  const store = new SimSwarmStore({ clock: outside.env.clock });
  const servers: TrackerServer[] = [];
  const clients: TrackerClient[] = [];
  const webClients: SimWebClient[] = [];
  const log: string[] = [];
  const open = (host: SimHost): Promise<TrackerServer> =>
    TrackerServer.open(
      { ...host.env, log: { write: (_level, message) => log.push(message) } },
      { listen: [{ ip: null, port: 6969 }], swarmStore: store, ...more },
    );
  await world.run(
    (async () => {
      for (const host of hosts) servers.push(await open(host));
      await body({
        world,
        store,
        servers,
        log,
        options: [],
        newPeer() {
          const host = world.addHost();
          const client = new TrackerClient(host.env, { from: null });
          clients.push(client);
          return {
            key: new Address(host.ip, 6881).key,
            async announce(tracker, scheme, changes) {
              const url = `${scheme}://10.9.0.${tracker + 1}:6969/announce`;
              return texts(await client.announce(url, request(changes), { signal }));
            },
          };
        },
        async newWebClient(tracker) {
          const client = new SimWebClient(world.addHost(), new Address(parseIp(`10.9.0.${tracker + 1}`)!, 6969));
          webClients.push(client);
          await sleep(outside.env.clock, 1000);
          return client;
        },
        pass: (ms) => sleep(outside.env.clock, ms),
        async restart(tracker) {
          await servers[tracker]!.close();
          servers[tracker] = await open(hosts[tracker]!);
        },
        async crash(tracker) {
          hosts[tracker]!.crash();
          hosts[tracker]!.restart();
          servers[tracker] = await open(hosts[tracker]!);
        },
        scrape(tracker) {
          const { seeds, leeches, completed } = servers[tracker]!.counts(request().infoHash);
          return `${seeds} ${leeches} ${completed}`;
        },
      });
      for (const { stream } of webClients) stream.destroy();
      await Promise.all(clients.map((client) => client.close()));
      await Promise.all(servers.map((server) => server.close()));
    })(),
  );
  expect(world.leaks()).toEqual([]);
}
