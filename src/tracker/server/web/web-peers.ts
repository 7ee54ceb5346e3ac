// Peers of WebSocket connections in the swarm table. They are known by their peer ids, which others learn with every offer:
// whoever holds one in a swarm keeps it until it leaves. They count like all peers, and are chosen for each other alone.

import { readU16, readU32 } from '../../../base/bytes.ts';
import type { AddressLimits } from '../address-counts.ts';
import { WEB } from '../table/swarm-records.ts';
import type { SwarmTable } from '../table/swarm-table.ts';

/** What {@link WebPeers.announce} returns where another connection holds the peer id in this swarm. */
export const TAKEN = -3;

/** Length of a peer as {@link WebPeers.pick} writes it: peer id 20, nothing 2; and of its place: connection 4, rest 4. */
const PEER_LENGTH = 22;
const PLACE_LENGTH = 8;
/** Stands in a record where others have their port: not 0, or it would be free. */
const NO_PORT = 1;

export class WebPeers {
  /** The peers that {@link pick} chose, and what {@link find} found as the first of them. */
  readonly threads: Uint16Array;
  readonly connections: Uint32Array;
  readonly #ids: Uint8Array;
  readonly #numbers: DataView;
  readonly #places: Uint8Array;
  readonly #table: SwarmTable;
  readonly #thread: number;

  /** `thread`: this one's number on locks. `most`: peers chosen at once. */
  constructor(table: SwarmTable, thread: number, most: number) {
    this.#table = table;
    this.#thread = thread;
    this.threads = new Uint16Array(most);
    this.connections = new Uint32Array(most);
    this.#ids = new Uint8Array(most * PEER_LENGTH);
    this.#numbers = new DataView(this.#ids.buffer);
    this.#places = new Uint8Array(most * PLACE_LENGTH);
  }

  /**
   * Notes a peer of a connection of this thread, as {@link SwarmTable.announce} does; `address` is the hash of its
   * address. Returns the swarm, or NO_ROOM, TOO_MANY or TAKEN. The shard is entered.
   */
  announce(
    infoHash: Uint8Array,
    peerId: Uint8Array,
    connection: number,
    address: number,
    role: number,
    completes: boolean,
    nowS: number,
    perAddress: AddressLimits | null,
  ): number {
    const swarm = this.#table.find(infoHash);
    if (swarm >= 0 && this.#isTaken(swarm, peerId, connection)) return TAKEN;
    const { runs } = this.#table.shard.sets[WEB];
    runs.setKey(peerId, NO_PORT);
    runs.setPlace(this.#thread, connection, address);
    return this.#table.note(swarm, infoHash, WEB, role, completes, nowS, perAddress);
  }

  /** Forgets a peer of a connection of this thread. Returns the swarm, or -1 where it is unknown. The shard is entered. */
  leave(infoHash: Uint8Array, peerId: Uint8Array, connection: number, nowS: number): number {
    const swarm = this.#table.find(infoHash);
    if (swarm >= 0 && !this.#isTaken(swarm, peerId, connection)) this.#table.shard.leave(swarm, WEB, nowS);
    return swarm;
  }

  /** Chooses up to `wanted` others for a peer of the swarm, whose shard is entered. Returns how many. */
  pick(swarm: number, peerId: Uint8Array, wanted: number, seedsToo: boolean): number {
    this.#table.shard.sets[WEB].runs.setKey(peerId, NO_PORT);
    const picked = this.#table.choose(swarm, WEB, wanted, seedsToo, null, this.#numbers, 0, this.#places);
    for (let i = 0; i < picked; i++) {
      this.connections[i] = readU32(this.#places, i * PLACE_LENGTH);
      this.threads[i] = readU16(this.#places, i * PLACE_LENGTH + 6);
    }
    return picked;
  }

  /** Copies the peer id of a peer that was chosen. */
  copyId(i: number, into: Uint8Array): void {
    for (let at = 0; at < 20; at++) into[at] = this.#ids[i * PEER_LENGTH + at]!;
  }

  /** Looks where a peer is; false where nobody has this peer id. No shard is entered after it. */
  find(infoHash: Uint8Array, peerId: Uint8Array): boolean {
    const swarm = this.#table.find(infoHash);
    const { shard } = this.#table;
    const { runs } = shard.sets[WEB];
    runs.setKey(peerId, NO_PORT);
    const slot = swarm < 0 ? -1 : shard.locate(swarm, WEB);
    if (slot >= 0) {
      this.connections[0] = runs.connectionOf(shard.run, slot);
      this.threads[0] = runs.threadOf(shard.run, slot);
    }
    this.#table.exit();
    return slot >= 0;
  }

  /** Whether another connection holds a peer id; the runs have it as their key then. */
  #isTaken(swarm: number, peerId: Uint8Array, connection: number): boolean {
    const { shard } = this.#table;
    const { runs } = shard.sets[WEB];
    runs.setKey(peerId, NO_PORT);
    const slot = shard.locate(swarm, WEB);
    if (slot < 0) return false;
    return runs.connectionOf(shard.run, slot) !== connection || runs.threadOf(shard.run, slot) !== this.#thread;
  }
}
