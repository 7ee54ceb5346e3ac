// A tracker with a site in the real world, and who asks it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { trackerThreads } from '../../src/cli/tracker-threads.ts';
import { createNodeEnv, type NodeEnv } from '../../src/platform/node/env.ts';
import type { LogLevel } from '../../src/ports/log.ts';
import { TrackerClient } from '../../src/tracker/client/client.ts';
import type { AnnounceRequest } from '../../src/tracker/protocol/announce.ts';
import { TrackerServer } from '../../src/tracker/server/server.ts';
import type { AccessMode } from '../../src/tracker/site/access-gate.ts';
import { DATABASE_NAME } from '../../src/tracker/site/database-name.ts';
import { TrackerSite } from '../../src/tracker/site/tracker-site.ts';
import { request } from '../support/announce-request.ts';
import { SiteStage } from '../support/site-stage.ts';

const LOCAL = Uint8Array.of(127, 0, 0, 1);

export interface Told {
  readonly infoHash: string;
  readonly name: string;
  readonly seeds: number;
  readonly leeches: number;
  readonly torrent: string;
}

export class Stage {
  readonly logged: string[] = [];
  readonly #folder: string;
  readonly #env: NodeEnv;
  #site: TrackerSite | null = null;
  #server: TrackerServer | null = null;
  readonly client: TrackerClient;
  readonly #clients: TrackerClient[] = [];

  static async open(mode: AccessMode, threads = 1): Promise<Stage> {
    const stage = new Stage(await mkdtemp(join(tmpdir(), 'shoal-site-')));
    await stage.start(mode, threads);
    return stage;
  }

  private constructor(folder: string) {
    const write = (_level: LogLevel, message: string): void => void this.logged.push(message);
    this.#folder = folder;
    this.#env = createNodeEnv({ stateFolder: folder, log: { write } });
    this.client = this.newClient();
  }

  /** With sockets and connections of its own, which may belong to another thread of the tracker. */
  newClient(): TrackerClient {
    const client = new TrackerClient(this.#env, { from: LOCAL });
    this.#clients.push(client);
    return client;
  }

  get base(): string {
    return `http://${this.#server!.addresses[0]!.key}`;
  }

  get path(): string {
    return join(this.#folder, DATABASE_NAME);
  }

  async start(mode: AccessMode, threads = 1): Promise<void> {
    this.#site = await TrackerSite.open(this.#env, { databasePath: this.path, mode, publicUrl: null });
    const { access, ledger, others } = this.#site.desk;
    const site = this.#site;
    const workers = { count: threads, threads: trackerThreads(() => site.share()) };
    const listen = [{ ip: LOCAL, port: 0 }];
    this.#server = await TrackerServer.open(this.#env, { listen, access, ledger, others, workers });
    this.#site.attach(this.#server);
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    await this.#site?.close();
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.stop();
    await this.#env.close();
    await rm(this.#folder, { recursive: true });
  }
}

/** As a command on the same machine changes the state folder. */
export async function besides<T>(stage: Stage, act: (site: Awaited<ReturnType<SiteStage['open']>>) => T): Promise<T> {
  const other = new SiteStage(stage.path);
  try {
    return act(await other.open());
  } finally {
    other.close();
  }
}

/** A seed that starts. */
export const announceOf = (infoHash: Uint8Array, changes: Partial<AnnounceRequest> = {}): AnnounceRequest =>
  request({ infoHash, left: 0, ...changes });

export async function publish(at: Stage, token: string, body: Uint8Array): Promise<Told> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${at.base}/api/torrents`, { method: 'POST', headers, body: new Uint8Array(body) });
  expect(response.status).toBeLessThan(300);
  return ((await response.json()) as { torrent: Told }).torrent;
}
