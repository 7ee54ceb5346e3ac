// Trackers and their askers for the contract of behaviours: simulated, with time of their own, and on this machine.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Address } from '../../src/base/address.ts';
import { fromLatin1, toHex } from '../../src/base/bytes.ts';
import { trackerThreads } from '../../src/cli/tracker-threads.ts';
import { createNodeEnv, type NodeEnv } from '../../src/platform/node/env.ts';
import { createRedisSwarmStore } from '../../src/platform/node/redis/redis-swarm-store.ts';
import { SimSwarmStore } from '../../src/platform/sim/index.ts';
import { sleep } from '../../src/ports/clock.ts';
import type { Env } from '../../src/ports/env.ts';
import { TrackerClient } from '../../src/tracker/client/client.ts';
import type { AnnounceRequest } from '../../src/tracker/protocol/announce.ts';
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
/** On a machine that has much else to do it takes longer; between two looks. */
const SETTLED_MS = 10_000;
const LOOK_MS = 20;

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

/** What is asked on loopback. */
export interface NodeSetting {
  readonly transport: Transport;
  readonly family: 4 | 6;
  /** Of the first tracker; the others have one. */
  readonly threads: number;
  /** Trackers that share the store of {@link NodeTrackers}, and are asked in turn. Default: one tracker without it. */
  readonly sharing?: number;
}

/** Trackers on loopback, the same for all tests with the same options: `close` when all have run. */
export class NodeTrackers {
  readonly #env: NodeEnv;
  readonly #folder: string;
  readonly #storePlace: string;
  readonly #running = new Map<string, Promise<TrackerServer[]>>();
  #ports = 20_000;

  /** `storePlace`: as `--store` has it, for trackers that share one. */
  static async open(storePlace = ''): Promise<NodeTrackers> {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-contract-'));
    return new NodeTrackers(createNodeEnv({ stateFolder: folder }), folder, storePlace);
  }

  private constructor(env: NodeEnv, folder: string, storePlace: string) {
    this.#env = env;
    this.#folder = folder;
    this.#storePlace = storePlace;
  }

  async close(): Promise<void> {
    for (const servers of this.#running.values()) for (const server of await servers) await server.close();
    await this.#env.close();
    await rm(this.#folder, { recursive: true });
  }

  /** A tracker that is asked from loopback, or several; all askers have its address, and ports of their own. */
  async with(
    setting: NodeSetting,
    options: Partial<TrackerServerOptions>,
    body: Parameters<TrackerWorld['withTracker']>[1],
  ): Promise<void> {
    const { transport, family, sharing } = setting;
    const servers = await this.#start(setting, options);
    const opened: OpenAsker[] = [];
    const said = new SaidInSwarms();
    await body({
      newAsker: (at = {}) => {
        const own = new Address(loopback(at.family ?? family), at.port ?? this.#ports++);
        const server = servers[opened.length % servers.length]!;
        const open = transport.open(this.#env, new Address(own.ip, server.addresses[0]!.port), own);
        opened.push(open);
        return sharing === undefined ? open.asker : said.notedFrom(open.asker);
      },
      counts: (infoHash) => Promise.resolve(servers[0]!.counts(infoHash)),
      settle: () => until(() => said.isKnownTo(servers)),
      wait: () => Promise.reject(new Error('time is real here')),
    });
    await Promise.all(opened.map((each) => each.close()));
  }

  /** They listen on all addresses of both families: what comes over IPv4 comes from `::ffff:` there. */
  #start({ threads, sharing }: NodeSetting, options: Partial<TrackerServerOptions>): Promise<TrackerServer[]> {
    const key = JSON.stringify([threads, sharing, options]);
    let servers = this.#running.get(key);
    if (servers === undefined) {
      const listen = [{ ip: null, port: 0 }];
      const newServer = (_: unknown, n: number): Promise<TrackerServer> => {
        const store = sharing === undefined ? null : this.#storePlace;
        const workers = { count: n === 0 ? threads : 1, threads: trackerThreads(null, store) };
        const shared = store === null ? {} : { swarmStore: createRedisSwarmStore(store) };
        return TrackerServer.open(this.#env, { listen, workers, ...shared, ...options });
      };
      servers = Promise.all(Array.from({ length: sharing ?? 1 }, newServer));
      this.#running.set(key, servers);
    }
    return servers;
  }
}

/** What askers have said of themselves, and so what every tracker has to count in the end. */
class SaidInSwarms {
  readonly #swarms = new Map<string, { infoHash: Uint8Array; isSeed: Map<string, boolean>; completed: number }>();

  notedFrom(asker: TrackerAsker): TrackerAsker {
    return {
      name: asker.name,
      announce: async (changes = {}) => {
        const told = await asker.announce(changes);
        this.#note(asker.name, request(changes));
        return told;
      },
      scrape: (infoHashes) => asker.scrape(infoHashes),
    };
  }

  isKnownTo(servers: readonly TrackerServer[]): boolean {
    return [...this.#swarms.values()].every(({ infoHash, isSeed, completed }) => {
      const seeds = [...isSeed.values()].filter(Boolean).length;
      const leeches = isSeed.size - seeds;
      return servers.every((server) => {
        const counts = server.counts(infoHash);
        return counts.seeds === seeds && counts.leeches === leeches && counts.completed === completed;
      });
    });
  }

  #note(name: string, { infoHash, left, event }: AnnounceRequest): void {
    const key = toHex(infoHash.subarray(0, 20));
    const swarm = this.#swarms.get(key) ?? { infoHash, isSeed: new Map<string, boolean>(), completed: 0 };
    this.#swarms.set(key, swarm);
    const wasSeed = swarm.isSeed.get(name) ?? false;
    if (event === 'stopped') swarm.isSeed.delete(name);
    else swarm.isSeed.set(name, left === 0);
    if (event === 'completed' && left === 0 && !wasSeed) swarm.completed++;
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + SETTLED_MS;
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error(`trackers that share a store differ after ${SETTLED_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function loopback(family: 4 | 6): Uint8Array {
  return family === 4 ? Uint8Array.of(127, 0, 0, 1) : new Uint8Array(16).fill(1, 15);
}
