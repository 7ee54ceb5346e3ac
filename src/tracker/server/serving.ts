// What one thread needs to answer announces: HTTP and UDP over a swarm table that may be shared.

import type { Address } from '../../base/address.ts';
import { assert } from '../../base/assert.ts';
import { isShoalError } from '../../base/errors.ts';
import type { Env } from '../../ports/env.ts';
import type { Gzip } from '../../ports/gzip.ts';
import type { ListenOptions } from '../../ports/sockets.ts';
import type { AccessRules, AnnounceLedger, SwarmMirror } from './access.ts';
import { AnnounceRules } from './announce.ts';
import type { ConnectionIds } from './connection-ids.ts';
import { FullScrapes } from './full-scrapes.ts';
import type { OtherRequests } from './http-connection.ts';
import { HttpRoutes } from './http-routes.ts';
import { HttpServer } from './http-server.ts';
import { Prefixes } from './network.ts';
import type { Settings } from './options.ts';
import { Pacing } from './pacing.ts';
import { type PageFile, Pages } from './pages.ts';
import { ScrapeRules } from './scrape.ts';
import type { TrackerCounters } from './stats.ts';
import type { Status } from './status.ts';
import { StatusRoutes } from './status-routes.ts';
import type { SwarmTable } from './swarm-table.ts';
import { Trust } from './trust.ts';
import { UdpServer } from './udp-server.ts';

/** Another program may hold the UDP port of a free TCP port: others are tried. */
const PORT_TRIES = 20;

export type ServingEnv = Pick<Env, 'clock' | 'random' | 'sockets'>;

export interface ServingParts {
  readonly settings: Settings;
  readonly table: SwarmTable;
  readonly counters: TrackerCounters;
  readonly ids: ConnectionIds;
  /** What every announce reply calls this tracker (BEP 3), at most 16 bytes. */
  readonly trackerId: Uint8Array;
  readonly access: AccessRules | null;
  readonly ledger: AnnounceLedger | null;
  readonly mirror: SwarmMirror | null;
  readonly pages: readonly PageFile[];
  readonly others: OtherRequests | null;
  /** Null: no reply is compressed. */
  readonly gzip: Gzip | null;
  readonly status: Status;
}

export class Serving {
  readonly pacing: Pacing;
  readonly #env: ServingEnv;
  readonly #parts: ServingParts;
  readonly #full: FullScrapes | null;
  readonly #http: HttpServer;
  readonly #udp: UdpServer;

  constructor(env: ServingEnv, parts: ServingParts) {
    const { clock, random, sockets } = env;
    const { settings, table, counters, ids, trackerId, status } = parts;
    const trust = new Trust(new Prefixes(settings.proxies));
    const pacing = new Pacing(random, settings.intervalS, settings.busyPerSecond, clock.nowMs() / 1000);
    const { access, ledger, mirror, others, gzip } = parts;
    const announces = new AnnounceRules(table, {
      ...settings,
      near: new Prefixes(settings.near),
      announcesPerSecond: settings.announcesPerAddress,
      access,
      ledger,
      mirror,
    });
    const scrapes = new ScrapeRules(table, access);
    const pages = new Pages(parts.pages);
    const { minIntervalS, maxConnections, metrics, fullScrape } = settings;
    const statusRoutes = new StatusRoutes({ status, trust, metrics });
    const shared = { clock, announces, scrapes, counters, pacing, trust };
    const handsOver = { handsOver: others !== null, handsOverFullScrapes: fullScrape };
    const routes = new HttpRoutes({
      ...shared,
      ...handsOver,
      minIntervalS,
      trackerId,
      statusRoutes,
      pages,
      gzip,
    });
    const full = fullScrape ? new FullScrapes({ clock, table, access, gzip, counters, minIntervalS }) : null;
    this.#env = env;
    this.#parts = parts;
    this.pacing = pacing;
    this.#full = full;
    const takers = { others: full === null ? others : takesFullScrapes(full, others) };
    this.#http = new HttpServer({ sockets, clock, random, counters, routes, maxConnections, ...takers });
    this.#udp = new UdpServer({ sockets, ids, ...shared });
  }

  /** UDP is open before HTTP answers, on the same port number. Rejects with LISTEN_FAILED. */
  async listen(listen: ListenOptions): Promise<Address> {
    const { udp, http } = this.#parts.settings;
    assert(udp || http, 'a tracker serves UDP or HTTP');
    if (!udp) return this.#http.listen(listen);
    for (let tried = 1; ; tried++) {
      const socket = await this.#udp.listen(listen);
      if (!http) return socket.address;
      try {
        return await this.#http.listen({ ...listen, port: socket.address.port });
      } catch (error) {
        await this.#udp.unlisten(socket);
        if (listen.port !== 0 || tried === PORT_TRIES || !isShoalError(error, 'LISTEN_FAILED')) throw error;
      }
    }
  }

  /** To be called about once a second. */
  tick(): void {
    const { counters } = this.#parts;
    this.#http.tick();
    this.#full?.tick();
    this.pacing.tick(counters.httpAnnounces + counters.udpAnnounces, this.#env.clock.nowMs() / 1000);
  }

  async close(): Promise<void> {
    this.#full?.close();
    await Promise.all([this.#http.close(), this.#udp.close()]);
  }
}

function takesFullScrapes(full: FullScrapes, others: OtherRequests | null): OtherRequests {
  return (stream, bytes) => {
    if (full.accept(stream, bytes)) return;
    assert(others !== null, 'without others only full scrapes are handed over');
    others(stream, bytes);
  };
}
