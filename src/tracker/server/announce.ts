// The rules of an announce, whatever it came over: who is allowed, noted, counted, handed out.

import { type AnnounceFields, EVENT_COMPLETED, EVENT_STOPPED } from '../protocol/announce.ts';
import type { SwarmCounts } from '../protocol/http-reply-writer.ts';
import type { AccessRules, AnnounceLedger, PathKey, Refusal, SwarmMirror, Waiter } from './access.ts';
import type { AddressLimits } from './address-counts.ts';
import { AddressRates, isLimited } from './address-rates.ts';
import { roleOf, wantsSeeds } from './announced-role.ts';
import { Network, Prefixes } from './network.ts';
import { SEED } from './table/peer-runs.ts';
import { type SwarmTable, TOO_MANY } from './table/swarm-table.ts';
import { TAKEN, type WebPeers } from './web/web-peers.ts';

/** The most that can be set: what buffers are made for, and a UDP reply of 200 IPv4 peers still fits into one packet. */
export const MAX_PEERS_PER_REPLY = 200;

const FULL: Refusal = { reason: 'this tracker is full', retryInMinutes: 30, fault: 'full' };
const TOO_MANY_PEERS: Refusal = {
  reason: 'too many peers at your address',
  retryInMinutes: 60,
  fault: 'tooManyPeers',
};
const TOO_OFTEN: Refusal = {
  reason: 'too many announces from your address',
  retryInMinutes: 1,
  fault: 'rateLimited',
};

export const PEER_ID_TAKEN: Refusal = { reason: 'another connection has this peer id', retryInMinutes: 2 };

/** Not refused: the swarm has to be fetched first; see {@link AnnounceRules.wait}. */
export const WAITS: Refusal = { reason: 'being fetched', retryInMinutes: null };

export interface AnnounceLimits {
  /** Peers in a reply where the client names no number. */
  readonly peersPerReply: number;
  /** Peers in a reply at most; up to {@link MAX_PEERS_PER_REPLY}. */
  readonly maxPeersPerReply: number;
  /** Default: none of these rules. */
  readonly near?: Prefixes;
  readonly perAddress?: AddressLimits | null;
  /** Announces of an address a second; null: any number. */
  readonly announcesPerSecond?: number | null;
  /** The limits of addresses hold for this machine's own too. */
  readonly limitsLoopback?: boolean;
  readonly access?: AccessRules | null;
  readonly ledger?: AnnounceLedger | null;
  readonly mirror?: SwarmMirror | null;
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
  /** Peers of WebSocket connections that were chosen. */
  webCount = 0;
  /** Peer ids of both in their order, 20 bytes each; null where the table keeps none. */
  readonly ids4: Uint8Array | null;
  readonly ids6: Uint8Array | null;
  readonly #numbers4: DataView;
  readonly #numbers6: DataView;
  readonly #table: SwarmTable;
  readonly #limits: AnnounceLimits;
  readonly #near: Prefixes;
  readonly #network = new Network();
  readonly #rates: AddressRates | null;

  constructor(table: SwarmTable, limits: AnnounceLimits) {
    this.#table = table;
    this.#limits = limits;
    this.#near = limits.near ?? new Prefixes([]);
    this.#rates = limits.announcesPerSecond ? new AddressRates(limits.announcesPerSecond) : null;
    this.peers4 = new Uint8Array(limits.maxPeersPerReply * 6);
    this.peers6 = new Uint8Array(limits.maxPeersPerReply * 18);
    this.#numbers4 = new DataView(this.peers4.buffer);
    this.#numbers6 = new DataView(this.peers6.buffer);
    this.ids4 = table.keepsIds ? new Uint8Array(limits.maxPeersPerReply * 20) : null;
    this.ids6 = table.keepsIds ? new Uint8Array(limits.maxPeersPerReply * 20) : null;
  }

