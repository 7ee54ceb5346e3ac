// Everything that a tracker with a catalogue has more than one without: made before the tracker, which it tells who may
// announce, and told afterwards where that listens.

import { Address, isUnspecified } from '../../base/address.ts';
import { toHex } from '../../base/bytes.ts';
import type { Env } from '../../ports/env.ts';
import type { ByteStream } from '../../ports/sockets.ts';
import { TrackerClient } from '../client/client.ts';
import type { AccessRules, AnnounceLedger } from '../server/access.ts';
import type { AccessMode } from './access-gate.ts';
import { HttpFront } from './http-front.ts';
import type { CountSwarms } from './site.ts';
import { SiteHost } from './site-host.ts';

export interface TrackerSiteOptions {
  /** The SQLite file; made if it is not there. */
  readonly databasePath: string;
  readonly mode: AccessMode;
  /** Where people reach the tracker (`https://tracker.example`); null: as each request says. */
  readonly publicUrl: string | null;
}

export type TrackerSiteEnv = Pick<Env, 'clock' | 'random' | 'sockets' | 'http' | 'log'>;

/** A torrent file of 8 TiB in pieces of 4 MiB has 40 MiB; nearly all have less than one. */
export const MAX_UPLOAD_BYTES: number = 48 * 1024 * 1024;
/** A tracker that asks itself has an answer in a millisecond. */
const COUNT_MS = 5000;

export class TrackerSite {
  /** What the tracker's server takes. */
  readonly access: AccessRules;
  readonly ledger: AnnounceLedger;
  readonly others: (stream: ByteStream, bytes: Uint8Array) => void;
  readonly #host: SiteHost;
  readonly #front: HttpFront;
  readonly #swarms: SwarmCounter;

  /** Errors: those of the database, told before the tracker listens. */
  static async open(env: TrackerSiteEnv, options: TrackerSiteOptions): Promise<TrackerSite> {
    const swarms = new SwarmCounter(env);
    const given = { ...options, maxUploadBytes: MAX_UPLOAD_BYTES, log: env.log };
    const host = await SiteHost.open({ ...given, countSwarms: swarms.count });
    return new TrackerSite(env, host, swarms);
  }

  private constructor(env: TrackerSiteEnv, host: SiteHost, swarms: SwarmCounter) {
    const { gate, ledger } = host;
    this.#host = host;
    this.#swarms = swarms;
    this.#front = new HttpFront({ maxUploadBytes: MAX_UPLOAD_BYTES, fetch: (request) => host.fetch(request) });
    this.access = { check: ({ infoHash }, key) => gate.check(infoHash, key.bytes, key.start, key.end) };
    this.ledger = {
      note: ({ infoHash, peerId, uploaded, downloaded, event }, key) => {
        const user = gate.userOf(key.bytes, key.start, key.end);
        if (user === 0) return;
        ledger.note(user, infoHash, peerId, uploaded, downloaded, event, env.clock.nowMs() / 1000);
      },
    };
    this.others = (stream, bytes) => this.#front.accept(stream, bytes);
  }

  /** Where the tracker listens, from now on: its swarms can be counted. */
  attach(address: Address, scheme: 'udp' | 'http'): void {
    this.#swarms.attach(address, scheme);
  }

  /** Call after the tracker was closed: what it noted last is written. */
  async close(): Promise<void> {
    this.#front.close();
    await this.#swarms.close();
    await this.#host.close();
  }
}

/** Counts swarms by scraping the tracker: as others see it, whatever threads it has. */
class SwarmCounter {
  readonly #client: TrackerClient;
  #url: string | null = null;

  constructor(env: TrackerSiteEnv) {
    this.#client = new TrackerClient(env, { from: null });
  }

  attach(address: Address, scheme: 'udp' | 'http'): void {
    const loopback = address.ip.length === 4 ? Uint8Array.of(127, 0, 0, 1) : new Uint8Array(16).fill(1, 15);
    const reached = isUnspecified(address.ip) ? new Address(loopback, address.port) : address;
    this.#url = `${scheme}://${reached.key}/announce`;
  }

  readonly count: CountSwarms = async (hashes) => {
    const none = { seeds: 0, leeches: 0 };
    if (this.#url === null) return hashes.map(() => none);
    const entries = await this.#client.scrape(this.#url, hashes, { signal: AbortSignal.timeout(COUNT_MS) });
    return hashes.map((hash) => entries.get(toHex(hash)) ?? none);
  };

  close(): Promise<void> {
    return this.#client.close();
  }
}
