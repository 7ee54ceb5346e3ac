// Messages as bytes. Short ones are put into a buffer of the caller's, long ones are made whole.

import { writeU16, writeU32 } from '../base/bytes.ts';
import { HASH_QUERY_BYTES, type HashQuery, writeHashQuery } from './hash-query.ts';
import * as ids from './messages.ts';

export { PIECE_HEADER_BYTES } from './messages.ts';

/**
 * The put functions write one message at `at` of `out` and return the offset behind it. They take this many bytes at
 * most: see to the room first. All numbers are from 0 to 2^32 - 1.
 */
export const MAX_PUT_BYTES: number = ids.REQUEST_MESSAGE_BYTES;

export function putKeepAlive(out: Uint8Array, at: number): number {
  writeU32(out, at, 0);
  return at + ids.LENGTH_BYTES;
}

export function putChoke(out: Uint8Array, at: number): number {
  return putHead(out, at, 1, ids.CHOKE);
}

export function putUnchoke(out: Uint8Array, at: number): number {
  return putHead(out, at, 1, ids.UNCHOKE);
}

export function putInterested(out: Uint8Array, at: number): number {
  return putHead(out, at, 1, ids.INTERESTED);
}

export function putNotInterested(out: Uint8Array, at: number): number {
  return putHead(out, at, 1, ids.NOT_INTERESTED);
}

export function putHave(out: Uint8Array, at: number, piece: number): number {
  return putPiece(out, at, ids.HAVE, piece);
}

export function putRequest(out: Uint8Array, at: number, piece: number, begin: number, length: number): number {
  return putBlock(out, at, ids.REQUEST, piece, begin, length);
}

export function putCancel(out: Uint8Array, at: number, piece: number, begin: number, length: number): number {
  return putBlock(out, at, ids.CANCEL, piece, begin, length);
}

/** The 13 bytes before a block of `length` bytes, which must follow. */
export function putPieceHeader(out: Uint8Array, at: number, piece: number, begin: number, length: number): number {
  const fields = putHead(out, at, ids.PIECE_HEADER_BYTES - ids.LENGTH_BYTES + length, ids.PIECE);
  writeU32(out, fields, piece);
  writeU32(out, fields + 4, begin);
  return fields + 8;
}

/** BEP 5: the UDP port of our DHT node. */
export function putPort(out: Uint8Array, at: number, port: number): number {
  const fields = putHead(out, at, 3, ids.PORT);
  writeU16(out, fields, port);
  return fields + 2;
}

/** BEP 6, like the four that follow: only where both sides have set `fast` in their handshakes. */
export function putSuggest(out: Uint8Array, at: number, piece: number): number {
  return putPiece(out, at, ids.SUGGEST, piece);
}

export function putHaveAll(out: Uint8Array, at: number): number {
  return putHead(out, at, 1, ids.HAVE_ALL);
}

export function putHaveNone(out: Uint8Array, at: number): number {
  return putHead(out, at, 1, ids.HAVE_NONE);
}

export function putReject(out: Uint8Array, at: number, piece: number, begin: number, length: number): number {
  return putBlock(out, at, ids.REJECT, piece, begin, length);
}

export function putAllowedFast(out: Uint8Array, at: number, piece: number): number {
  return putPiece(out, at, ids.ALLOWED_FAST, piece);
}

/** A whole message around a bitfield in wire form (copied). Only as the first message, or not at all (BEP 3). */
export function encodeBitfield(wire: Uint8Array): Uint8Array {
  return encodeLong(ids.BITFIELD, wire.length, (out, at) => out.set(wire, at));
}

/** A whole extended message (BEP 10); `id` is 0 for the handshake, else the one that the remote has named. */
export function encodeExtended(id: number, payload: Uint8Array): Uint8Array {
  return encodeLong(ids.EXTENDED, 1 + payload.length, (out, at) => {
    out[at] = id;
    out.set(payload, at + 1);
  });
}

/** BEP 52: asks for hashes; the answer repeats the query. */
export function encodeHashRequest(query: HashQuery): Uint8Array {
  return encodeLong(ids.HASH_REQUEST, HASH_QUERY_BYTES, (out, at) => writeHashQuery(out, at, query));
}

export function encodeHashReject(query: HashQuery): Uint8Array {
  return encodeLong(ids.HASH_REJECT, HASH_QUERY_BYTES, (out, at) => writeHashQuery(out, at, query));
}

/** `hashes`: 32 bytes each, those of the base layer, then the uncles from the lowest up. */
export function encodeHashes(query: HashQuery, hashes: Uint8Array): Uint8Array {
  return encodeLong(ids.HASHES, HASH_QUERY_BYTES + hashes.length, (out, at) => {
    writeHashQuery(out, at, query);
    out.set(hashes, at + HASH_QUERY_BYTES);
  });
}

/** `length` counts the id. Returns where the fields begin. */
function putHead(out: Uint8Array, at: number, length: number, id: number): number {
  writeU32(out, at, length);
  out[at + ids.LENGTH_BYTES] = id;
  return at + ids.LENGTH_BYTES + 1;
}

function putPiece(out: Uint8Array, at: number, id: number, piece: number): number {
  const fields = putHead(out, at, 5, id);
  writeU32(out, fields, piece);
  return fields + 4;
}

function putBlock(out: Uint8Array, at: number, id: number, piece: number, begin: number, length: number): number {
  const fields = putHead(out, at, 13, id);
  writeU32(out, fields, piece);
  writeU32(out, fields + 4, begin);
  writeU32(out, fields + 8, length);
  return fields + 12;
}

function encodeLong(id: number, bodyBytes: number, fill: (out: Uint8Array, at: number) => void): Uint8Array {
  const out = new Uint8Array(ids.LENGTH_BYTES + 1 + bodyBytes);
  fill(out, putHead(out, 0, 1 + bodyBytes, id));
  return out;
}