  /**
   * Carries out an announce of a peer at `ip` (4 or 16 bytes) over HTTP: peers of both families are found, the asker's
   * own first. Returns null or why it is refused, or {@link WAITS}. `isLate`: it was found to have to wait before.
   */
  handle(fields: AnnounceFields, key: PathKey, ip: Uint8Array, nowS: number, isLate: boolean): Refusal | null {
    const swarm = this.#note(fields, key, ip, nowS, isLate);
    if (typeof swarm !== 'number') return swarm;
    const wanted = this.#wanted(fields, swarm);
    const seedsToo = wantsSeeds(fields);
    if (wanted > 0 && ip.length === 4) {
      this.length4 = 6 * this.#pick(swarm, 4, ip, fields.port, wanted, seedsToo, this.#numbers4, 0, this.ids4);
      this.length6 =
        18 * this.#pick(swarm, 6, ip, 0, wanted - this.length4 / 6, seedsToo, this.#numbers6, 0, this.ids6);
    } else if (wanted > 0) {
      this.length6 = 18 * this.#pick(swarm, 6, ip, fields.port, wanted, seedsToo, this.#numbers6, 0, this.ids6);
      this.length4 =
        6 * this.#pick(swarm, 4, ip, 0, wanted - this.length6 / 18, seedsToo, this.#numbers4, 0, this.ids4);
    }
    this.#table.exit();
    return null;
  }

  /**
   * For an announce that was answered with {@link WAITS}: has the waiter go on when the swarm is there. False where too
   * many wait: it is to be handled now. Either way as late.
   */
  wait(infoHash: Uint8Array, waiter: Waiter): boolean {
    return this.#limits.mirror?.wait(infoHash, waiter) ?? false;
  }

