// What a bench can do with every BitTorrent client, whoever made it.

import type { Command } from '../run/program.ts';

export type Role = 'seed' | 'leech';

/** One process of a measured swarm. */
export interface Job {
  readonly torrent: string;
  /** Where the content is, or goes, under the torrent's name. */
  readonly contentPath: string;
  readonly folder: string;
  /** The program's own folder: configuration, state, log. */
  readonly home: string;
  readonly ip: string;
  readonly port: number;
  /** 0: no limit. */
  readonly uploadBytesPerSecond: number;
  /** 0: no limit. Only the programs of the suite `limits` heed it. */
  readonly downloadBytesPerSecond: number;
  /** A file to create once all is there. */
  readonly done: string;
  /** A script that creates it. */
  readonly doneScript: string;
}

/**
 * A client with its most generous settings: no DHT, no exchange of peers, no encryption, TCP only, no limits but the given
 * one. It uses `ip:port` alone, takes seeds' content for good where it can, and goes on as a seed.
 */
export interface Client {
  readonly name: string;
  /** null: it is here; else what is missing. */
  missing(): string | null;
  command(job: Job, role: Role): Command;
  readonly v2?: boolean;
  /** So slow that it gets no more content than this; null: as much as all others. */
  readonly mostMib: Readonly<Record<Role, number | null>>;
}

export const ANY_SIZE: Client['mostMib'] = { seed: null, leech: null };
