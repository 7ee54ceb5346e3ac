// Trackers and their askers for the contract of behaviours: simulated, with time of their own, and on this machine.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Address } from '../../src/base/address.ts';
import { fromLatin1 } from '../../src/base/bytes.ts';
import { trackerThreads } from '../../src/cli/tracker-threads.ts';
import { createNodeEnv, type NodeEnv } from '../../src/platform/node/env.ts';
import { SimSwarmStore } from '../../src/platform/sim/index.ts';
import { sleep } from '../../src/ports/clock.ts';
import type { Env } from '../../src/ports/env.ts';
import { TrackerClient } from '../../src/tracker/client/client.ts';
import { TrackerServer, type TrackerServerOptions } from '../../src/tracker/server/server.ts';
import { request } from '../support/announce-request.ts';
import { newSimWorld } from './sim-world.ts';
import type { TrackerAbilities, TrackerAsker, TrackerWorld } from './tracker.ts';

/** What makes askers of one transport. */
export interface Transport {
  readonly name: string;
  readonly can: Omit<TrackerAbilities, 'isSimulated'>;
  /** `to`: the tracker; `own`: of the asker. */
  open(env: Env, to: Address, own: Address): OpenAsker;
}

export interface OpenAsker {
  readonly asker: TrackerAsker;
  close(): Promise<void>;
}

const signal = new AbortController().signal;
const PEER_PORT = 6881;
/** What one tracker knows, others that share its store know by then. */
const SHARED_LATE_MS = 2000;
const FETCH_MS = 300;

const ABLE = { pauses: true, bothFamilies: true, minInterval: true, retryIn: true, longHashes: true, crowds: true };
const PLAIN = {
  pauses: false,
  bothFamilies: false,
  minInterval: false,
  retryIn: false,
  longHashes: false,
  crowds: true,
};

/** HTTP and UDP, by the program's own client. */
function byClient(scheme: 'http' | 'udp', can: Transport['can']): Transport {
  return {
    name: scheme.toUpperCase(),
    can,
    open: (env, to, own) => {
      const client = new TrackerClient(env, { from: null });
      const url = `${scheme}://${to.key}/announce`;
      const peerId = fromLatin1(`-SH0100-${own.key.slice(-12).padStart(12, '.')}`);
      const asker: TrackerAsker = {
        name: own.key,
        announce: async (changes) => {
          const { peers, ...told } = await client.announce(url, request({ peerId, port: own.port, ...changes }), {
            signal,
          });
          return { ...told, peers: peers.map(String) };
        },
        scrape: (infoHashes) => client.scrape(url, infoHashes, { signal }),
      };
      return { asker, close: () => client.close() };
    },
  };
}

export const HTTP: Transport = byClient('http', ABLE);
export const UDP: Transport = byClient('udp', PLAIN);

/**
 * A world a test, every asker on a host of its own. `isShared`: two trackers with one store, which are asked in turn and
 * may be two seconds behind each other.
 */
export function simTrackerWorld(transport: Transport, family: 4 | 6, isShared = false): TrackerWorld {
  return {
    name: `${transport.name}, IPv${family}, simulated${isShared ? ', two with a shared store' : ''}`,
    family,
    can: { ...transport.can, isSimulated: true },
    withTracker: async (options, body) => {
      const world = newSimWorld();
      const hosts = (isShared ? [1, 2] : [1]).map((n) =>
        world.addHost({ name: `tracker ${n}`, ip: family === 4 ? `10.9.0.${n}` : `2001:db8::9:${n}` }),
      );
      const { clock } = world.addHost({ name: 'store' }).env;
      const all = { listen: [{ ip: null, port: 6969 }], ...(isShared && { swarmStore: new SimSwarmStore({ clock }) }) };
      const opened: OpenAsker[] = [];
      const work = async (): Promise<void> => {
        const servers: TrackerServer[] = [];
        for (const { env } of hosts) servers.push(await TrackerServer.open(env, { ...all, ...options }));
        await body({
          newAsker: (at = {}) => {
            const n = opened.length + 1;
            const ip = family === 4 ? `10.7.${n >> 8}.${n & 255}` : `2001:db8::7:${n.toString(16)}`;
            const peer = world.addHost({ ip: at.ip ?? ip });
            const to = new Address(hosts[n % hosts.length]!.ip, 6969);
            opened.push(transport.open(peer.env, to, new Address(peer.ip, at.port ?? PEER_PORT)));
            return opened.at(-1)!.asker;
          },
          counts: async (infoHash) => {
            // A tracker where nobody announces a swarm fetches it when it is asked for it.
            servers[0]!.counts(infoHash);
            if (isShared) await sleep(clock, FETCH_MS);
            return servers[0]!.counts(infoHash);
          },
          settle: () => (isShared ? sleep(clock, SHARED_LATE_MS) : Promise.resolve()),
          wait: (seconds) => sleep(clock, seconds * 1000),
        });
        await Promise.all(opened.map((each) => each.close()));
        for (const server of servers) await server.close();
      };
      await world.run(work());
      expect(world.leaks()).toEqual([]);
    },
  };
}

/** Trackers on loopback, one for all tests with the same options: `close` when all have run. */
export class NodeTrackers {
  readonly #env: NodeEnv;
  readonly #folder: string;
  readonly #running = new Map<string, Promise<TrackerServer>>();
  #ports = 20_000;

  static async open(): Promise<NodeTrackers> {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-contract-'));
    return new NodeTrackers(createNodeEnv({ stateFolder: folder }), folder);
  }

  private constructor(env: NodeEnv, folder: string) {
    this.#env = env;
    this.#folder = folder;
  }

  async close(): Promise<void> {
    for (const server of this.#running.values()) await (await server).close();
    await this.#env.close();
    await rm(this.#folder, { recursive: true });
  }

  /** A tracker of so many threads that is asked from loopback; all askers have its address, and ports of their own. */
  async with(
    transport: Transport,
    family: 4 | 6,
    threads: number,
    options: Partial<TrackerServerOptions>,
    body: Parameters<TrackerWorld['withTracker']>[1],
  ): Promise<void> {
    const server = await this.#start(threads, options);
    const opened: OpenAsker[] = [];
    await body({
      newAsker: (at = {}) => {
        const own = new Address(loopback(at.family ?? family), at.port ?? this.#ports++);
        const to = new Address(own.ip, server.addresses[0]!.port);
        const asker = transport.open(this.#env, to, own);
        opened.push(asker);
        return asker.asker;
      },
      counts: (infoHash) => Promise.resolve(server.counts(infoHash)),
      settle: () => Promise.resolve(),
      wait: () => Promise.reject(new Error('time is real here')),
    });
    await Promise.all(opened.map((each) => each.close()));
  }

  /** Listens on all addresses of both families: what comes over IPv4 comes from `::ffff:` there. */
  #start(threads: number, options: Partial<TrackerServerOptions>): Promise<TrackerServer> {
    const key = JSON.stringify([threads, options]);
    let server = this.#running.get(key);
    if (server === undefined) {
      const listen = [{ ip: null, port: 0 }];
      const workers = { count: threads, threads: trackerThreads() };
      server = TrackerServer.open(this.#env, { listen, workers, ...options });
      this.#running.set(key, server);
    }
    return server;
  }
}

function loopback(family: 4 | 6): Uint8Array {
  return family === 4 ? Uint8Array.of(127, 0, 0, 1) : new Uint8Array(16).fill(1, 15);
}
