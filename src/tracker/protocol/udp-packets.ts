// Packets of the UDP tracker protocol (BEP 15, options of BEP 41), both directions. All integers are big endian.
//
//   request   connection id 8 | action 4 | transaction id 4 | …
//   reply     action 4 | transaction id 4 | …

import { Address } from '../../base/address.ts';
import { concatBytes, readU16, readU32, utf8, writeU16, writeU32 } from '../../base/bytes.ts';
import {
  type AnnounceFields,
  type AnnounceReply,
  type AnnounceRequest,
  EVENT_COMPLETED,
  EVENT_NAMES,
  EVENT_NONE,
  EVENT_PAUSED,
  EVENT_STOPPED,
  HASH_LENGTH,
  type ScrapeEntry,
} from './announce.ts';
import { cleanText } from './text.ts';
import { urlOptions } from './url-data.ts';

export const ACTION_CONNECT = 0;
export const ACTION_ANNOUNCE = 1;
export const ACTION_SCRAPE = 2;
export const ACTION_ERROR = 3;

/** Length of a connect request, and of what precedes the rest in every request. */
export const REQUEST_HEAD_LENGTH = 16;
/** Length of an announce request without options. */
export const ANNOUNCE_REQUEST_LENGTH = 98;
/** Length of an announce reply before its peers. */
export const ANNOUNCE_REPLY_HEAD_LENGTH = 20;
/** Most info hashes of one scrape: with more the reply might not fit into one packet (BEP 15). */
export const MAX_SCRAPE_HASHES = 74;
const CONNECTION_ID_LENGTH = 8;

/** The number that a connect request has in the place of a connection id. */
const PROTOCOL_HIGH = 0x417;
const PROTOCOL_LOW = 0x27101980;

// ---- client: requests

export function encodeConnectRequest(transactionId: number): Uint8Array {
  const out = new Uint8Array(REQUEST_HEAD_LENGTH);
  writeU32(out, 0, PROTOCOL_HIGH);
  writeU32(out, 4, PROTOCOL_LOW);
  writeU32(out, 8, ACTION_CONNECT);
  writeU32(out, 12, transactionId);
  return out;
}

/**
 * `urlData` is the path and query of the tracker's URL (BEP 41), empty for none; what is too long is left out, as a
 * tracker that does not know options would not see it either.
 */
export function encodeAnnounceRequest(
  connectionId: Uint8Array,
  transactionId: number,
  request: AnnounceRequest,
  urlData: string,
): Uint8Array {
  const out = new Uint8Array(ANNOUNCE_REQUEST_LENGTH);
  writeHead(out, connectionId, ACTION_ANNOUNCE, transactionId);
  out.set(request.infoHash, 16);
  out.set(request.peerId, 36);
  writeU64(out, 56, request.downloaded);
  writeU64(out, 64, request.left);
  writeU64(out, 72, request.uploaded);
  writeU32(out, 80, eventNumber(request));
  writeU32(out, 88, request.key);
  writeU32(out, 92, request.numWant ?? 0xffffffff);
  writeU16(out, 96, request.port);
  return urlData === '' ? out : concatBytes([out, urlOptions(utf8(urlData))]);
}

/** UDP has no `paused`: a partial seed announces regularly. */
function eventNumber(request: AnnounceRequest): number {
  const event = EVENT_NAMES.indexOf(request.event);
  return event === EVENT_PAUSED ? EVENT_NONE : event;
}

/** `infoHashes`: 1 to {@link MAX_SCRAPE_HASHES}. */
export function encodeScrapeRequest(
  connectionId: Uint8Array,
  transactionId: number,
  infoHashes: readonly Uint8Array[],
): Uint8Array {
  const out = new Uint8Array(REQUEST_HEAD_LENGTH + HASH_LENGTH * infoHashes.length);
  writeHead(out, connectionId, ACTION_SCRAPE, transactionId);
  for (const [i, hash] of infoHashes.entries()) out.set(hash, REQUEST_HEAD_LENGTH + HASH_LENGTH * i);
  return out;
}

function writeHead(out: Uint8Array, connectionId: Uint8Array, action: number, transactionId: number): void {
  out.set(connectionId, 0);
  writeU32(out, 8, action);
  writeU32(out, 12, transactionId);
}

function writeU64(out: Uint8Array, at: number, value: number): void {
  const whole = Math.min(Math.max(0, value), Number.MAX_SAFE_INTEGER);
  writeU32(out, at, Math.floor(whole / 2 ** 32));
  writeU32(out, at + 4, whole % 2 ** 32);
}

// ---- client: replies

export type UdpReply =
  | { readonly action: 'connect'; readonly connectionId: Uint8Array }
  | { readonly action: 'announce'; readonly reply: AnnounceReply }
  | { readonly action: 'scrape'; readonly entries: readonly ScrapeEntry[] }
  | { readonly action: 'error'; readonly message: string };

/** The transaction id of a reply; -1 where the packet is too short to have one. */
export function replyTransactionId(packet: Uint8Array): number {
  return packet.length < 8 ? -1 : readU32(packet, 4);
}

/** Reads a reply that came over `family`. Null where it is too short for its action. Everything is copied out of `packet`. */
export function decodeReply(packet: Uint8Array, family: 4 | 6): UdpReply | null {
  if (packet.length < 8) return null;
  switch (readU32(packet, 0)) {
    case ACTION_CONNECT:
      return packet.length < 16 ? null : { action: 'connect', connectionId: packet.slice(8, 16) };
    case ACTION_ANNOUNCE:
      return packet.length < ANNOUNCE_REPLY_HEAD_LENGTH
        ? null
        : { action: 'announce', reply: announceReply(packet, family) };
    case ACTION_SCRAPE:
      return { action: 'scrape', entries: scrapeEntries(packet) };
    case ACTION_ERROR:
      return { action: 'error', message: cleanText(packet.subarray(8)) };
    default:
      return null;
  }
}

