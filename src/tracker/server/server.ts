// A tracker: one swarm table, asked over HTTP and UDP on the same port numbers.

import type { Address } from '../../base/address.ts';
import { fromLatin1 } from '../../base/bytes.ts';
import { describeError, isShoalError } from '../../base/errors.ts';
import { Scope } from '../../base/scope.ts';
import type { Timer } from '../../ports/clock.ts';
import type { Env } from '../../ports/env.ts';
import type { ListenOptions } from '../../ports/sockets.ts';
import { DEFAULT_INTERVAL_S } from '../protocol/announce.ts';
import { AnnounceRules, MAX_PEERS_PER_REPLY } from './announce.ts';
import { ConnectionIds } from './connection-ids.ts';
import { HttpRoutes } from './http-routes.ts';
import { HttpServer } from './http-server.ts';
import { ScrapeRules } from './scrape.ts';
import { loadSwarms, saveSwarms } from './snapshot.ts';
import { TrackerCounters, type TrackerStats, trackerStats } from './stats.ts';
import { SwarmTable } from './swarm-table.ts';
import { Sweep } from './sweep.ts';
import { UdpServer } from './udp-server.ts';

export interface TrackerServerOptions {
  /** Every one serves HTTP and UDP; port 0 picks one that is free for both. */
  readonly listen: readonly ListenOptions[];
  /** Seconds between regular announces. Default: 1800. */
  readonly intervalS?: number;
  /** Seconds before which no further announce is welcome. Default: 30, or the interval where that is shorter. */
  readonly minIntervalS?: number;
  /** Peers in a reply where the client names no number. Default: 50. */
  readonly peersPerReply?: number;
  /** Peers in a reply at most. Default, and never more than: 200. */
  readonly maxPeersPerReply?: number;
  /** Seconds of silence after which a peer is forgotten. Default: one and a half intervals and half a minute. */
  readonly peerAgeS?: number;
  /** Info hashes known at most. Default: 2,000,000. */
  readonly maxSwarms?: number;
  /** Peers known at most. Default: 8,000,000. */
  readonly maxPeers?: number;
  /** HTTP connections at once. Default: 4096. */
  readonly maxConnections?: number;
  /** Serve UDP too. Default: true. */
  readonly udp?: boolean;
  /** Key in the store under which swarms outlive the process; null: they do not. Default: null. */
  readonly stateKey?: string | null;
}

export type TrackerEnv = Pick<Env, 'clock' | 'random' | 'sockets' | 'store' | 'log'>;

const TICK_MS = 1000;
/** A crash costs what was announced since the last snapshot. */
const STATE_EVERY_MS = 5 * 60_000;
/** Another program may hold the UDP port of a free TCP port: others are tried. */
const PORT_TRIES = 20;

export class TrackerServer {
  /** Where it listens, in the order of the options, ports filled in. */
  readonly addresses: readonly Address[];
  readonly #env: TrackerEnv;
  readonly #parts: Parts;
  readonly #scope = new Scope();
  #tick: Timer | null = null;
  #stateAtMs: number;
  #saving: Promise<void> | null = null;

  /** UDP is open before HTTP answers. Rejects with LISTEN_FAILED, and then has closed what was open. */
  static async open(env: TrackerEnv, options: TrackerServerOptions): Promise<TrackerServer> {
    const parts = makeParts(env, options);
    try {
      await loadState(env, parts);
      const addresses: Address[] = [];
      for (const listen of options.listen) addresses.push(await listenBoth(parts, listen, options.udp ?? true));
      return new TrackerServer(env, parts, addresses);
    } catch (error) {
      await Promise.all([parts.http.close(), parts.udp.close()]);
      throw error;
    }
  }

  private constructor(env: TrackerEnv, parts: Parts, addresses: readonly Address[]) {
    this.#env = env;
    this.#parts = parts;
    this.addresses = addresses;
    this.#stateAtMs = env.clock.nowMs() + STATE_EVERY_MS;
    this.#scope.add(() => this.#save());
    this.#scope.add(() => parts.udp.close());
    this.#scope.add(() => parts.http.close());
    this.#scope.add(() => this.#tick?.cancel());
    this.#arm();
  }

  stats(): TrackerStats {
    return this.#parts.stats();
  }

