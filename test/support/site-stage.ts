// A site on a SQLite file of its own in a temporary folder, and torrents to publish: for tests.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AccessMemory } from '../../src/tracker/site/access-gate.ts';
import { DATABASE_NAME } from '../../src/tracker/site/database-name.ts';
import { Site } from '../../src/tracker/site/site.ts';
import { type Members, single, torrent } from './plain-torrents.ts';

/** A valid torrent file; the name makes its info hash. */
export function torrentNamed(name: string, lengthBytes = 5, outer: Members = {}, inner: Members = {}): Uint8Array {
  const pieceLength = 2 ** Math.max(14, Math.ceil(Math.log2(lengthBytes)));
  return torrent({ ...single, name, length: lengthBytes, 'piece length': pieceLength, ...inner }, outer);
}

export class SiteStage {
  readonly folder: string;
  readonly path: string;
  readonly #isOwn: boolean;
  nowMs = 1_700_000_000_000;
  /** What gates were last told to go over to. */
  memory: AccessMemory | null = null;
  readonly #sites: Site[] = [];

  /** `path`: the database of another; default: one of its own. */
  constructor(path: string | null = null) {
    this.#isOwn = path === null;
    this.folder = path === null ? mkdtempSync(join(tmpdir(), 'shoal-site-')) : dirname(path);
    this.path = path ?? join(this.folder, DATABASE_NAME);
  }

  /** Another connection to the same file, as another process has it. */
  async open(): Promise<Site> {
    const world = { nowMs: () => this.nowMs, randomBytes: (length: number) => new Uint8Array(randomBytes(length)) };
    const site = await Site.open(this.path, world, (memory) => {
      this.memory = memory;
    });
    this.#sites.push(site);
    return site;
  }

  close(): void {
    for (const site of this.#sites) site.close();
    if (this.#isOwn) rmSync(this.folder, { recursive: true, force: true });
  }
}
