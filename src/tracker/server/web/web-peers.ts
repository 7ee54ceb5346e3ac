// Peers of WebSocket connections in the swarm table. They are known by their peer ids, which others learn with every offer:
// whoever holds one in a swarm keeps it until it leaves. They count like all peers, and are chosen for each other alone.

import { readU16, readU32 } from '../../../base/bytes.ts';
import type { AddressLimits } from '../address-counts.ts';
import { ELSEWHERE, NO_PORT } from '../table/peer-runs.ts';
import type { IsSilent } from '../table/shard.ts';
import { WEB } from '../table/swarm-records.ts';
import type { SwarmTable } from '../table/swarm-table.ts';

/** What {@link WebPeers.announce} returns where another connection holds the peer id in this swarm. */
export const TAKEN = -3;

/** Length of a peer as {@link WebPeers.pick} writes it: peer id 20, nothing 2; and of its place: connection 4, rest 4. */
const PEER_LENGTH = 22;
const PLACE_LENGTH = 8;
/** Whose connection holds a peer id. */
const NOBODY = 0;
const THIS = 1;
const ANOTHER = 2;

export class WebPeers {
  /** Whether the last call of {@link leave} took somebody out. */
  hasLeft = false;
  /**
   * The peers that {@link pick} chose, and what {@link find} found as the first of them. Of one {@link ELSEWHERE} the connection is
   * the place of its tracker.
   */
  readonly threads: Uint16Array;
  readonly connections: Uint32Array;
  readonly #ids: Uint8Array;
  readonly #numbers: DataView;
  readonly #places: Uint8Array;
  readonly #table: SwarmTable;
  readonly #thread: number;
  readonly #isSilent: IsSilent;

  /** `thread`: this one's number on locks. `most`: peers chosen at once. `isSilent`: which other trackers are gone. Default: none. */
  constructor(table: SwarmTable, thread: number, most: number, isSilent: IsSilent = () => false) {
    this.#table = table;
    this.#thread = thread;
    this.#isSilent = isSilent;
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
    if (swarm >= 0 && this.#holder(swarm, peerId, connection) === ANOTHER && !this.#release(swarm, nowS)) return TAKEN;
    const { runs } = this.#table.shard.sets[WEB];
    runs.setKey(peerId, NO_PORT);
    runs.setPlace(this.#thread, connection, address);
    return this.#table.note(swarm, infoHash, WEB, role, completes, nowS, perAddress);
  }

  /** Forgets a peer of a connection of this thread. Returns the swarm, or -1 where it is unknown. The shard is entered. */
  leave(infoHash: Uint8Array, peerId: Uint8Array, connection: number, nowS: number): number {
    const swarm = this.#table.find(infoHash);
    this.hasLeft = swarm >= 0 && this.#holder(swarm, peerId, connection) === THIS;
    if (this.hasLeft) this.#table.shard.leave(swarm, WEB, nowS);
    return swarm;
  }

  /**
   * Chooses up to `wanted` others for a peer of the swarm, whose shard is entered. `isAlone`: peers of other trackers cannot be
   * reached now; those of this one are looked for among as many as may be chosen. Returns how many.
   */
  pick(swarm: number, peerId: Uint8Array, wanted: number, seedsToo: boolean, isAlone = false): number {
    this.#table.shard.sets[WEB].runs.setKey(peerId, NO_PORT);
    const most = isAlone ? this.threads.length : wanted;
    const picked = this.#table.choose(swarm, WEB, most, seedsToo, null, this.#numbers, 0, this.#places);
    let kept = 0;
    for (let i = 0; i < picked && kept < wanted; i++) {
      const thread = readU16(this.#places, i * PLACE_LENGTH + 6);
      if (isAlone && thread === ELSEWHERE) continue;
      if (kept < i) this.#ids.copyWithin(kept * PEER_LENGTH, i * PEER_LENGTH, (i + 1) * PEER_LENGTH);
      this.connections[kept] = readU32(this.#places, i * PLACE_LENGTH);
      this.threads[kept++] = thread;
    }
    return kept;
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

  /** Takes the peer id that the runs have as their key from whoever holds it, where that one's tracker is gone. */
  #release(swarm: number, nowS: number): boolean {
    const { shard } = this.#table;
    const { runs } = shard.sets[WEB];
    const slot = shard.locate(swarm, WEB);
    const isElsewhere = runs.threadOf(shard.run, slot) === ELSEWHERE;
    if (!isElsewhere || !this.#isSilent(runs.connectionOf(shard.run, slot))) return false;
    shard.leave(swarm, WEB, nowS);
    return true;
  }

  /** Which connection holds a peer id; the runs have it as their key then. */
  #holder(swarm: number, peerId: Uint8Array, connection: number): typeof NOBODY | typeof THIS | typeof ANOTHER {
    const { shard } = this.#table;
    const { runs } = shard.sets[WEB];
    runs.setKey(peerId, NO_PORT);
    const slot = shard.locate(swarm, WEB);
    if (slot < 0) return NOBODY;
    const isThread = runs.threadOf(shard.run, slot) === this.#thread;
    return isThread && runs.connectionOf(shard.run, slot) === connection ? THIS : ANOTHER;
  }
}
