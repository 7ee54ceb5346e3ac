// Web peers whose connections are at other trackers, in the swarm table: what the store and offers tell of them. Whoever holds a
// peer id in a swarm keeps it, here or elsewhere, as far as this tracker knows.

import { ELSEWHERE, NO_PORT } from '../table/peer-runs.ts';
import { WEB } from '../table/swarm-records.ts';
import type { SwarmTable } from '../table/swarm-table.ts';
import type { LivePlaces } from './live-places.ts';

export class FarPeers {
  readonly #table: SwarmTable;
  readonly #own: number;
  readonly #places: Pick<LivePlaces, 'heard' | 'isSilent'>;

  /** `own`: the place of this tracker. */
  constructor(table: SwarmTable, own: number, places: Pick<LivePlaces, 'heard' | 'isSilent'>) {
    this.#table = table;
    this.#own = own;
    this.#places = places;
  }

  /**
   * Notes a peer that was heard at another place, unless somebody else has its peer id, or the tracker there is gone. Of its own
   * place a tracker knows better.
   */
  note(infoHash: Uint8Array, peerId: Uint8Array, place: number, role: number, heardS: number): void {
    if (place === this.#own) return;
    // A tracker that has just started is heard of by its peers first.
    this.#places.heard(place, 1000 * heardS);
    if (this.#places.isSilent(place)) return;
    const table = this.#table;
    const swarm = table.find(infoHash);
    if (this.#isFree(swarm, peerId, place)) {
      const { runs } = table.shard.sets[WEB];
      // Its address is not known here: it counts with a few others, and with different ones each.
      runs.setPlace(ELSEWHERE, place, runs.hash);
      table.note(swarm, infoHash, WEB, role, false, heardS, null);
    }
    table.exit();
  }

  /** Forgets a peer of another place. */
  forget(infoHash: Uint8Array, peerId: Uint8Array, place: number, nowS: number): void {
    const table = this.#table;
    const swarm = table.find(infoHash);
    if (swarm >= 0 && this.#isFree(swarm, peerId, place)) table.shard.leave(swarm, WEB, nowS);
    table.exit();
  }

  /** Whether nobody else has the peer id, but for a tracker that is gone. The runs have it as their key then. */
  #isFree(swarm: number, peerId: Uint8Array, place: number): boolean {
    const { shard } = this.#table;
    const { runs } = shard.sets[WEB];
    runs.setKey(peerId, NO_PORT);
    const slot = swarm < 0 ? -1 : shard.locate(swarm, WEB);
    if (slot < 0) return true;
    if (runs.threadOf(shard.run, slot) !== ELSEWHERE) return false;
    const holder = runs.connectionOf(shard.run, slot);
    return holder === place || this.#places.isSilent(holder);
  }
}
