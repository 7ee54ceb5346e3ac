// The rules of an announce, whatever it came over: who is noted, who is counted, who is handed out.

import {
  type AnnounceFields,
  EVENT_COMPLETED,
  EVENT_PAUSED,
  EVENT_STARTED,
  EVENT_STOPPED,
} from '../protocol/announce.ts';
import type { SwarmCounts } from '../protocol/http-reply-writer.ts';
import { LEECH, PARTIAL_SEED, SEED } from './peer-runs.ts';
import type { SwarmTable } from './swarm-table.ts';

/** The most that can be set: what buffers are made for, and a UDP reply of 200 IPv4 peers still fits into one packet. */
export const MAX_PEERS_PER_REPLY = 200;

export interface AnnounceLimits {
  /** Peers in a reply where the client names no number. */
  readonly peersPerReply: number;
  /** Peers in a reply at most; up to {@link MAX_PEERS_PER_REPLY}. */
  readonly maxPeersPerReply: number;
}

/** Counts that are filled again for every reply. */
export class Counts implements SwarmCounts {
  seeds = 0;
  leeches = 0;
  downloaders = 0;
  completed = 0;

  /** `swarm` -1: all 0. */
  read(table: SwarmTable, swarm: number): void {
    this.seeds = swarm < 0 ? 0 : table.seeds(swarm);
    this.leeches = swarm < 0 ? 0 : table.leeches(swarm);
    this.downloaders = swarm < 0 ? 0 : this.leeches - table.partialSeeds(swarm);
    this.completed = swarm < 0 ? 0 : table.completed(swarm);
  }
}

/** Handles announces one at a time; what it found is in its fields until the next one. */
export class AnnounceRules {
  readonly counts: Counts = new Counts();
  /** Compact peers (BEP 23), the first `length4` bytes. */
  readonly peers4: Uint8Array;
  length4 = 0;
  /** Compact IPv6 peers (BEP 7), the first `length6` bytes. */
  readonly peers6: Uint8Array;
  length6 = 0;
  readonly #table: SwarmTable;
  readonly #limits: AnnounceLimits;

  constructor(table: SwarmTable, limits: AnnounceLimits) {
    this.#table = table;
    this.#limits = limits;
    this.peers4 = new Uint8Array(limits.maxPeersPerReply * 6);
    this.peers6 = new Uint8Array(limits.maxPeersPerReply * 18);
  }

  /**
   * Carries out an announce of a peer at `ip` (4 or 16 bytes). `bothFamilies`: the reply can tell of IPv4 and IPv6
   * peers; the asker's own family comes first. Returns null or why it is refused.
   */
  handle(fields: AnnounceFields, ip: Uint8Array, bothFamilies: boolean, nowS: number): string | null {
    this.length4 = 0;
    this.length6 = 0;
    const table = this.#table;
    if (fields.event === EVENT_STOPPED) {
      this.counts.read(table, table.leave(fields.infoHash, ip, fields.port, nowS));
      table.exit();
      return null;
    }
    const role = roleOf(fields);
    const completes = role === SEED && fields.event === EVENT_COMPLETED;
    const swarm = table.announce(fields.infoHash, ip, fields.port, role, completes, nowS, fields.peerId);
    if (swarm >= 0) {
      this.counts.read(table, swarm);
      const seedsToo = role === LEECH || mayLackMetadata(fields);
      this.#pick(swarm, ip, fields.port, this.#wanted(fields.numWant), seedsToo, bothFamilies);
    }
    table.exit();
    return swarm < 0 ? 'this tracker is full' : null;
  }

  #wanted(numWant: number): number {
    return numWant < 0 ? this.#limits.peersPerReply : Math.min(numWant, this.#limits.maxPeersPerReply);
  }

  /** Who downloads no more is not sent those who have no use for it. */
  #pick(swarm: number, ip: Uint8Array, port: number, wanted: number, seedsToo: boolean, both: boolean): void {
    if (wanted === 0 || (!seedsToo && this.counts.downloaders === 0)) return;
    if (ip.length === 4) {
      this.#pick4(swarm, ip, port, wanted, seedsToo);
      if (both) this.#pick6(swarm, ip, port, wanted - this.length4 / 6, seedsToo);
    } else {
      this.#pick6(swarm, ip, port, wanted, seedsToo);
      if (both) this.#pick4(swarm, ip, port, wanted - this.length6 / 18, seedsToo);
    }
  }

  #pick4(swarm: number, ip: Uint8Array, port: number, wanted: number, seedsToo: boolean): void {
    this.length4 = 6 * this.#table.pick(swarm, 4, ip, port, wanted, seedsToo, null, this.peers4, 0, null);
  }

  #pick6(swarm: number, ip: Uint8Array, port: number, wanted: number, seedsToo: boolean): void {
    this.length6 = 18 * this.#table.pick(swarm, 6, ip, port, wanted, seedsToo, null, this.peers6, 0, null);
  }
}

/** A client that announces completion without `left` has nothing left. */
function roleOf(fields: AnnounceFields): number {
  const { left, event } = fields;
  if (left === 0 || (event === EVENT_COMPLETED && left === Number.POSITIVE_INFINITY)) return SEED;
  return event === EVENT_PAUSED ? PARTIAL_SEED : LEECH;
}

/**
 * aria2 (`A2-`) that has a magnet link and no metadata yet says that nothing is left: at its start nobody can tell it
 * from a seed, and without seeds it would wait for a whole interval.
 */
function mayLackMetadata({ event, left, peerId }: AnnounceFields): boolean {
  return event === EVENT_STARTED && left === 0 && peerId[0] === 0x41 && peerId[1] === 0x32 && peerId[2] === 0x2d;
}
