// Tokens that open the API: `publish` may register torrents, `admin` may do everything. Only their hashes are kept.

import { createHash, timingSafeEqual } from 'node:crypto';
import { toHex, utf8 } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import { checkName, MAX_TOKENS, nowSeconds, type SiteWorld } from './names.ts';
import type { Database } from './sqlite.ts';

export type Role = 'publish' | 'admin';

export const ROLES: readonly Role[] = ['publish', 'admin'];

export interface Token {
  readonly name: string;
  readonly role: Role;
  /** Seconds since 1970. */
  readonly createdAt: number;
}

/** 160 random bits: nobody guesses one, so that a plain hash is enough. */
const SECRET_BYTES = 20;
/** Says in a log or a file what it is. */
const PREFIX = 'shoal_';

export class Tokens {
  readonly #database: Database;
  readonly #world: SiteWorld;
  #known: readonly { readonly token: Token; readonly hash: Uint8Array }[] = [];

  constructor(database: Database, world: SiteWorld) {
    this.#database = database;
    this.#world = world;
    this.reload();
  }

  /** Another process may have changed them. */
  reload(): void {
    const select = this.#database.sql('SELECT name, hash, role, created_at FROM tokens ORDER BY name');
    this.#known = this.#database
      .run(() => select.all())
      .map(({ name, hash, role, created_at }) => ({
        token: { name: name as string, role: role as Role, createdAt: created_at as number },
        hash: hash as Uint8Array,
      }));
  }

  list(): Token[] {
    return this.#known.map(({ token }) => token);
  }

  /** The only time that the secret is seen. NAME_TAKEN, REQUEST_INVALID. */
  add(name: string, role: Role): { readonly token: Token; readonly secret: string } {
    checkName(name);
    const secret = PREFIX + toHex(this.#world.randomBytes(SECRET_BYTES));
    const token: Token = { name, role, createdAt: nowSeconds(this.#world) };
    this.#database.transaction(() => {
      if (this.#database.sql('SELECT 1 FROM tokens WHERE name = ?').get(name)) {
        throw new ShoalError('NAME_TAKEN', `there is a token '${name}' already`);
      }
      if (this.#known.length >= MAX_TOKENS) {
        throw new ShoalError('REQUEST_INVALID', `there are ${MAX_TOKENS} tokens already; remove some`);
      }
      const insert = this.#database.sql('INSERT INTO tokens (name, hash, role, created_at) VALUES (?, ?, ?, ?)');
      insert.run(name, hashOf(secret), role, token.createdAt);
    });
    this.reload();
    return { token, secret };
  }

  /** NAME_UNKNOWN. */
  remove(name: string): void {
    const remove = this.#database.sql('DELETE FROM tokens WHERE name = ?');
    const { changes } = this.#database.transaction(() => remove.run(name));
    if (Number(changes) === 0) throw new ShoalError('NAME_UNKNOWN', `there is no token '${name}'`);
    this.reload();
  }

  /** The token that this is the secret of; null for no one's. Takes as long whatever the secret is. */
  find(secret: string): Token | null {
    const hash = hashOf(secret);
    let found: Token | null = null;
    for (const known of this.#known) if (timingSafeEqual(known.hash, hash)) found = known.token;
    return found;
  }
}

function hashOf(secret: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(utf8(secret)).digest());
}
