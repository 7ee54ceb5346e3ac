// The catalogue: torrents that were published, their files, and the torrent files that are served.

import { toHex } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import { nowSeconds } from './names.ts';
import type { Published, PublishedFile } from './published.ts';
import { SiteRows } from './site-rows.ts';
import type { Row } from './sqlite.ts';

/** A torrent as lists show it. Times are seconds since 1970. */
export interface CatalogueTorrent {
  readonly id: number;
  readonly hashV1: Uint8Array | null;
  readonly hashV2: Uint8Array | null;
  readonly name: string;
  readonly comment: string;
  readonly lengthBytes: number;
  readonly pieceLengthBytes: number;
  readonly fileCount: number;
  readonly private: boolean;
  readonly createdAt: number | null;
  readonly publishedAt: number;
  readonly publisher: string;
  /** As the file said them. */
  readonly trackers: readonly (readonly string[])[];
  /** When the swarms were last counted; half a minute old at most. */
  readonly seeds: number;
  readonly leeches: number;
}

/** Of `torrents AS t`. */
export const TORRENT_COLUMNS: string =
  't.id, t.hash_v1, t.hash_v2, t.name, t.comment, t.size, t.piece_length, t.file_count, t.private, t.created_at, ' +
  't.published_at, t.publisher, t.trackers, t.seeds, t.leeches';

