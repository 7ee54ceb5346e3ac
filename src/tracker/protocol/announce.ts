// What a client tells a tracker and what it hears back, whatever the transport (BEP 3, 15, 21, 48).

import type { Address } from '../../base/address.ts';

/** `none` is the regular announce; `paused` is sent by partial seeds in every announce (BEP 21). */
export type AnnounceEvent = 'none' | 'completed' | 'started' | 'stopped' | 'paused';

/** One announce as a client makes it. */
export interface AnnounceRequest {
  /** 20 bytes; a v2 info hash is cut to 20 (BEP 52). */
  readonly infoHash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** Where we listen for peers. */
  readonly port: number;
  /** Bytes of content since the `started` announce. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Bytes that are still missing; 0 makes us a seed. */
  readonly left: number;
  readonly event: AnnounceEvent;
  /** How many peers we would like; null leaves it to the tracker. */
  readonly numWant: number | null;
  /** 32 random bits that stay the same for a torrent in a session (BEP 7). */
  readonly key: number;
  /** What this tracker asked us to repeat: one character a byte. */
  readonly trackerId: string | null;
}

/** A successful reply. */
export interface AnnounceReply {
  /** Seconds until the next regular announce. */
  readonly intervalS: number;
  /** Seconds before which no further announce is welcome. */
  readonly minIntervalS: number | null;
  /** To be repeated in later announces: one character a byte. */
  readonly trackerId: string | null;
  readonly seeds: number | null;
  readonly leeches: number | null;
  readonly peers: readonly Address[];
  /** A text for the user. */
  readonly warning: string | null;
  /** Our address as the tracker sees it, 4 or 16 bytes (BEP 24). */
  readonly externalIp: Uint8Array | null;
}

/** Counts of one swarm (BEP 48). */
export interface ScrapeEntry {
  readonly seeds: number;
  readonly leeches: number;
  /** How many peers have ever completed. */
  readonly completed: number;
}

/** Length of an info hash and of a peer id in bytes. */
export const HASH_LENGTH = 20;

/** What a tracker without an `interval` means, and what servers use by custom: half an hour. */
export const DEFAULT_INTERVAL_S = 1800;

/** Events by their number in UDP packets (BEP 15); 4 continues the row for `paused`, which UDP does not know. */
export const EVENT_NONE = 0;
export const EVENT_COMPLETED = 1;
export const EVENT_STARTED = 2;
export const EVENT_STOPPED = 3;
export const EVENT_PAUSED = 4;

/** Names of the events by number. */
export const EVENT_NAMES: readonly AnnounceEvent[] = ['none', 'completed', 'started', 'stopped', 'paused'];

/**
 * One announce as the server reads it off the wire. A single object is filled again for every announce, so that the
 * hot path makes none; whoever keeps `infoHash` copies it.
 */
export class AnnounceFields {
  readonly infoHash: Uint8Array = new Uint8Array(HASH_LENGTH);
  readonly peerId: Uint8Array = new Uint8Array(HASH_LENGTH);
  port = 0;
  uploaded = 0;
  downloaded = 0;
  /** Infinity where the client did not say: a leech. */
  left: number = Number.POSITIVE_INFINITY;
  /** One of EVENT_*. */
  event: number = EVENT_NONE;
  /** -1 where the client leaves it to us. */
  numWant = -1;
  key = 0;
  /** False: peers as dictionaries, as BEP 3 had them before BEP 23. */
  compact = true;
  /** Dictionaries without peer ids are enough. */
  noPeerId = false;
  /** The address that the client says it has, the first `ipLength` bytes: 4 or 16, 0 for none. */
  readonly ip: Uint8Array = new Uint8Array(16);
  ipLength = 0;

  /** Back to what a request without parameters means. */
  clear(): void {
    this.port = 0;
    this.uploaded = 0;
    this.downloaded = 0;
    this.left = Number.POSITIVE_INFINITY;
    this.event = EVENT_NONE;
    this.numWant = -1;
    this.key = 0;
    this.compact = true;
    this.noPeerId = false;
    this.ipLength = 0;
  }
}