  /**
   * As {@link handle}, for UDP: peers of the asker's family alone, `most` at most, into `into` from `at` on. Their number
   * of bytes is in `length4` or `length6`.
   */
  handleInto(
    fields: AnnounceFields,
    key: PathKey,
    ip: Uint8Array,
    nowS: number,
    into: DataView,
    at: number,
    most: number,
    isLate: boolean,
  ): Refusal | null {
    const swarm = this.#note(fields, key, ip, nowS, isLate);
    if (typeof swarm !== 'number') return swarm;
    const wanted = Math.min(most, this.#wanted(fields, swarm));
    if (wanted > 0) {
      const family = ip.length === 4 ? 4 : 6;
      const picked = this.#pick(swarm, family, ip, fields.port, wanted, wantsSeeds(fields), into, at, null);
      if (family === 4) this.length4 = 6 * picked;
      else this.length6 = 18 * picked;
    }
    this.#table.exit();
    return null;
  }

  /**
   * As {@link handle}, for a peer of a WebSocket connection of this thread: `peers` chooses up to `most` others of its
   * kind, `webCount` of them.
   */
  handleWeb(
    fields: AnnounceFields,
    key: PathKey,
    ip: Uint8Array,
    peers: WebPeers,
    connection: number,
    most: number,
    nowS: number,
    isLate: boolean,
  ): Refusal | null {
    this.webCount = 0;
    const refusal = isLate ? null : this.#mayGoOn(fields, key, ip, nowS);
    if (refusal !== null) return refusal;
    const { infoHash, peerId } = fields;
    const table = this.#table;
    const { mirror = null } = this.#limits;
    if (fields.event === EVENT_STOPPED) {
      this.counts.read(table, this.#leaveWeb(peers, infoHash, peerId, connection, nowS));
      table.exit();
      return null;
    }
    const role = roleOf(fields);
    const completes = role === SEED && fields.event === EVENT_COMPLETED;
    const address = table.addressHash(ip);
    const swarm = peers.announce(infoHash, peerId, connection, address, role, completes, nowS, this.#limitsOf(ip));
    if (swarm >= 0) {
      const { counted, isNew } = table.shard;
      mirror?.announced(infoHash, peerId, mirror.place, role, completes && counted, isNew);
    }
    this.counts.read(table, swarm);
    const wanted = Math.min(most, this.#wanted(fields, swarm));
    const isAlone = mirror?.isAway === true;
    if (wanted > 0) this.webCount = peers.pick(swarm, peerId, wanted, wantsSeeds(fields), isAlone);
    table.exit();
    return swarm >= 0 ? null : swarm === TAKEN ? PEER_ID_TAKEN : swarm === TOO_MANY ? TOO_MANY_PEERS : FULL;
  }

  /** A peer's connection has closed. */
  leaveWeb(peers: WebPeers, infoHash: Uint8Array, peerId: Uint8Array, connection: number, nowS: number): void {
    this.#leaveWeb(peers, infoHash, peerId, connection, nowS);
    this.#table.exit();
  }

  /** Counts a message that is no announce against the rate of its address; not null where it is too many. */
  tooOften(ip: Uint8Array, nowS: number): Refusal | null {
    if (this.#rates === null || !this.#isLimited(ip)) return null;
    return this.#rates.allows(this.#table.addressHash(ip), nowS) ? null : TOO_OFTEN;
  }

  /** The swarm; its shard is entered. */
  #leaveWeb(peers: WebPeers, infoHash: Uint8Array, peerId: Uint8Array, connection: number, nowS: number): number {
    const { mirror = null } = this.#limits;
    const swarm = peers.leave(infoHash, peerId, connection, nowS);
    if (peers.hasLeft) mirror?.left(infoHash, peerId, mirror.place);
    return swarm;
  }

  /** Null where an announce may be carried out now. */
  #mayGoOn(fields: AnnounceFields, key: PathKey, ip: Uint8Array, nowS: number): Refusal | null {
    const refusal = this.#admit(fields, key, ip, nowS);
    if (refusal !== null) return refusal;
    const isWaiting = fields.event !== EVENT_STOPPED && this.#limits.mirror?.isFresh(fields.infoHash) === false;
    return isWaiting ? WAITS : null;
  }

  /** Whether an announce may be served at all. */
  #admit(fields: AnnounceFields, key: PathKey, ip: Uint8Array, nowS: number): Refusal | null {
    const { access, ledger } = this.#limits;
    const refusal = this.tooOften(ip, nowS) ?? access?.check(fields, key, ip) ?? null;
    if (refusal === null) ledger?.note(fields, key, ip);
    return refusal;
  }

  #isLimited(ip: Uint8Array): boolean {
    return isLimited(ip, this.#limits.limitsLoopback === true);
  }

  #limitsOf(ip: Uint8Array): AddressLimits | null {
    return this.#isLimited(ip) ? (this.#limits.perAddress ?? null) : null;
  }

  /** The swarm, whose shard is entered; -1 where nothing is to be handed out, or why it is refused: none is entered. */
  #note(fields: AnnounceFields, key: PathKey, ip: Uint8Array, nowS: number, isLate: boolean): number | Refusal {
    this.length4 = 0;
    this.length6 = 0;
    const table = this.#table;
    const { mirror = null } = this.#limits;
    const refusal = isLate ? null : this.#mayGoOn(fields, key, ip, nowS);
    if (refusal !== null) return refusal;
    const role = roleOf(fields);
    const completes = role === SEED && fields.event === EVENT_COMPLETED;
    let swarm: number;
    if (fields.event === EVENT_STOPPED) {
      mirror?.left(fields.infoHash, ip, fields.port);
      swarm = table.leave(fields.infoHash, ip, fields.port, nowS);
    } else {
      const limits = this.#limitsOf(ip);
      swarm = table.announce(fields.infoHash, ip, fields.port, role, completes, nowS, fields.peerId, limits);
      if (swarm >= 0) mirror?.announced(fields.infoHash, ip, fields.port, role, completes && table.shard.counted);
    }
    this.counts.read(table, swarm);
    if (swarm >= 0 || fields.event === EVENT_STOPPED) return swarm;
    table.exit();
    return swarm === TOO_MANY ? TOO_MANY_PEERS : FULL;
  }

  /** Who downloads no more is not sent those who have no use for it. */
  #wanted(fields: AnnounceFields, swarm: number): number {
    if (swarm < 0 || fields.event === EVENT_STOPPED) return 0;
    if (this.counts.downloaders === 0 && !wantsSeeds(fields)) return 0;
    return fields.numWant < 0 ? this.#limits.peersPerReply : Math.min(fields.numWant, this.#limits.maxPeersPerReply);
  }

  #pick(
    swarm: number,
    family: 4 | 6,
    ip: Uint8Array,
    port: number,
    wanted: number,
    seedsToo: boolean,
    into: DataView,
    at: number,
    ids: Uint8Array | null,
  ): number {
    this.#near.networkOf(ip, this.#network);
    return this.#table.pick(swarm, family, ip, port, wanted, seedsToo, this.#network, into, at, ids);
  }
}
