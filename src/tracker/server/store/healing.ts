// Tells the store all that the table has: after it was away, whether it forgot everything or not. What it knows better stays.

import { MAX_EXCHANGED_CHANGES, type SwarmExchange } from '../../../ports/swarm-store.ts';
import { MAX_CHANGE_LENGTH, MAX_STORED_AGE_S, writeChange } from '../../protocol/swarm-changes.ts';
import { TIME_UNIT_S } from '../table/peer-runs.ts';
import { PieceReader, StateWriter } from '../table/state.ts';
import { WEB } from '../table/swarm-records.ts';
import type { SwarmTable } from '../table/swarm-table.ts';
import { roleChange } from './roles.ts';

export class Healing {
  readonly #writer: StateWriter;
  readonly #place: number;
  readonly #bytes = new Uint8Array(MAX_EXCHANGED_CHANGES * MAX_CHANGE_LENGTH);
  #reader: PieceReader | null = null;
  #peerAt = 0;

  /** `place`: of this tracker, where its web peers are; those of others they tell themselves. */
  constructor(table: SwarmTable, place: number) {
    this.#writer = new StateWriter(table, true);
    this.#place = place;
  }

  /** What is to be told next, but for the count of completions; null when all was. `keepMs`: see {@link SwarmExchange}. */
  next(nowS: number, keepMs: number): SwarmExchange | null {
    while (this.#reader === null || this.#peerAt >= this.#reader.peers.length) {
      if (this.#reader?.next() === true) {
        this.#peerAt = 0;
        // A swarm without peers has its completions.
        if (this.#reader.peers.length === 0) return this.#exchange(keepMs);
        continue;
      }
      const part = this.#writer.next(nowS, 0);
      if (part === null) return null;
      this.#reader = new PieceReader(part);
    }
    return this.#exchange(keepMs);
  }

  #exchange(keepMs: number): SwarmExchange {
    const reader = this.#reader!;
    const { infoHash, peers, peerLength } = reader;
    let length = 0;
    for (let told = 0; told < MAX_EXCHANGED_CHANGES && this.#peerAt < peers.length; told++) {
      // Never newer than it is, so that it holds only against what is older; who is too old for that will announce again.
      const isPeer = reader.readPeer(this.#peerAt);
      const ageS = reader.ageS + TIME_UNIT_S;
      if (isPeer && ageS <= MAX_STORED_AGE_S) {
        const port = reader.family === WEB ? this.#place : reader.port;
        length = writeChange(this.#bytes, length, roleChange(reader.role), ageS, reader.ip, port);
      }
      this.#peerAt += peerLength;
    }
    return { infoHash, changes: this.#bytes.slice(0, length), since: -1, completed: 0, keepMs, isUrgent: false };
  }
}
