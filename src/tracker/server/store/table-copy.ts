// What the store says of swarms, written into the swarm table.

import type { SwarmAnswer } from '../../../ports/swarm-store.ts';
import { CHANGE_GONE, ChangeReader } from '../../protocol/swarm-changes.ts';
import type { SwarmTable } from '../swarm-table.ts';
import type { PendingChanges } from './pending-changes.ts';
import { roleOfChange } from './roles.ts';

export class TableCopy {
  readonly #table: SwarmTable;
  readonly #pending: PendingChanges;
  /**
   * No other thread writes to the table. Where others do, completions that they have still to tell are in it too: then its
   * count is not told but after an outage, and not lowered.
   */
  readonly #isAlone: boolean;

  constructor(table: SwarmTable, pending: PendingChanges) {
    this.#table = table;
    this.#pending = pending;
    this.#isAlone = table.shared === null;
  }

  /** Completions that the store is to know of, but for those that are still to be told; before any of these is taken. */
  completedToTell(swarm: number, infoHash: Uint8Array): number {
    return this.#isAlone ? Math.max(0, this.#completed(infoHash) - this.#pending.completingOf(swarm)) : 0;
  }

  /**
   * Writes what others changed, but for peers that were heard here since. `swarm`: as it is pending. `told`: completions that
   * the store was told of, or that came with the changes.
   */
  apply(swarm: number, infoHash: Uint8Array, told: number, { changes, completed }: SwarmAnswer, nowS: number): void {
    const table = this.#table;
    const pending = this.#pending;
    const reader = new ChangeReader(changes);
    while (reader.next()) {
      const { role, ip, port } = reader;
      if (port === 0 || (pending.countOf(swarm) > 0 && pending.has(swarm, ip, port))) continue;
      const heardS = nowS - reader.ageS;
      if (role === CHANGE_GONE) table.leave(infoHash, ip, port, nowS);
      else table.announce(infoHash, ip, port, roleOfChange(role), false, heardS);
      table.exit();
    }
    const known = this.#completed(infoHash);
    // What has been counted here since it was told stays, also of peers that the store never hears of.
    const sum = this.#isAlone
      ? Math.max(0, known + completed - told)
      : Math.max(known, completed + pending.completingOf(swarm));
    if (sum === known) return;
    table.restore(infoHash, sum, nowS);
    table.exit();
  }

  /** Whether anybody is in a swarm, or was. */
  has(infoHash: Uint8Array): boolean {
    const swarm = this.#table.find(infoHash);
    this.#table.exit();
    return swarm >= 0;
  }

  #completed(infoHash: Uint8Array): number {
    const table = this.#table;
    const swarm = table.find(infoHash);
    const completed = swarm < 0 ? 0 : table.completed(swarm);
    table.exit();
    return completed;
  }
}
