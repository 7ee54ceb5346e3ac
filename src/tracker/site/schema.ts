// The tables of the site's database, and how an older file becomes a newer one.

import { ShoalError } from '../../base/errors.ts';
import type { Database } from './sqlite.ts';

/**
 * Step n takes a file from version n to n + 1, in one transaction. A step that was published never changes.
 *
 *   torrents ─┬─ torrent_bodies   what the served file has behind its trackers
 *             ├─ torrent_files    paths and lengths
 *             └─ torrent_texts    what is searched; `words` is its full-text index, kept in step by triggers
 *   users    tokens    listed
 */
const STEPS: readonly string[] = [
  `CREATE TABLE torrents (
     id INTEGER PRIMARY KEY,
     hash_v1 BLOB UNIQUE,
     hash_v2 BLOB UNIQUE,
     name TEXT NOT NULL,
     comment TEXT NOT NULL,
     size INTEGER NOT NULL,
     piece_length INTEGER NOT NULL,
     file_count INTEGER NOT NULL,
     private INTEGER NOT NULL,
     created_at INTEGER,
     published_at INTEGER NOT NULL,
     publisher TEXT NOT NULL,
     trackers TEXT NOT NULL,
     seeds INTEGER NOT NULL DEFAULT 0,
     leeches INTEGER NOT NULL DEFAULT 0
   );
   -- Each has all that is filtered by: a search that finds little need not look at the rows.
   CREATE INDEX torrents_by_date ON torrents (published_at, id, size, seeds);
   CREATE INDEX torrents_by_size ON torrents (size, id, published_at, seeds);
   CREATE INDEX torrents_by_seeds ON torrents (seeds, id, published_at, size);
   CREATE TABLE torrent_bodies (
     id INTEGER PRIMARY KEY REFERENCES torrents ON DELETE CASCADE,
     body BLOB NOT NULL
   );
   CREATE TABLE torrent_files (
     torrent INTEGER NOT NULL REFERENCES torrents ON DELETE CASCADE,
     number INTEGER NOT NULL,
     path TEXT NOT NULL,
     length INTEGER NOT NULL,
     PRIMARY KEY (torrent, number)
   ) WITHOUT ROWID;
   CREATE TABLE torrent_texts (
     id INTEGER PRIMARY KEY REFERENCES torrents ON DELETE CASCADE,
     name TEXT NOT NULL,
     files TEXT NOT NULL,
     comment TEXT NOT NULL
   );
   CREATE VIRTUAL TABLE words USING fts5 (
     name, files, comment,
     content='torrent_texts', content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='3'
   );
   INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
   CREATE TRIGGER torrent_texts_in AFTER INSERT ON torrent_texts BEGIN
     INSERT INTO words (rowid, name, files, comment) VALUES (new.id, new.name, new.files, new.comment);
   END;
   CREATE TRIGGER torrent_texts_out AFTER DELETE ON torrent_texts BEGIN
     INSERT INTO words (words, rowid, name, files, comment)
       VALUES ('delete', old.id, old.name, old.files, old.comment);
   END;
   CREATE TABLE users (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     name TEXT NOT NULL UNIQUE COLLATE NOCASE,
     passkey BLOB NOT NULL UNIQUE,
     uploaded INTEGER NOT NULL DEFAULT 0,
     downloaded INTEGER NOT NULL DEFAULT 0,
     created_at INTEGER NOT NULL,
     seen_at INTEGER
   );
   CREATE TABLE tokens (
     name TEXT NOT NULL PRIMARY KEY COLLATE NOCASE,
     hash BLOB NOT NULL UNIQUE,
     role TEXT NOT NULL,
     created_at INTEGER NOT NULL
   );
   CREATE TABLE listed (
     list TEXT NOT NULL,
     info_hash BLOB NOT NULL,
     note TEXT NOT NULL,
     added_at INTEGER NOT NULL,
     PRIMARY KEY (list, info_hash)
   ) WITHOUT ROWID;`,
];

/** Brings the file up to date. STATE_VERSION where a newer Shoal wrote it: nothing is touched then. */
export function migrate(database: Database): void {
  const found = versionOf(database);
  if (found > STEPS.length) {
    throw new ShoalError('STATE_VERSION', `the tracker's database was written by a newer Shoal (version ${found})`);
  }
  if (found === STEPS.length) return;
  database.transaction(() => {
    // Another process may have been faster.
    for (let version = versionOf(database); version < STEPS.length; version++) {
      database.exec(STEPS[version]!);
      database.exec(`PRAGMA user_version=${version + 1}`);
    }
  });
}

function versionOf(database: Database): number {
  return database.run(() => Number(database.sql('PRAGMA user_version').get()?.user_version ?? 0));
}
