// What every BitTorrent client can do in these tests, whoever made it.

import type { Habits } from './content.ts';
import type { Need } from './needs.ts';
import type { Place } from './network.ts';
import type { Program } from './program.ts';
import type { Stage } from './stage.ts';

export interface SeedJob {
  readonly torrent: string;
  /** The folder that holds the content under the torrent's name. */
  readonly parent: string;
  readonly uploadBytesPerSecond?: number;
}

export interface LeechJob {
  /** A torrent file or a magnet link. */
  readonly source: string;
  /** The folder that the content goes into under the torrent's name. */
  readonly parent: string;
}

/** A client that runs and listens. */
export interface Running {
  readonly place: Place;
  readonly program: Program;
}

export interface Leeching extends Running {
  /** Resolves when the program says that it has everything. */
  completed(): Promise<void>;
}

/** A program of others. It does what trackers say and accepts who comes: no DHT, no exchange of peers, nothing else. */
export interface Client {
  readonly name: string;
  readonly need: Need;
  readonly habits: Habits;
  /** Resolves when it listens and serves. */
  seed(stage: Stage, job: SeedJob): Promise<Running>;
  /** Resolves when it listens. */
  leech(stage: Stage, job: LeechJob): Promise<Leeching>;
}
