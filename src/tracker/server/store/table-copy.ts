// What the store says of swarms, written into the swarm table.

import type { SwarmAnswer } from '../../../ports/swarm-store.ts';
import { CHANGE_GONE, ChangeReader } from '../../protocol/swarm-changes.ts';
import type { SwarmTable } from '../table/swarm-table.ts';
import type { FarPeers } from './far-peers.ts';
import type { PendingChanges } from './pending-changes.ts';
import { roleOfChange } from './roles.ts';
import type { UntoldCompletions } from './untold-completions.ts';

export class TableCopy {
  readonly #table: SwarmTable;
  readonly #pending: PendingChanges;
  readonly #untold: UntoldCompletions;
  readonly #far: FarPeers;

  constructor(table: SwarmTable, pending: PendingChanges, untold: UntoldCompletions, far: FarPeers) {
    this.#table = table;
    this.#pending = pending;
    this.#untold = untold;
    this.#far = far;
  }

  /** Completions that the store is to know of, but for those that a thread is still to tell it. */
  completedToTell(infoHash: Uint8Array): number {
    const table = this.#table;
    const swarm = table.find(infoHash);
    const untold = swarm < 0 ? 0 : this.#untold.of(infoHash);
    const completed = swarm < 0 || untold < 0 ? 0 : table.completed(swarm);
    table.exit();
    return Math.max(0, completed - untold);
  }

  /**
   * Writes what others changed, but for peers that were heard here since. `swarm`: as it is pending. `told`: completions of which
   * this thread has told the store with the changes.
   */
  apply(swarm: number, infoHash: Uint8Array, told: number, { changes, completed }: SwarmAnswer, nowS: number): void {
    const table = this.#table;
    const pending = this.#pending;
    const reader = new ChangeReader(changes);
    while (reader.next()) {
      const { role, ip, port } = reader;
      if (reader.isWeb) {
        this.#applyFar(infoHash, reader, nowS);
        continue;
      }
      if (port === 0 || (pending.countOf(swarm) > 0 && pending.has(swarm, ip, port))) continue;
      const heardS = nowS - reader.ageS;
      if (role === CHANGE_GONE) table.leave(infoHash, ip, port, nowS);
      else table.announce(infoHash, ip, port, roleOfChange(role), false, heardS);
      table.exit();
    }
    table.restore(infoHash, (known) => this.#completed(infoHash, known, told, completed), nowS);
    table.exit();
  }

  /** A peer of another tracker. Those of its connections a tracker tells, and is not told. */
  #applyFar(infoHash: Uint8Array, { role, ip, port, ageS }: ChangeReader, nowS: number): void {
    if (role === CHANGE_GONE) this.#far.forget(infoHash, ip, port, nowS);
    else this.#far.note(infoHash, ip, port, roleOfChange(role), nowS - ageS);
  }

  /** Completions that this thread would have told the store, and cannot: they are told with the count of the table. */
  cannotTell(infoHash: Uint8Array, count: number): void {
    if (count > 0) this.#untold.change(infoHash, -count);
  }

  /** Whether anybody is in a swarm, or was. */
  has(infoHash: Uint8Array): boolean {
    const swarm = this.#table.find(infoHash);
    this.#table.exit();
    return swarm >= 0;
  }

  /** What the store counts, and what is still to be told. Of those that it was told of another tracker may have told it before. */
  #completed(infoHash: Uint8Array, known: number, told: number, counted: number): number {
    const untold = this.#untold.of(infoHash);
    if (told > 0) this.#untold.change(infoHash, -told);
    if (untold < 0) return known;
    return Math.max(known - untold, counted) + Math.max(0, untold - told);
  }
}
