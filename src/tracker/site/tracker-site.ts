// Everything that a tracker with a catalogue has more than one without: made before the tracker, which it tells who may
// announce, and told afterwards who counts.

import type { Env } from '../../ports/env.ts';
import type { AccessMode } from './access-gate.ts';
import type { SwarmCounts } from './site.ts';
import type { SiteDesk } from './site-desk.ts';
import { SiteHost } from './site-host.ts';
import type { SiteShare } from './site-protocol.ts';

export interface TrackerSiteOptions {
  /** The SQLite file; made if it is not there. */
  readonly databasePath: string;
  readonly mode: AccessMode;
  /** Where people reach the tracker (`https://tracker.example`); null: as each request says. */
  readonly publicUrl: string | null;
}

export type TrackerSiteEnv = Pick<Env, 'clock' | 'log'>;

/** Who knows what swarms have: the tracker's server. */
export interface SwarmCounter {
  counts(infoHash: Uint8Array): SwarmCounts;
}

/** A torrent file of 8 TiB in pieces of 4 MiB has 40 MiB; nearly all have less than one. */
export const MAX_UPLOAD_BYTES: number = 48 * 1024 * 1024;

export class TrackerSite {
  readonly #host: SiteHost;
  readonly #swarms: { counter: SwarmCounter | null };

  /** Errors: those of the database, told before the tracker listens. */
  static async open(env: TrackerSiteEnv, options: TrackerSiteOptions): Promise<TrackerSite> {
    const swarms: { counter: SwarmCounter | null } = { counter: null };
    const host = await SiteHost.open({
      ...options,
      maxUploadBytes: MAX_UPLOAD_BYTES,
      log: env.log,
      nowMs: () => env.clock.nowMs(),
      countOf: (infoHash) => swarms.counter?.counts(infoHash) ?? null,
    });
    return new TrackerSite(host, swarms);
  }

  private constructor(host: SiteHost, swarms: { counter: SwarmCounter | null }) {
    this.#host = host;
    this.#swarms = swarms;
  }

  /** What the tracker's server takes: access rules, ledger, other requests. */
  get desk(): Pick<SiteDesk, 'access' | 'ledger' | 'others'> {
    return this.#host.desk;
  }

  /** For each worker thread of the tracker, which makes a {@link SiteGuest} of it; the port has to be transferred. */
  share(): SiteShare {
    return this.#host.share();
  }

  /** Who counts swarms from now on. */
  attach(counter: SwarmCounter): void {
    this.#swarms.counter = counter;
  }

  /** Call after the tracker was closed: what it noted last is written. */
  close(): Promise<void> {
    return this.#host.close();
  }
}
