// The first 68 bytes of a connection, in both directions (BEP 3).

import { fromLatin1 } from '../base/bytes.ts';

export const HANDSHAKE_BYTES = 68;

const PREFIX = fromLatin1('\x13BitTorrent protocol');
const RESERVED_AT = 20;
const INFO_HASH_AT = 28;
const PEER_ID_AT = 48;

const EXTENDED_BIT = 0x10; // reserved[5], BEP 10
const DHT_BIT = 0x01; // reserved[7], BEP 5
const FAST_BIT = 0x04; // reserved[7], BEP 6
const V2_BIT = 0x10; // reserved[7], BEP 52

/**
 * ```
 * 0  1                   20        28          48        68
 * |19|BitTorrent protocol|reserved |info hash  |peer id  |
 * ```
 */
export interface Handshake {
  /** 20 bytes; of a v2 torrent the first 20 of its SHA-256 (BEP 52). */
  readonly infoHash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** Have all, have none, suggest, reject and allowed fast (BEP 6) are spoken if both sides set this. */
  readonly fast: boolean;
  /** Extended messages (BEP 10). */
  readonly extended: boolean;
  /** The sender runs a DHT node (BEP 5) and takes port messages. */
  readonly dht: boolean;
  /** The sender of a hybrid torrent's v1 info hash would take the v2 one in answer (BEP 52, "Upgrade Path"). */
  readonly v2: boolean;
}

/** 68 bytes, owned by the caller. */
export function encodeHandshake(handshake: Handshake): Uint8Array {
  const out = new Uint8Array(HANDSHAKE_BYTES);
  out.set(PREFIX);
  if (handshake.extended) out[RESERVED_AT + 5] = EXTENDED_BIT;
  out[RESERVED_AT + 7] = (handshake.dht ? DHT_BIT : 0) | (handshake.fast ? FAST_BIT : 0) | (handshake.v2 ? V2_BIT : 0);
  out.set(handshake.infoHash.subarray(0, 20), INFO_HASH_AT);
  out.set(handshake.peerId.subarray(0, 20), PEER_ID_AT);
  return out;
}

/** Reads the first 68 of `bytes` (copied); null where they are fewer or are not BitTorrent. Unknown bits are ignored. */
export function decodeHandshake(bytes: Uint8Array): Handshake | null {
  if (bytes.length < HANDSHAKE_BYTES || !isHandshakePrefix(bytes)) return null;
  const last = bytes[RESERVED_AT + 7]!;
  return {
    infoHash: new Uint8Array(bytes.subarray(INFO_HASH_AT, PEER_ID_AT)),
    peerId: new Uint8Array(bytes.subarray(PEER_ID_AT, HANDSHAKE_BYTES)),
    extended: (bytes[RESERVED_AT + 5]! & EXTENDED_BIT) !== 0,
    dht: (last & DHT_BIT) !== 0,
    fast: (last & FAST_BIT) !== 0,
    v2: (last & V2_BIT) !== 0,
  };
}

/** Whether a stream that begins with `bytes` (any number, none too) can still be BitTorrent: ask as they arrive. */
export function isHandshakePrefix(bytes: Uint8Array): boolean {
  const known = Math.min(bytes.length, PREFIX.length);
  for (let i = 0; i < known; i++) if (bytes[i] !== PREFIX[i]) return false;
  return true;
}
