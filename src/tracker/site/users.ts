// Users of a private tracker: each has a passkey, which is part of the announce URL, and totals.
//
// Passkeys lie in the database as they are, not hashed: they are compared on every announce, written into the torrent files
// that a user fetches, and open nothing but announces and the catalogue (docs/decisions/0011).

import { toHex } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import { PASSKEY_BYTES } from './access-gate.ts';
import { checkName, MAX_USERS, nowSeconds } from './names.ts';
import { SiteRows } from './site-rows.ts';
import type { Row } from './sqlite.ts';

export interface User {
  readonly name: string;
  /** 32 hex digits. */
  readonly passkey: string;
  /** Bytes, as clients say. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Uploaded by downloaded; null where nothing was downloaded. */
  readonly ratio: number | null;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** The last announce; null: never. */
  readonly seenAt: number | null;
}

const COLUMNS = 'name, passkey, uploaded, downloaded, created_at, seen_at';

export class Users extends SiteRows {
  /** NAME_TAKEN, REQUEST_INVALID. */
  add(name: string): User {
    checkName(name);
    const passkey = this.world.randomBytes(PASSKEY_BYTES);
    const id = this.database.transaction(() => {
      if (this.#row(name)) throw new ShoalError('NAME_TAKEN', `there is a user '${name}' already`);
      if (this.count() >= MAX_USERS) throw new ShoalError('REQUEST_INVALID', `there are ${MAX_USERS} users already`);
      const insert = this.database.sql('INSERT INTO users (name, passkey, created_at) VALUES (?, ?, ?)');
      return Number(insert.run(name, passkey, nowSeconds(this.world)).lastInsertRowid);
    });
    this.tables.set('passkeys', passkey, id);
    return this.get(name);
  }

  /** NAME_UNKNOWN. */
  get(name: string): User {
    const row = this.#row(name);
    if (!row) throw unknown(name);
    return userOf(row);
  }

  hasPasskey(passkey: Uint8Array): boolean {
    const select = this.database.sql('SELECT 1 FROM users WHERE passkey = ?');
    return this.database.run(() => select.get(passkey)) !== undefined;
  }

  /** In the order of their names, `after` one of them. */
  list(after: string, limit: number): User[] {
    const select = this.database.sql(`SELECT ${COLUMNS} FROM users WHERE name > ? ORDER BY name LIMIT ?`);
    return this.database.run(() => select.all(after, limit)).map(userOf);
  }

  count(): number {
    return this.database.run(() => Number(this.database.sql('SELECT count(*) AS n FROM users').get()!.n));
  }

  /** A new passkey; the old one opens nothing any more. NAME_UNKNOWN. */
  reset(name: string): User {
    const passkey = this.world.randomBytes(PASSKEY_BYTES);
    const { id, before } = this.database.transaction(() => {
      const row = this.#row(name);
      if (!row) throw unknown(name);
      this.database.sql('UPDATE users SET passkey = ? WHERE name = ?').run(passkey, name);
      return { id: row.id as number, before: row.passkey as Uint8Array };
    });
    this.tables.delete('passkeys', before);
    this.tables.set('passkeys', passkey, id);
    return this.get(name);
  }

  /** NAME_UNKNOWN. */
  remove(name: string): void {
    const row = this.database.transaction(() => {
      const found = this.#row(name);
      if (!found) throw unknown(name);
      this.database.sql('DELETE FROM users WHERE name = ?').run(name);
      return found;
    });
    this.tables.delete('passkeys', row.passkey as Uint8Array);
  }

  /** Adds to the totals of users by their numbers, all in one transaction; users that are gone are passed over. */
  addTotals(totals: ReadonlyMap<number, { readonly uploaded: number; readonly downloaded: number }>): void {
    const now = nowSeconds(this.world);
    this.database.transaction(() => {
      // Sums stay numbers that can be told exactly.
      const add = this.database.sql(
        `UPDATE users SET uploaded = min(uploaded + ?, ${Number.MAX_SAFE_INTEGER}),
           downloaded = min(downloaded + ?, ${Number.MAX_SAFE_INTEGER}), seen_at = ? WHERE id = ?`,
      );
      for (const [id, { uploaded, downloaded }] of totals) add.run(uploaded, downloaded, now, id);
    });
  }

  #row(name: string): Row | undefined {
    const select = this.database.sql(`SELECT id, ${COLUMNS} FROM users WHERE name = ?`);
    return this.database.run(() => select.get(name));
  }
}

function userOf(row: Row): User {
  const [uploaded, downloaded] = [row.uploaded as number, row.downloaded as number];
  return {
    name: row.name as string,
    passkey: toHex(row.passkey as Uint8Array),
    uploaded,
    downloaded,
    ratio: downloaded === 0 ? null : uploaded / downloaded,
    createdAt: row.created_at as number,
    seenAt: row.seen_at as number | null,
  };
}

function unknown(name: string): ShoalError {
  return new ShoalError('NAME_UNKNOWN', `there is no user '${name}'`);
}
