// Trackers and their askers for the contract of behaviours: simulated, with time of their own, and on this machine.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Address } from '../../src/base/address.ts';
import { fromLatin1 } from '../../src/base/bytes.ts';
import { trackerThreads } from '../../src/cli/tracker-threads.ts';
import { createNodeEnv, type NodeEnv } from '../../src/platform/node/env.ts';
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
  /** `place`: of the tracker, `host:port`; `own`: of the asker. */
  open(env: Env, place: string, own: Address): OpenAsker;
}

export interface OpenAsker {
  readonly asker: TrackerAsker;
  close(): Promise<void>;
}

const signal = new AbortController().signal;
const PEER_PORT = 6881;

const ABLE = { pauses: true, bothFamilies: true, minInterval: true, retryIn: true, longHashes: true };
const PLAIN = { pauses: false, bothFamilies: false, minInterval: false, retryIn: false, longHashes: false };

/** HTTP and UDP, by the program's own client. */
function byClient(scheme: 'http' | 'udp', can: Transport['can']): Transport {
  return {
    name: scheme.toUpperCase(),
    can,
    open: (env, place, own) => {
      const client = new TrackerClient(env, { from: null });
      const url = `${scheme}://${place}/announce`;
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

/** A world a test: the tracker at an address of each family, every asker on a host of its own. */
export function simTrackerWorld(
  transport: Transport,
  family: 4 | 6,
  extra: Partial<TrackerServerOptions> = {},
): TrackerWorld {
  return {
    name: `${transport.name}, IPv${family}, simulated`,
    family,
    can: { ...transport.can, isSimulated: true },
    withTracker: async (options, body) => {
      const world = newSimWorld();
      const host = world.addHost({ name: 'tracker', ip: family === 4 ? '10.9.0.1' : '2001:db8::ffff' });
      const opened: OpenAsker[] = [];
      let hosts = 0;
      await world.run(
        (async () => {
          const server = await TrackerServer.open(host.env, { listen: [{ ip: null, port: 0 }], ...extra, ...options });
          const to = new Address(host.ip, server.addresses[0]!.port).key;
          await body({
            newAsker: (at = {}) => {
              hosts++;
              const ip =
                at.ip ?? (family === 4 ? `10.7.${hosts >> 8}.${hosts & 255}` : `2001:db8::7:${hosts.toString(16)}`);
              const peer = world.addHost({ ip });
              const asker = transport.open(peer.env, to, new Address(peer.ip, at.port ?? PEER_PORT));
              opened.push(asker);
              return asker.asker;
            },
            counts: (infoHash) => server.counts(infoHash),
            settle: () => Promise.resolve(),
            wait: (seconds) => sleep(host.env.clock, seconds * 1000),
          });
          await Promise.all(opened.map((each) => each.close()));
          await server.close();
        })(),
      );
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
        const to = new Address(own.ip, server.addresses[0]!.port).key;
        const asker = transport.open(this.#env, to, own);
        opened.push(asker);
        return asker.asker;
      },
      counts: (infoHash) => server.counts(infoHash),
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
