// The allow-list and the deny-list: info hashes with a note of who wants it so, and why.

import { toHex } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import { nowSeconds } from './names.ts';
import { SiteRows } from './site-rows.ts';

export type ListName = 'allow' | 'deny';

export const LIST_NAMES: readonly ListName[] = ['allow', 'deny'];

export interface ListEntry {
  /** 40 hex digits. */
  readonly infoHash: string;
  readonly note: string;
  /** Seconds since 1970. */
  readonly addedAt: number;
}

/** Characters of a note. */
export const MAX_NOTE = 500;
/** As many as the tracker has swarms. */
const MAX_ENTRIES = 2_000_000;

export class Lists extends SiteRows {
  /** Adds an info hash, or changes its note. `infoHash`: 20 bytes, of v2 the first 20. */
  add(list: ListName, infoHash: Uint8Array, note: string): ListEntry {
    const entry = { infoHash: toHex(infoHash), note: note.slice(0, MAX_NOTE), addedAt: nowSeconds(this.world) };
    this.database.transaction(() => {
      if (this.count(list) >= MAX_ENTRIES) {
        throw new ShoalError('REQUEST_INVALID', `the list has ${MAX_ENTRIES} entries already`);
      }
      const insert = this.database.sql(
        'INSERT OR REPLACE INTO listed (list, info_hash, note, added_at) VALUES (?, ?, ?, ?)',
      );
      insert.run(list, infoHash, entry.note, entry.addedAt);
    });
    this.tables.set(list, infoHash);
    return entry;
  }

  /** TORRENT_UNKNOWN where it is not on the list. */
  remove(list: ListName, infoHash: Uint8Array): void {
    const remove = this.database.sql('DELETE FROM listed WHERE list = ? AND info_hash = ?');
    const { changes } = this.database.transaction(() => remove.run(list, infoHash));
    if (Number(changes) === 0) {
      throw new ShoalError('TORRENT_UNKNOWN', `${toHex(infoHash)} is not on the ${list}-list`);
    }
    this.tables.delete(list, infoHash);
  }

  /** In the order of the info hashes, those after `after` (empty: from the first). */
  list(list: ListName, after: Uint8Array, limit: number): ListEntry[] {
    const select = this.database.sql(
      'SELECT info_hash, note, added_at FROM listed WHERE list = ? AND info_hash > ? ORDER BY info_hash LIMIT ?',
    );
    return this.database
      .run(() => select.all(list, after, limit))
      .map((row) => ({
        infoHash: toHex(row.info_hash as Uint8Array),
        note: row.note as string,
        addedAt: row.added_at as number,
      }));
  }

  count(list: ListName): number {
    const select = this.database.sql('SELECT count(*) AS n FROM listed WHERE list = ?');
    return this.database.run(() => Number(select.get(list)!.n));
  }
}
