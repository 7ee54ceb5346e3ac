// Who may announce, and who hears of it: what rooms above hand to the tracker. Everything here is called for every
// announce, synchronously: no promise, no disk, no object.

import type { AnnounceFields } from '../protocol/announce.ts';
import type { Fault } from './status/faults.ts';

/** Why an announce is refused. Made once, not for every refusal. */
export interface Refusal {
  /** One line for the client's user. */
  readonly reason: string;
  /** When to ask again (BEP 31); null: at the usual time. */
  readonly retryInMinutes: number | 'never' | null;
  /** As what it is counted. Default: `refused`. */
  readonly fault?: Fault;
}

/**
 * What the URL has before `/announce`: the passkey of `/PASSKEY/announce`, over UDP likewise from its URL data (BEP 41).
 * Bytes `start` to `end`, lent for the call; none where both are equal.
 */
export class PathKey {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;

  set(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }
}

/** Decides over announces and scrapes: allow-lists, deny-lists, passkeys. */
export interface AccessRules {
  /** Null allows it. All arguments are lent for the call; `ip` has 4 or 16 bytes. */
  check(announce: AnnounceFields, key: PathKey, ip: Uint8Array): Refusal | null;
  /** Whether this client may scrape at all; over UDP nobody can say a key. Null allows it. */
  checkScrape(key: PathKey): Refusal | null;
  /** Whether scrapes tell of the swarm whose info hash begins at byte `at`; others look as if nobody were there. */
  shows(infoHash: Uint8Array, at: number): boolean;
}

/**
 * Hears of every announce that was allowed, also of those that say goodbye. `uploaded` and `downloaded` are the client's
 * totals since its start: whoever keeps accounts notes them in memory of its own, and writes differences later.
 */
export interface AnnounceLedger {
  note(announce: AnnounceFields, key: PathKey, ip: Uint8Array): void;
}

/** A request that waits for a swarm to be fetched. */
export interface Waiter {
  /** Once, later: it is to be answered now, from what is known. */
  goOn(): void;
}

/** Nobody waits. */
export const NOBODY: Waiter = { goOn: () => undefined };

/**
 * Swarms that several trackers share (a store such as Redis). The swarm table is this tracker's copy, from which announces
 * are answered. The mirror sends them on, many at a time, and writes what others sent into the table, so that
 * the copy which answers is two seconds old at most. While the store is away nothing changes but that the copy grows old.
 */
export interface SwarmMirror {
  /** Whether an announce or scrape of the swarm may be answered now: its copy is young, or there is no better one to be had. */
  isFresh(infoHash: Uint8Array): boolean;
  /**
   * Has the swarm fetched, and then the waiter go on, within a third of a second, or a second where nobody is known in the swarm.
   * False where too many wait: it goes on at once.
   */
  wait(infoHash: Uint8Array, waiter: Waiter): boolean;
  /**
   * A peer came or was heard again; see {@link SwarmTable.announce}. `completes`: the table has counted it. `isNewWeb`: it is a web
   * peer that was not there. To be called before the shard is left.
   */
  announced(
    infoHash: Uint8Array,
    ip: Uint8Array,
    port: number,
    role: number,
    completes: boolean,
    isNewWeb?: boolean,
  ): void;
  left(infoHash: Uint8Array, ip: Uint8Array, port: number): void;
  /** Where other trackers send what is for connections of this one. Of a web peer the ip is its peer id, and the port this. */
  readonly place: number;
  /** The store cannot be reached. */
  readonly isAway: boolean;
}