function announceReply(packet: Uint8Array, family: 4 | 6): AnnounceReply {
  return {
    intervalS: readU32(packet, 8),
    minIntervalS: null,
    trackerId: null,
    leeches: readU32(packet, 12),
    seeds: readU32(packet, 16),
    peers: Address.listFromCompact(packet.subarray(ANNOUNCE_REPLY_HEAD_LENGTH), family),
    warning: null,
    externalIp: null,
  };
}

function scrapeEntries(packet: Uint8Array): ScrapeEntry[] {
  const entries: ScrapeEntry[] = [];
  for (let at = 8; at + 12 <= packet.length; at += 12) {
    entries.push({ seeds: readU32(packet, at), completed: readU32(packet, at + 4), leeches: readU32(packet, at + 8) });
  }
  return entries;
}

// ---- server: requests

/** The action of a request; -1 where the packet is none (too short, or a connect without the protocol's number). */
export function requestAction(packet: Uint8Array): number {
  if (packet.length < REQUEST_HEAD_LENGTH) return -1;
  const action = readU32(packet, 8);
  if (action === ACTION_CONNECT) {
    return readU32(packet, 0) === PROTOCOL_HIGH && readU32(packet, 4) === PROTOCOL_LOW ? ACTION_CONNECT : -1;
  }
  return action === ACTION_ANNOUNCE || action === ACTION_SCRAPE ? action : -1;
}

/** The transaction id of a request that {@link requestAction} has taken. */
export function requestTransactionId(packet: Uint8Array): number {
  return readU32(packet, 12);
}

/**
 * Reads an announce request into `fields`. Returns null or one line that says what is wrong. The address in the packet
 * goes to `fields.ip`: most often the peer is where the packet came from.
 */
export function readAnnounceRequest(packet: Uint8Array, fields: AnnounceFields): string | null {
  if (packet.length < ANNOUNCE_REQUEST_LENGTH) return 'announce is shorter than 98 bytes';
  fields.clear();
  copyInto(fields.infoHash, packet, 16);
  copyInto(fields.peerId, packet, 36);
  fields.downloaded = readU64(packet, 56);
  fields.left = readU64(packet, 64);
  fields.uploaded = readU64(packet, 72);
  const event = readU32(packet, 80);
  fields.event = event >= EVENT_COMPLETED && event <= EVENT_STOPPED ? event : EVENT_NONE;
  fields.ipLength = readU32(packet, 84) === 0 ? 0 : 4;
  for (let i = 0; i < 4; i++) fields.ip[i] = packet[84 + i]!;
  fields.key = readU32(packet, 88);
  const numWant = readU32(packet, 92);
  fields.numWant = numWant > 0x7fffffff ? -1 : numWant;
  fields.port = readU16(packet, 96);
  return fields.port === 0 ? 'port is 0' : null;
}

/** How many info hashes a scrape request has, as far as one reply may tell of them. They begin at byte 16. */
export function scrapeHashCount(packet: Uint8Array): number {
  return Math.min(Math.floor((packet.length - REQUEST_HEAD_LENGTH) / HASH_LENGTH), MAX_SCRAPE_HASHES);
}

function copyInto(into: Uint8Array, from: Uint8Array, at: number): void {
  for (let i = 0; i < into.length; i++) into[i] = from[at + i]!;
}

function readU64(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at) * 2 ** 32 + readU32(bytes, at + 4);
}

// ---- server: replies, written into the caller's buffer; each returns the length of the packet

export function writeConnectReply(out: Uint8Array, transactionId: number, idHigh: number, idLow: number): number {
  writeU32(out, 0, ACTION_CONNECT);
  writeU32(out, 4, transactionId);
  writeU32(out, 8, idHigh);
  writeU32(out, 12, idLow);
  return 8 + CONNECTION_ID_LENGTH;
}

/** The compact peers follow at byte 20, `peerBytes` of them, and are there already. */
export function writeAnnounceReply(
  out: Uint8Array,
  transactionId: number,
  intervalS: number,
  leeches: number,
  seeds: number,
  peerBytes: number,
): number {
  writeU32(out, 0, ACTION_ANNOUNCE);
  writeU32(out, 4, transactionId);
  writeU32(out, 8, intervalS);
  writeU32(out, 12, leeches);
  writeU32(out, 16, seeds);
  return ANNOUNCE_REPLY_HEAD_LENGTH + peerBytes;
}

/** The entries follow, 12 bytes each, by {@link writeScrapeEntry}. */
export function writeScrapeReply(out: Uint8Array, transactionId: number, count: number): number {
  writeU32(out, 0, ACTION_SCRAPE);
  writeU32(out, 4, transactionId);
  return 8 + 12 * count;
}

export function writeScrapeEntry(
  out: Uint8Array,
  index: number,
  seeds: number,
  completed: number,
  leeches: number,
): void {
  const at = 8 + 12 * index;
  writeU32(out, at, seeds);
  writeU32(out, at + 4, completed);
  writeU32(out, at + 8, leeches);
}

export function writeErrorReply(out: Uint8Array, transactionId: number, message: Uint8Array): number {
  writeU32(out, 0, ACTION_ERROR);
  writeU32(out, 4, transactionId);
  out.set(message, 8);
  return 8 + message.length;
}
