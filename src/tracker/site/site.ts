// The site's memory as one: database, catalogue, accounts, lists, and what is due from time to time.

import type { AccessMemory } from './access-gate.ts';
import { AccessTables } from './access-tables.ts';
import { Lists } from './lists.ts';
import type { SiteWorld } from './names.ts';
import { migrate } from './schema.ts';
import { Search } from './search.ts';
import { Database } from './sqlite.ts';
import { Tokens } from './tokens.ts';
import { type CatalogueTorrent, swarmHashes, Torrents } from './torrents.ts';
import { Totals } from './totals.ts';
import { Users } from './users.ts';

export interface SwarmCounts {
  readonly seeds: number;
  readonly leeches: number;
}

/** Asks the tracker what its swarms have, in the order of the info hashes (20 bytes each). May reject: not now. */
export type CountSwarms = (hashes: readonly Uint8Array[]) => Promise<readonly SwarmCounts[]>;

/** Torrents whose swarms are counted in one go. */
const COUNTED_AT_ONCE = 1000;

export class Site {
  readonly torrents: Torrents;
  readonly search: Search;
  readonly users: Users;
  readonly tokens: Tokens;
  readonly lists: Lists;
  readonly totals: Totals = new Totals();
  readonly #database: Database;
  readonly #tables: AccessTables;
  #foreignVersion: number;

  /** `replaced`: gates have to go over to other memory. Errors: those of {@link Database.open}, STATE_VERSION. */
  static async open(path: string, world: SiteWorld, replaced: (memory: AccessMemory) => void): Promise<Site> {
    const database = await Database.open(path);
    try {
      migrate(database);
      return new Site(database, world, replaced);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  private constructor(database: Database, world: SiteWorld, replaced: (memory: AccessMemory) => void) {
    const seed = (): number => new DataView(world.randomBytes(4).slice().buffer).getUint32(0);
    this.#database = database;
    this.#foreignVersion = database.run(() => database.foreignVersion());
    this.#tables = new AccessTables(database, seed, replaced);
    this.torrents = new Torrents(database, this.#tables, world);
    this.search = new Search(database);
    this.users = new Users(database, this.#tables, world);
    this.tokens = new Tokens(database, world);
    this.lists = new Lists(database, this.#tables, world);
  }

  get accessMemory(): AccessMemory {
    return this.#tables.memory;
  }

  /** Bytes of the database, what is free in it included. */
  get sizeBytes(): number {
    const pragma = (name: string): number =>
      this.#database.run(() => Number(this.#database.sql(`PRAGMA ${name}`).get()?.[name] ?? 0));
    return pragma('page_count') * pragma('page_size');
  }

  /** Takes over what another process (a command on the same state folder) has changed. True: there was something. */
  followOthers(): boolean {
    const version = this.#database.run(() => this.#database.foreignVersion());
    if (version === this.#foreignVersion) return false;
    this.#foreignVersion = version;
    this.#tables.reload();
    this.tokens.reload();
    return true;
  }

  /** Writes what users' clients have said since the last call. */
  writeTotals(): void {
    const added = this.totals.take();
    if (added.size > 0) this.users.addTotals(added);
  }

  /** Counts all swarms, for searches that filter or sort by them; shows what changed to the database in steps. */
  async countSwarms(count: CountSwarms, signal: AbortSignal): Promise<void> {
    let after = 0;
    while (!signal.aborted) {
      const some = this.torrents.some(after, COUNTED_AT_ONCE);
      if (some.length === 0) return;
      after = some.at(-1)!.id;
      const counted = await countTorrents(some, count);
      if (signal.aborted) return;
      const changed = some
        .map((torrent, i) => ({ id: torrent.id, before: torrent, ...counted[i]! }))
        .filter(({ before, seeds, leeches }) => before.seeds !== seeds || before.leeches !== leeches);
      this.torrents.setCounts(changed);
    }
  }

  close(): void {
    this.writeTotals();
    this.#database.close();
  }
}

/**
 * Counts of torrents as they are now, or where that cannot be had as they were last. Of a hybrid's two swarms, which
 * mostly have the same peers, the larger numbers.
 */
export async function countTorrents(
  torrents: readonly CatalogueTorrent[],
  count: CountSwarms,
): Promise<readonly SwarmCounts[]> {
  const hashes = torrents.map(swarmHashes);
  let counts: readonly SwarmCounts[];
  try {
    counts = await count(hashes.flat());
  } catch {
    return torrents;
  }
  let at = 0;
  return hashes.map(({ length }) => {
    const own = counts.slice(at, at + length);
    at += length;
    return {
      seeds: Math.max(0, ...own.map(({ seeds }) => seeds)),
      leeches: Math.max(0, ...own.map(({ leeches }) => leeches)),
    };
  });
}
