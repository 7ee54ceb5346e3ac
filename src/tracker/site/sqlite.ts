// A SQLite file: Node's own SQLite where it has one, else the same library as a package. Synchronous: used in a thread
// of its own, or by a command that has nothing else to do.

import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { describeError, ShoalError } from '../../base/errors.ts';
import { fileError } from '../../platform/node/system-errors.ts';

export type SqlValue = null | number | bigint | string | Uint8Array;
export type Row = Readonly<Record<string, SqlValue>>;

/** A prepared statement, kept for the life of the database. */
export interface Statement {
  run(...values: readonly SqlValue[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint };
  get(...values: readonly SqlValue[]): Row | undefined;
  all(...values: readonly SqlValue[]): Row[];
  iterate(...values: readonly SqlValue[]): IterableIterator<Row>;
}

interface RawDatabase {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface Driver {
  readonly DatabaseSync: new (path: string) => RawDatabase;
}

/** Another process that writes (a command beside the tracker) is waited for. */
const BUSY_MS = 5000;
/** Primary result codes of SQLite. */
const BUSY = 5;
const READONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

export class Database {
  readonly #raw: RawDatabase;
  readonly #path: string;
  readonly #statements = new Map<string, Statement>();

  /** Opens the file, made if it is not there, readable by its owner only. STATE_INVALID, PERMISSION, READ_ONLY, IO. */
  static async open(path: string): Promise<Database> {
    const { DatabaseSync } = await loadDriver();
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      closeSync(openSync(path, 'a', 0o600));
    } catch (error) {
      throw fileError(error, `open the database "${path}"`);
    }
    let raw: RawDatabase | null = null;
    try {
      raw = new DatabaseSync(path);
      // FULL: what was answered survives a loss of power, at one fsync a publish. What is deleted is overwritten.
      raw.exec(
        `PRAGMA busy_timeout=${BUSY_MS}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;
         PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF; PRAGMA cache_size=-32000`,
      );
      return new Database(raw, path);
    } catch (error) {
      raw?.close();
      throw sqlError(error, path);
    }
  }

  private constructor(raw: RawDatabase, path: string) {
    this.#raw = raw;
    this.#path = path;
  }

  exec(sql: string): void {
    this.run(() => this.#raw.exec(sql));
  }

  /** The statement for this text, prepared once. Texts come from the program, never from outside: there are few. */
  sql(text: string): Statement {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.run(() => this.#raw.prepare(text));
      this.#statements.set(text, statement);
    }
    return statement;
  }

  /** All of `act` or nothing of it. Waits for other writers first, so that it cannot fail for them in the middle. */
  transaction<T>(act: () => T): T {
    return this.run(() => {
      this.#raw.exec('BEGIN IMMEDIATE');
      try {
        const out = act();
        this.#raw.exec('COMMIT');
        return out;
      } catch (error) {
        this.#rollback();
        throw error;
      }
    });
  }

  /** Turns what SQLite throws into a ShoalError. */
  run<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw sqlError(error, this.#path);
    }
  }

  /** Changes when, and only when, another connection has changed the file. */
  foreignVersion(): number {
    return Number(this.sql('PRAGMA data_version').get()?.data_version ?? 0);
  }

  close(): void {
    this.#statements.clear();
    this.#raw.close();
  }

  /** SQLite has rolled back by itself after some faults. */
  #rollback(): void {
    try {
      this.#raw.exec('ROLLBACK');
    } catch {
      // The fault that led here is the one to tell.
    }
  }
}

async function loadDriver(): Promise<Driver> {
  const own = process.getBuiltinModule?.('node:sqlite') as Driver | undefined;
  if (own !== undefined) return own;
  try {
    return (await import('@photostructure/sqlite')) as unknown as Driver;
  } catch (error) {
    const text =
      'this Node has no SQLite, and the package @photostructure/sqlite is missing: use Node 24 or run npm ci';
    throw new ShoalError('IO', text, error);
  }
}

function sqlError(error: unknown, path: string): unknown {
  if (error instanceof ShoalError || !(error instanceof Error)) return error;
  const { errcode } = error as { errcode?: unknown };
  if (typeof errcode !== 'number') return error;
  const say = (code: ConstructorParameters<typeof ShoalError>[0], text: string): ShoalError =>
    new ShoalError(code, `the database "${path}" ${text}`, error);
  switch (errcode & 0xff) {
    case FULL:
      return say('DISK_FULL', 'cannot grow: the disk is full');
    case READONLY:
      return say('READ_ONLY', 'cannot be written');
    case CANTOPEN:
      return say('PERMISSION', 'cannot be opened');
    case CORRUPT:
    case NOTADB:
      return say('STATE_INVALID', 'is damaged: put a copy in its place, or move it away to begin anew');
    case BUSY:
      return say('IO', 'is in use by another program: try again');
    default:
      return say('IO', `failed: ${describeError(error)}`);
  }
}