  /** Stops listening, closes all connections, and saves the swarms where that was asked for. Idempotent. */
  close(): Promise<void> {
    return this.#scope.close();
  }

  #arm(): void {
    this.#tick = this.#env.clock.after(TICK_MS, () => {
      const { sweep, http } = this.#parts;
      const nowMs = this.#env.clock.nowMs();
      http.tick();
      sweep.run(nowMs / 1000);
      if (nowMs >= this.#stateAtMs) {
        this.#stateAtMs = nowMs + STATE_EVERY_MS;
        void this.#save();
      }
      this.#arm();
    });
  }

  /** Never rejects: a tracker that cannot save goes on. */
  async #save(): Promise<void> {
    await this.#saving;
    const { stateKey, table } = this.#parts;
    if (stateKey === null) return;
    const { clock, store, log } = this.#env;
    this.#saving = saveSwarms({ store, clock, key: stateKey }, table).catch((error: unknown) => {
      log.write('warn', 'the swarms could not be saved', { error: describeError(error) });
    });
    await this.#saving;
  }
}

interface Parts {
  readonly table: SwarmTable;
  readonly stats: () => TrackerStats;
  readonly http: HttpServer;
  readonly udp: UdpServer;
  readonly sweep: Sweep;
  readonly peerAgeS: number;
  readonly stateKey: string | null;
}

function makeParts(env: TrackerEnv, options: TrackerServerOptions): Parts {
  const { clock, random, sockets } = env;
  const intervalS = options.intervalS ?? DEFAULT_INTERVAL_S;
  const minIntervalS = options.minIntervalS ?? Math.min(30, intervalS);
  const maxPeersPerReply = Math.min(options.maxPeersPerReply ?? MAX_PEERS_PER_REPLY, MAX_PEERS_PER_REPLY);
  const table = SwarmTable.local(random, {
    maxSwarms: options.maxSwarms ?? 2_000_000,
    maxPeers: options.maxPeers ?? 8_000_000,
  });
  const counters = new TrackerCounters();
  const announces = new AnnounceRules(table, {
    peersPerReply: Math.min(options.peersPerReply ?? 50, maxPeersPerReply),
    maxPeersPerReply,
  });
  const scrapes = new ScrapeRules(table);
  const startedMs = clock.nowMs();
  const stats = (): TrackerStats => trackerStats(table, counters, (clock.nowMs() - startedMs) / 1000);
  const trackerId = fromLatin1(
    random
      .below(2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  );
  const routes = new HttpRoutes({ clock, announces, scrapes, counters, intervalS, minIntervalS, trackerId, stats });
  const peerAgeS = options.peerAgeS ?? intervalS * 1.5 + 30;
  const maxConnections = options.maxConnections ?? 4096;
  return {
    table,
    stats,
    http: new HttpServer({ sockets, clock, random, counters, routes, maxConnections }),
    udp: new UdpServer({ sockets, clock, ids: new ConnectionIds(random), announces, scrapes, counters, intervalS }),
    sweep: new Sweep(table, peerAgeS),
    peerAgeS,
    stateKey: options.stateKey ?? null,
  };
}

/** A broken or foreign record is a warning: the swarms come back with their announces. */
async function loadState(env: TrackerEnv, parts: Parts): Promise<void> {
  if (parts.stateKey === null) return;
  try {
    await loadSwarms({ store: env.store, clock: env.clock, key: parts.stateKey }, parts.table, parts.peerAgeS);
  } catch (error) {
    if (!isShoalError(error)) throw error;
    env.log.write('warn', 'saved swarms could not be read', { error: describeError(error) });
  }
}

/** UDP first, on the port that TCP then takes. */
async function listenBoth(parts: Parts, listen: ListenOptions, udp: boolean): Promise<Address> {
  if (!udp) return parts.http.listen(listen);
  for (let tried = 1; ; tried++) {
    const socket = await parts.udp.listen(listen);
    try {
      return await parts.http.listen({ ip: listen.ip, port: socket.address.port });
    } catch (error) {
      await parts.udp.unlisten(socket);
      if (listen.port !== 0 || tried === PORT_TRIES || !isShoalError(error, 'LISTEN_FAILED')) throw error;
    }
  }
}
