// Finding torrents: full-text, ranked, filtered, sorted, a page at a time. What one search looks at is bounded.

import { searchExpression } from './search-words.ts';
import type { Database, Row, SqlValue } from './sqlite.ts';
import { type CatalogueTorrent, TORRENT_COLUMNS, torrentOf } from './torrents.ts';

/** `relevance` needs words; without any it means `date`. */
export type SortKey = 'relevance' | 'date' | 'size' | 'seeds';

export const SORT_KEYS: readonly SortKey[] = ['relevance', 'date', 'size', 'seeds'];

export interface SearchQuery {
  /** As {@link searchExpression} reads it; empty: everything. */
  readonly words: string;
  readonly minSize?: number | undefined;
  readonly maxSize?: number | undefined;
  /** Published in this time: seconds since 1970. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly minSeeds?: number | undefined;
  readonly sort: SortKey;
  /** Smallest, oldest first. */
  readonly ascending: boolean;
  readonly offset: number;
  readonly limit: number;
}

export interface SearchResult {
  readonly torrents: readonly CatalogueTorrent[];
  /** How many there are. */
  readonly total: number;
  /** False: there are `total` or more. */
  readonly isExact: boolean;
}

/** Torrents with the words that are ranked: the newest so many. Whoever has more hits has to say more. */
export const MAX_RANKED = 5000;
/** Pages end here: skipping costs as much as reading. */
export const MAX_OFFSET = 5000;
export const MAX_PAGE = 100;

/** A word in the name says more than one in a file's name, and that more than one in a comment. */
const HITS = `SELECT rowid AS id, bm25(words, 10.0, 2.0, 1.0) AS score FROM words WHERE words MATCH ?
  ORDER BY rowid DESC LIMIT ${MAX_RANKED}`;

const SORT_COLUMNS = { date: 't.published_at', size: 't.size', seeds: 't.seeds' } as const;

export class Search {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  find(query: SearchQuery): SearchResult {
    const { sql, values, countSql, countValues } = searchStatements(query);
    return this.#database.run(() => {
      const rows: Row[] = this.#database.sql(sql).all(...values);
      const total = Number(this.#database.sql(countSql).get(...countValues)!.n);
      return { torrents: rows.map(torrentOf), total: Math.min(total, MAX_RANKED), isExact: total < MAX_RANKED };
    });
  }
}

/** The statements of a search: their texts are of a fixed set, all that was typed is in the values. */
export function searchStatements(query: SearchQuery): {
  readonly sql: string;
  readonly values: readonly SqlValue[];
  readonly countSql: string;
  readonly countValues: readonly SqlValue[];
} {
  const words = searchExpression(query.words);
  const filters = filtersOf(query);
  const where = filters.length === 0 ? '' : ` WHERE ${filters.map(([condition]) => condition).join(' AND ')}`;
  const from = words === null ? 'torrents t' : `(${HITS}) hit JOIN torrents t ON t.id = hit.id`;
  const values: SqlValue[] = [...(words === null ? [] : [words]), ...filters.map(([, value]) => value)];
  const page = [query.limit, query.offset];
  return {
    sql: `SELECT ${TORRENT_COLUMNS} FROM ${from}${where} ORDER BY ${orderOf(query, words !== null)} LIMIT ? OFFSET ?`,
    values: [...values, ...page],
    countSql: `SELECT count(*) AS n FROM (SELECT 1 FROM ${from}${where} LIMIT ${MAX_RANKED})`,
    countValues: values,
  };
}

function filtersOf(query: SearchQuery): (readonly [condition: string, value: number])[] {
  const all = [
    ['t.size >= ?', query.minSize],
    ['t.size <= ?', query.maxSize],
    ['t.published_at >= ?', query.since],
    ['t.published_at <= ?', query.until],
    ['t.seeds >= ?', query.minSeeds],
  ] as const;
  return all.flatMap(([condition, value]) => (value === undefined ? [] : [[condition, value] as const]));
}

/** The torrent's number decides between equals, so that pages do not overlap. */
function orderOf({ sort, ascending }: SearchQuery, hasWords: boolean): string {
  if (sort === 'relevance' && hasWords) return 'hit.score, t.id DESC';
  const column = SORT_COLUMNS[sort === 'relevance' ? 'date' : sort];
  const direction = ascending ? 'ASC' : 'DESC';
  return `${column} ${direction}, t.id ${direction}`;
}
