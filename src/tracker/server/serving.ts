// What one thread needs to answer announces: HTTP, WebSocket and UDP over a swarm table that may be shared.

import type { Address } from '../../base/address.ts';
import { assert } from '../../base/assert.ts';
import { isShoalError } from '../../base/errors.ts';
import type { Env } from '../../ports/env.ts';
import type { Gzip } from '../../ports/gzip.ts';
import type { Log } from '../../ports/log.ts';
import type { ListenOptions } from '../../ports/sockets.ts';
import type { SwarmStore } from '../../ports/swarm-store.ts';
import type { AccessRules, AnnounceLedger } from './access.ts';
import { AnnounceRules } from './announce.ts';
import type { ConnectionIds } from './connection-ids.ts';
import type { OtherRequests } from './http/http-connection.ts';
import { HttpRoutes } from './http/http-routes.ts';
import { HttpServer } from './http/http-server.ts';
import { type PageFile, Pages } from './http/pages.ts';
import { Prefixes } from './network.ts';
import type { Settings } from './options.ts';
import { Pacing } from './pacing.ts';
import { ScrapeRules } from './scrape.ts';
import type { TrackerCounters } from './status/stats.ts';
import type { Status } from './status/status.ts';
import { StatusRoutes } from './status/status-routes.ts';
import type { Places } from './store/kept-place.ts';
import { StoreMirror } from './store/store-mirror.ts';
import type { GiveUp } from './store/table-copy.ts';
import type { UntoldCompletions } from './store/untold-completions.ts';
import { FullScrapes } from './table/full-scrapes.ts';
import type { SwarmTable } from './table/swarm-table.ts';
import { Trust } from './trust.ts';
import { UdpServer } from './udp-server.ts';
import type { WebRelays } from './web/web-relays.ts';
import { WebServer } from './web/web-server.ts';

/** Another program may hold the UDP port of a free TCP port: others are tried. */
const PORT_TRIES = 20;

export type ServingEnv = Pick<Env, 'clock' | 'random' | 'sockets' | 'hashes'>;

export interface ServingParts {
  readonly settings: Settings;
  readonly table: SwarmTable;
  readonly counters: TrackerCounters;
  readonly ids: ConnectionIds;
  /** What every announce reply calls this tracker (BEP 3), at most 16 bytes. */
  readonly trackerId: Uint8Array;
  readonly access: AccessRules | null;
  readonly ledger: AnnounceLedger | null;
  /** Null: no other tracker has these swarms. */
  readonly store: SwarmStore | null;
  /** Where there is a store; this thread's. */
  readonly untold: UntoldCompletions | null;
  /** Of the tracker, the same for all its threads. */
  readonly places: Places;
  /** This thread hears it for all. */
  readonly hearsPlace: boolean;
  readonly log: Log;
  readonly pages: readonly PageFile[];
  readonly others: OtherRequests | null;
  /** Null: no reply is compressed. */
  readonly gzip: Gzip | null;
  readonly status: Status;
  /** This thread, as the table's locks call it. */
  readonly thread: number;
  /** Null: there is one thread. */
  readonly relays: WebRelays | null;
}

export class Serving {
  readonly pacing: Pacing;
  readonly mirror: StoreMirror | null;
  readonly #env: ServingEnv;
  readonly #parts: ServingParts;
  readonly #full: FullScrapes | null;
  readonly #http: HttpServer;
  readonly #udp: UdpServer;
  readonly #web: WebServer | null;

  constructor(env: ServingEnv, parts: ServingParts) {
    const { clock, random, sockets, hashes } = env;
    const { settings, table, counters, ids, trackerId, status } = parts;
    const { minIntervalS, maxConnections, metrics, http, ws, limitsLoopback, fullScrape } = settings;
    const trust = new Trust(new Prefixes(settings.proxies));
    const pacing = new Pacing(random, settings.intervalS, settings.busyPerSecond, clock.nowMs() / 1000);
    const { access, ledger, store, log, others, gzip } = parts;
    const ageS = (): number => pacing.ageS();
    const { untold, places, hearsPlace } = parts;
    const hear = hearsPlace && ws ? (batch: Uint8Array): void => this.#web?.hearFar(batch) : null;
    const giveUp: GiveUp = (infoHash, peerId) => this.#web?.giveUp(infoHash, peerId) ?? false;
    const mirror =
      store === null || untold === null
        ? null
        : new StoreMirror({ store, table, untold, clock, random, log, places, hear, giveUp, ageS });
    const announces = new AnnounceRules(table, {
      ...settings,
      near: new Prefixes(settings.near),
      announcesPerSecond: settings.announcesPerAddress,
      access,
      ledger,
      mirror,
    });
    const scrapesPerSecond = settings.scrapesPerAddress;
    const scrapes = new ScrapeRules(table, { access, mirror, scrapesPerSecond, limitsLoopback });
    const pages = new Pages(parts.pages);
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
      isServing: http,
    });
    const full = fullScrape ? new FullScrapes({ clock, table, access, gzip, counters, trust, minIntervalS }) : null;
    const { thread, relays } = parts;
    const { wsIntervalS: intervalS, maxWebSockets, maxWebSocketsPerAddress: maxPerAddress } = settings;
    const { maxWebSocketBytes: maxBytes } = settings;
    const { maxPeersPerReply: mostPicked } = settings;
    const web = { ...shared, hashes, table, thread, relays, far: mirror, minIntervalS, intervalS, limitsLoopback };
    const limits = { maxConnections: maxWebSockets, maxPerAddress, maxBytes, mostPicked };
    this.#web = ws ? new WebServer({ ...web, ...limits }) : null;
    const upgrades = this.#web;
    this.#env = env;
    this.#parts = parts;
    this.pacing = pacing;
    this.mirror = mirror;
    this.#full = full;
    const takers = { others: full === null ? others : takesFullScrapes(full, others), upgrades };
    this.#http = new HttpServer({ sockets, clock, random, counters, routes, maxConnections, ...takers });
    this.#udp = new UdpServer({ sockets, ids, ...shared });
  }

  /** UDP is open before HTTP answers, on the same port number. Rejects with LISTEN_FAILED. */
  async listen(listen: ListenOptions): Promise<Address> {
    const { udp, http, ws } = this.#parts.settings;
    assert(udp || http || ws, 'a tracker serves UDP, HTTP or WebSocket');
    if (!udp) return this.#http.listen(listen);
    for (let tried = 1; ; tried++) {
      const socket = await this.#udp.listen(listen);
      if (!http && !ws) return socket.address;
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
    this.#web?.tick();
    this.mirror?.tick();
    const announces = counters.httpAnnounces + counters.udpAnnounces + counters.wsAnnounces;
    this.pacing.tick(announces, this.#env.clock.nowMs() / 1000);
  }

  /** Frames from another thread; see {@link WebRelays}. */
  hear(batch: Uint8Array): void {
    this.#web?.hear(batch);
  }

  async close(): Promise<void> {
    this.#full?.close();
    await Promise.all([this.#http.close(), this.#web?.close(), this.#udp.close()]);
    await this.mirror?.close();
  }
}

function takesFullScrapes(full: FullScrapes, others: OtherRequests | null): OtherRequests {
  return (stream, bytes) => {
    if (full.accept(stream, bytes)) return;
    assert(others !== null, 'without others only full scrapes are handed over');
    others(stream, bytes);
  };
}
