// Web peers whose connections are at other trackers, in the swarm table: what the store and offers tell of them. Whoever holds a
// peer id in a swarm keeps it, here or elsewhere, as far as this tracker knows.

import { ELSEWHERE, NO_PORT } from '../table/peer-runs.ts';
import { WEB } from '../table/swarm-records.ts';
import type { SwarmTable } from '../table/swarm-table.ts';
import type { LivePlaces } from './live-places.ts';

/** Beside the places, which are 32 bits: nobody, and a connection of this tracker. */
const NOBODY = -1;
const HERE = -2;

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
   * place a tracker knows better. False where a connection of this tracker has the peer id.
   */
  note(infoHash: Uint8Array, peerId: Uint8Array, place: number, role: number, heardS: number): boolean {
    if (place === this.#own) return true;
    // A tracker that has just started is heard of by its peers first.
    this.#places.heard(place, 1000 * heardS);
    if (this.#places.isSilent(place)) return true;
    const table = this.#table;
    const swarm = table.find(infoHash);
    const holder = this.#holder(swarm, peerId);
    if (this.#isFree(holder, place)) {
      const { runs } = table.shard.sets[WEB];
      // Its address is not known here: it counts with a few others, and with different ones each.
      runs.setPlace(ELSEWHERE, place, runs.hash);
      table.note(swarm, infoHash, WEB, role, false, heardS, null);
    }
    table.exit();
    return holder !== HERE;
  }

  /** Forgets a peer of another place. */
  forget(infoHash: Uint8Array, peerId: Uint8Array, place: number, nowS: number): void {
    const table = this.#table;
    const swarm = table.find(infoHash);
    if (swarm >= 0 && this.#isFree(this.#holder(swarm, peerId), place)) table.shard.leave(swarm, WEB, nowS);
    table.exit();
  }

  /** Whether nobody has the peer id but a place, or a tracker that is gone. */
  #isFree(holder: number, place: number): boolean {
    return holder === NOBODY || holder === place || (holder !== HERE && this.#places.isSilent(holder));
  }

  /** The place that has a peer id, or NOBODY, or HERE. The runs have it as their key then. */
  #holder(swarm: number, peerId: Uint8Array): number {
    const { shard } = this.#table;
    const { runs } = shard.sets[WEB];
    runs.setKey(peerId, NO_PORT);
    const slot = swarm < 0 ? -1 : shard.locate(swarm, WEB);
    if (slot < 0) return NOBODY;
    return runs.threadOf(shard.run, slot) === ELSEWHERE ? runs.connectionOf(shard.run, slot) : HERE;
  }
}