export class Torrents extends SiteRows {
  /** Registers it, in one transaction. `isNew` is false where it was registered before: nothing is changed then. */
  add(published: Published, publisher: string): { readonly torrent: CatalogueTorrent; readonly isNew: boolean } {
    const { hashV1, hashV2 } = published;
    const isNew = this.database.transaction(() => {
      if ([hashV1, hashV2].some((hash) => hash !== null && this.#row(hash))) return false;
      this.#insert(published, publisher);
      return true;
    });
    if (isNew) for (const hash of swarmHashes(published)) this.tables.set('published', hash);
    return { torrent: this.get((hashV1 ?? hashV2)!), isNew };
  }

  /** By its v1 or v2 info hash, or by the first 20 bytes of the latter. TORRENT_UNKNOWN. */
  get(hash: Uint8Array): CatalogueTorrent {
    const row = this.database.run(() => this.#row(hash));
    if (!row) throw new ShoalError('TORRENT_UNKNOWN', `no torrent ${toHex(hash)} is registered here`);
    return torrentOf(row);
  }

  files(id: number, offset: number, limit: number): PublishedFile[] {
    const select = this.database.sql(
      'SELECT path, length FROM torrent_files WHERE torrent = ? AND number >= ? ORDER BY number LIMIT ?',
    );
    return this.database
      .run(() => select.all(id, offset, limit))
      .map((row) => ({ path: row.path as string, lengthBytes: row.length as number }));
  }

  /** What {@link servedFile} takes. */
  body(id: number): Uint8Array {
    const row = this.database.run(() => this.database.sql('SELECT body FROM torrent_bodies WHERE id = ?').get(id));
    if (!row) throw new ShoalError('TORRENT_UNKNOWN', 'this torrent was removed just now');
    return row.body as Uint8Array;
  }

  /** Removes it with all that was kept of it; the space is overwritten. */
  remove(torrent: CatalogueTorrent): void {
    this.database.transaction(() => {
      for (const table of ['torrent_texts', 'torrent_bodies', 'torrents']) {
        this.database.sql(`DELETE FROM ${table} WHERE id = ?`).run(torrent.id);
      }
    });
    for (const hash of swarmHashes(torrent)) this.tables.delete('published', hash);
    // The log in front of the database has it too: its pages go where they belong, and it is cut to nothing.
    this.database.run(() => this.database.sql('PRAGMA wal_checkpoint(TRUNCATE)').get());
  }

  count(): number {
    return this.database.run(() => Number(this.database.sql('SELECT count(*) AS n FROM torrents').get()!.n));
  }

  /** Some torrents with a number above `after`, in that order, to count their swarms. */
  some(after: number, limit: number): CatalogueTorrent[] {
    const select = this.database.sql(`SELECT ${TORRENT_COLUMNS} FROM torrents t WHERE id > ? ORDER BY id LIMIT ?`);
    return this.database.run(() => select.all(after, limit)).map(torrentOf);
  }

  /** Notes what swarms had when they were counted. */
  setCounts(counts: readonly { readonly id: number; readonly seeds: number; readonly leeches: number }[]): void {
    if (counts.length === 0) return;
    const update = this.database.sql('UPDATE torrents SET seeds = ?, leeches = ? WHERE id = ?');
    this.database.transaction(() => {
      for (const { id, seeds, leeches } of counts) update.run(seeds, leeches, id);
    });
  }

  #insert(published: Published, publisher: string): void {
    const { hashV1, hashV2, name, comment, files, fileText } = published;
    const insert = this.database.sql(
      `INSERT INTO torrents (hash_v1, hash_v2, name, comment, size, piece_length, file_count, private, created_at,
         published_at, publisher, trackers) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const { lengthBytes, pieceLengthBytes, createdAt } = published;
    const [isPrivate, now, trackers] = [Number(published.private), nowSeconds(this.world), published.trackers];
    const about = [name, comment, lengthBytes, pieceLengthBytes, files.length, isPrivate, createdAt, now] as const;
    const id = insert.run(hashV1, hashV2, ...about, publisher, JSON.stringify(trackers)).lastInsertRowid;
    this.database.sql('INSERT INTO torrent_bodies (id, body) VALUES (?, ?)').run(id, published.body);
    const file = this.database.sql('INSERT INTO torrent_files (torrent, number, path, length) VALUES (?, ?, ?, ?)');
    files.forEach((each, number) => void file.run(id, number, each.path, each.lengthBytes));
    const text = this.database.sql('INSERT INTO torrent_texts (id, name, files, comment) VALUES (?, ?, ?, ?)');
    text.run(id, name, fileText, comment);
  }

  #row(hash: Uint8Array): Row | undefined {
    const column = hash.length === 32 ? 'hash_v2' : 'hash_v1';
    const found = this.database.sql(`SELECT ${TORRENT_COLUMNS} FROM torrents t WHERE ${column} = ?`).get(hash);
    if (found !== undefined || hash.length === 32) return found;
    // BLOBs that begin with these 20 bytes: the index finds them.
    const short = this.database.sql(`SELECT ${TORRENT_COLUMNS} FROM torrents t WHERE hash_v2 BETWEEN ? AND ?`);
    const [first, last] = [new Uint8Array(32), new Uint8Array(32).fill(0xff)];
    first.set(hash);
    last.set(hash);
    return short.get(first, last);
  }
}

/** What is announced for a torrent: 20 bytes each. A hybrid one has two swarms (BEP 52). */
export function swarmHashes(of: {
  readonly hashV1: Uint8Array | null;
  readonly hashV2: Uint8Array | null;
}): Uint8Array[] {
  return [of.hashV1, of.hashV2?.slice(0, 20) ?? null].filter((hash) => hash !== null);
}

/** A row with the {@link TORRENT_COLUMNS}. */
export function torrentOf(row: Row): CatalogueTorrent {
  return {
    id: row.id as number,
    hashV1: row.hash_v1 as Uint8Array | null,
    hashV2: row.hash_v2 as Uint8Array | null,
    name: row.name as string,
    comment: row.comment as string,
    lengthBytes: row.size as number,
    pieceLengthBytes: row.piece_length as number,
    fileCount: row.file_count as number,
    private: row.private === 1,
    createdAt: row.created_at as number | null,
    publishedAt: row.published_at as number,
    publisher: row.publisher as string,
    trackers: JSON.parse(row.trackers as string) as string[][],
    seeds: row.seeds as number,
    leeches: row.leeches as number,
  };
}
