// What trackers tell each other of peers through a shared store, as records in a row.
//
//   kind 1: role 2 bits | completes 1 | IPv6 1 | web 1 | new 1     seconds since it was heard 2     ip 4 or 16     port 2
//                                                                                                peer id 20     place 4
//
// A web peer, one of a WebSocket connection, has no address: it is known by its peer id, and by the place, which is a number
// of the tracker that has the connection.

import { readU16, readU32, writeU16, writeU32 } from '../../base/bytes.ts';

/** Roles of a record. */
export const CHANGE_LEECH = 0;
export const CHANGE_PARTIAL = 1;
export const CHANGE_SEED = 2;
export const CHANGE_GONE = 3;
/** In a kind: it has just become a seed. */
export const CHANGE_COMPLETES = 4;
/**
 * In a kind: a web peer that was not there before, of which the store is told for the first time. It is for who tells it: a store
 * passes over it.
 */
export const CHANGE_NEW = 32;
const KIND_IPV6 = 8;
const KIND_WEB = 16;

const HEAD = 3;
/** Length of a peer id, which stands where others have their ip. */
export const WEB_ID_LENGTH = 20;
/** Longest record. */
export const MAX_CHANGE_LENGTH: number = HEAD + WEB_ID_LENGTH + 4;
export const MAX_CHANGE_AGE_S = 0xffff;
/** What is older a store takes for no older than this: 255 units of 32 s. */
export const MAX_STORED_AGE_S: number = 255 * 32;

/**
 * Writes a record at `at`; returns where the next one goes. `kind`: a role, perhaps with CHANGE_COMPLETES or CHANGE_NEW. Of a web peer `ip` is
 * the peer id, and `port` the place.
 */
export function writeChange(
  into: Uint8Array,
  at: number,
  kind: number,
  ageS: number,
  ip: Uint8Array,
  port: number,
): number {
  const isWeb = ip.length === WEB_ID_LENGTH;
  const portAt = at + HEAD + ip.length;
  into[at] = kind | (isWeb ? KIND_WEB : ip.length === 16 ? KIND_IPV6 : 0);
  writeU16(into, at + 1, Math.min(MAX_CHANGE_AGE_S, Math.max(0, Math.ceil(ageS))));
  into.set(ip, at + HEAD);
  if (isWeb) writeU32(into, portAt, port);
  else writeU16(into, portAt, port);
  return portAt + (isWeb ? 4 : 2);
}

/** Reads records one after the other; what the last `next` found is in its fields. */
export class ChangeReader {
  role = 0;
  completes = false;
  isNew = false;
  ageS = 0;
  /** It is a web peer: `ip` is its peer id, and `port` its place. */
  isWeb = false;
  /** Lent, as long as the bytes. */
  ip: Uint8Array = new Uint8Array(0);
  port = 0;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** False at the end, or where the rest is no record. */
  next(): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    if (at >= bytes.length) return false;
    const kind = bytes[at]!;
    const isWeb = (kind & KIND_WEB) !== 0;
    const portAt = at + HEAD + (isWeb ? WEB_ID_LENGTH : (kind & KIND_IPV6) !== 0 ? 16 : 4);
    const end = portAt + (isWeb ? 4 : 2);
    if (end > bytes.length) return false;
    this.isWeb = isWeb;
    this.role = kind & CHANGE_GONE;
    this.completes = (kind & CHANGE_COMPLETES) !== 0;
    this.isNew = (kind & CHANGE_NEW) !== 0;
    this.ageS = readU16(bytes, at + 1);
    this.ip = bytes.subarray(at + HEAD, portAt);
    this.port = isWeb ? readU32(bytes, portAt) : readU16(bytes, portAt);
    this.#at = end;
    return true;
  }
}
