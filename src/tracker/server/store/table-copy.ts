// What the store says of swarms, written into the swarm table.

import type { SwarmAnswer } from '../../../ports/swarm-store.ts';
import { CHANGE_GONE, ChangeReader, WEB_ID_LENGTH } from '../../protocol/swarm-changes.ts';
import type { SwarmTable } from '../table/swarm-table.ts';
import type { FarPeers } from './far-peers.ts';
import type { PendingChanges } from './pending-changes.ts';
import { roleOfChange } from './roles.ts';
import type { UntoldCompletions } from './untold-completions.ts';

/**
 * Takes a peer id from the connection of this thread that holds it in a swarm, and tells its client. False where none does. Both
 * are lent.
 */
export type GiveUp = (infoHash: Uint8Array, peerId: Uint8Array) => boolean;

export class TableCopy {
  readonly #table: SwarmTable;
  readonly #pending: PendingChanges;
  readonly #untold: UntoldCompletions;
  readonly #far: FarPeers;
  readonly #giveUp: GiveUp;

  constructor(table: SwarmTable, pending: PendingChanges, untold: UntoldCompletions, far: FarPeers, giveUp: GiveUp) {
    this.#table = table;
    this.#pending = pending;
    this.#untold = untold;
    this.#far = far;
    this.#giveUp = giveUp;
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
   * Writes what others changed, but for peers that were heard here since. `swarm`: as it is pending. `own`: the changes of which this
   * thread has told the store, and `told`: the completions among them.
   */
  apply(
    swarm: number,
    infoHash: Uint8Array,
    own: Uint8Array,
    told: number,
    { changes, completed }: SwarmAnswer,
    nowS: number,
  ): void {
    const table = this.#table;
    const pending = this.#pending;
    const reader = new ChangeReader(changes);
    while (reader.next()) {
      const { role, ip, port } = reader;
      if (reader.isWeb) {
        this.#applyFar(swarm, infoHash, own, reader, nowS);
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
  #applyFar(swarm: number, infoHash: Uint8Array, own: Uint8Array, change: ChangeReader, nowS: number): void {
    const { role, ip, port, ageS } = change;
    if (role === CHANGE_GONE) {
      this.#far.forget(infoHash, ip, port, nowS);
      return;
    }
    const note = (): boolean => this.#far.note(infoHash, ip, port, roleOfChange(role), nowS - ageS);
    if (note()) return;
    // Two trackers took in one peer id, each before it heard of the other: it stays where the store was told of it first. It has
    // just told us that this was there.
    if (!this.#pending.isNew(swarm, ip, nowS) && !tellsNew(own, ip)) return;
    if (!this.#giveUp(infoHash, ip)) return;
    if (this.#pending.takeBack(swarm, ip)) this.#uncount(infoHash, nowS);
    note();
  }

  /** A completion that was still to be told has been none. */
  #uncount(infoHash: Uint8Array, nowS: number): void {
    const one = (known: number): number => {
      this.#untold.change(infoHash, -1);
      return Math.max(0, known - 1);
    };
    this.#table.restore(infoHash, one, nowS);
    this.#table.exit();
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

/** Whether changes tell of a web peer as new. */
function tellsNew(changes: Uint8Array, peerId: Uint8Array): boolean {
  const reader = new ChangeReader(changes);
  while (reader.next()) {
    if (!reader.isNew) continue;
    let same = 0;
    while (same < WEB_ID_LENGTH && reader.ip[same] === peerId[same]) same++;
    if (same === WEB_ID_LENGTH) return true;
  }
  return false;
}
