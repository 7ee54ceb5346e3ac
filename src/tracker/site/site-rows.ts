// What catalogue, users and lists have in common: rows in the database, and tables that gates decide by, kept in step.

import type { AccessTables } from './access-tables.ts';
import type { SiteWorld } from './names.ts';
import type { Database } from './sqlite.ts';

export class SiteRows {
  protected readonly database: Database;
  /** Changed after the database, so that nothing is allowed that is not written. */
  protected readonly tables: AccessTables;
  protected readonly world: SiteWorld;

  constructor(database: Database, tables: AccessTables, world: SiteWorld) {
    this.database = database;
    this.tables = tables;
    this.world = world;
  }
}
