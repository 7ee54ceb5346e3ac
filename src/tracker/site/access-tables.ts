// The tables that gates decide by, written by the thread that has the database.

import type { AccessMemory } from './access-gate.ts';
import { PASSKEY_BYTES } from './access-gate.ts';
import { KeyTable } from './key-table.ts';
import type { Database } from './sqlite.ts';

export type AccessTableName = keyof AccessMemory;

const HASH_BYTES = 20;

/** What each table holds: keys, and the number of each. Hybrid torrents have two info hashes (BEP 52). */
const SOURCES: Readonly<Record<AccessTableName, string>> = {
  published: `SELECT hash_v1 AS key, 1 AS value FROM torrents WHERE hash_v1 IS NOT NULL
              UNION ALL SELECT substr(hash_v2, 1, 20), 1 FROM torrents WHERE hash_v2 IS NOT NULL`,
  allow: "SELECT info_hash AS key, 1 AS value FROM listed WHERE list = 'allow'",
  deny: "SELECT info_hash AS key, 1 AS value FROM listed WHERE list = 'deny'",
  passkeys: 'SELECT passkey AS key, id AS value FROM users',
};

export class AccessTables {
  readonly #database: Database;
  readonly #seed: () => number;
  readonly #replaced: (memory: AccessMemory) => void;
  #tables: Record<AccessTableName, KeyTable>;

  /** `seed` gives 32 random bits; `replaced` is called when gates have to go over to other memory. */
  constructor(database: Database, seed: () => number, replaced: (memory: AccessMemory) => void) {
    this.#database = database;
    this.#seed = seed;
    this.#replaced = replaced;
    this.#tables = this.#read();
  }

  get memory(): AccessMemory {
    const { published, allow, deny, passkeys } = this.#tables;
    return { published: published.memory, allow: allow.memory, deny: deny.memory, passkeys: passkeys.memory };
  }

  /** Call after the change is committed. */
  set(name: AccessTableName, key: Uint8Array, value = 1): void {
    if (this.#tables[name].set(key, value)) return;
    const larger = this.#tables[name].enlarged();
    larger.set(key, value);
    this.#tables[name] = larger;
    this.#replaced(this.memory);
  }

  delete(name: AccessTableName, key: Uint8Array): void {
    this.#tables[name].delete(key);
  }

  /** Another process has changed the database. */
  reload(): void {
    this.#tables = this.#read();
    this.#replaced(this.memory);
  }

  #read(): Record<AccessTableName, KeyTable> {
    return this.#database.run(() => ({
      published: this.#readOne('published', HASH_BYTES),
      allow: this.#readOne('allow', HASH_BYTES),
      deny: this.#readOne('deny', HASH_BYTES),
      passkeys: this.#readOne('passkeys', PASSKEY_BYTES),
    }));
  }

  #readOne(name: AccessTableName, keyBytes: number): KeyTable {
    let table = KeyTable.create(keyBytes, 64, this.#seed());
    for (const row of this.#database.sql(SOURCES[name]).iterate()) {
      const key = row.key as Uint8Array;
      while (!table.set(key, row.value as number)) table = table.enlarged();
    }
    return table;
  }
}
