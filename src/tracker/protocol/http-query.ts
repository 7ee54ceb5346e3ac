// The query of an HTTP announce or scrape, both ways: read from raw bytes without making strings, and built for a URL.

import { parseIp } from '../../base/address.ts';
import { fromLatin1, latin1 } from '../../base/bytes.ts';
import {
  type AnnounceFields,
  type AnnounceRequest,
  EVENT_COMPLETED,
  EVENT_NONE,
  EVENT_PAUSED,
  EVENT_STARTED,
  EVENT_STOPPED,
  HASH_LENGTH,
} from './announce.ts';
import { percentDecodeInto, percentEncode } from './percent.ts';

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PERCENT = 0x25;

/** Parameters that the server reads. Names longer than the longest of them are unknown. */
const NAMES = [
  'info_hash',
  'peer_id',
  'port',
  'uploaded',
  'downloaded',
  'left',
  'event',
  'numwant',
  'key',
  'compact',
  'no_peer_id',
  'ip',
] as const;
type Name = (typeof NAMES)[number];

const NAME_BYTES: readonly Uint8Array[] = NAMES.map((name) => fromLatin1(name));
const LONGEST_NAME = 10;

const EVENTS: ReadonlyMap<string, number> = new Map([
  ['started', EVENT_STARTED],
  ['completed', EVENT_COMPLETED],
  ['stopped', EVENT_STOPPED],
  ['paused', EVENT_PAUSED],
]);

const scratchName = new Uint8Array(LONGEST_NAME);
/** Longest value of a number or an event that is read; longer ones are malformed. */
const scratchValue = new Uint8Array(24);
const V2_HASH_LENGTH = 32;
const scratchHash = new Uint8Array(V2_HASH_LENGTH);
/** The longest text of an IPv6 address. */
const scratchIp = new Uint8Array(45);

/** Which known parameter `bytes[start..end)` names; null for others. Percent-encoded names are understood. */
function nameOf(bytes: Uint8Array, start: number, end: number): Name | null {
  let from = bytes;
  let at = start;
  let length = end - start;
  if (includesPercent(bytes, start, end)) {
    length = percentDecodeInto(bytes, start, end, scratchName);
    from = scratchName;
    at = 0;
  }
  if (length < 2 || length > LONGEST_NAME) return null;
  for (let i = 0; i < NAMES.length; i++) {
    const name = NAME_BYTES[i]!;
    if (name.length === length && matches(from, at, name)) return NAMES[i]!;
  }
  return null;
}

function includesPercent(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === PERCENT) return true;
  return false;
}

function matches(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false;
  return true;
}

/** A whole number, not negative; -1 where the value is none. Numbers past 2^53 lose their last digits, no more. */
function readNumber(bytes: Uint8Array, start: number, end: number): number {
  const length = percentDecodeInto(bytes, start, end, scratchValue);
  if (length <= 0) return -1;
  let value = 0;
  for (let i = 0; i < length; i++) {
    const digit = scratchValue[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** -1 for any other text than a number from -1 up: `numwant=-1` is how some clients leave it to the tracker. */
function readNumWant(bytes: Uint8Array, start: number, end: number): number {
  return Math.min(readNumber(bytes, start, end), 0x7fffffff);
}

function readEvent(bytes: Uint8Array, start: number, end: number): number {
  if (end === start) return EVENT_NONE;
  const length = percentDecodeInto(bytes, start, end, scratchValue);
  if (length < 0) return EVENT_NONE;
  return EVENTS.get(latin1(scratchValue.subarray(0, length))) ?? EVENT_NONE;
}

/** A whole v2 info hash is cut to its first 20 bytes, as all trackers know it (BEP 52). */
function readInfoHash(bytes: Uint8Array, start: number, end: number, into: Uint8Array): boolean {
  const length = percentDecodeInto(bytes, start, end, scratchHash);
  for (let i = 0; i < HASH_LENGTH; i++) into[i] = scratchHash[i]!;
  return length === HASH_LENGTH || length === V2_HASH_LENGTH;
}

/** An address as text (BEP 3); what is none, such as a host name, is passed over. Few clients send it: a string may be made. */
function readIp(bytes: Uint8Array, start: number, end: number, fields: AnnounceFields): void {
  const length = percentDecodeInto(bytes, start, end, scratchIp);
  const ip = length > 0 ? parseIp(latin1(scratchIp.subarray(0, length))) : null;
  fields.ipLength = ip === null ? 0 : ip.length;
  if (ip !== null) fields.ip.set(ip);
}

/** `key` is eight hexadecimal digits by custom; any other text becomes some number that stands for it. */
function readKey(bytes: Uint8Array, start: number, end: number): number {
  let key = 0;
  for (let at = start; at < end; at++) key = (Math.imul(key, 31) + bytes[at]!) >>> 0;
  return key;
}

/**
 * Reads the query `bytes[start..end)` of an announce (without the `?`) into `fields`. Returns null, or one line that
 * says what is wrong with it, fit for a `failure reason`. Unknown parameters are passed over. Of a parameter that
 * comes twice the last counts, but for `info_hash`, `peer_id` and `port`, where it is a fault.
 */
export function readAnnounceQuery(
  bytes: Uint8Array,
  start: number,
  end: number,
  fields: AnnounceFields,
): string | null {
  fields.clear();
  let hasInfoHash = false;
  let hasPeerId = false;
  let hasPort = false;
  for (let at = start; at < end; ) {
    const next = endOfParameter(bytes, at, end);
    const equals = endOfName(bytes, at, next);
    const value = Math.min(equals + 1, next);
    switch (nameOf(bytes, at, equals)) {
      case 'info_hash':
        if (hasInfoHash) return 'info_hash given more than once';
        if (!readInfoHash(bytes, value, next, fields.infoHash)) return 'info_hash is not 20 bytes';
        hasInfoHash = true;
        break;
      case 'peer_id':
        if (hasPeerId) return 'peer_id given more than once';
        if (percentDecodeInto(bytes, value, next, fields.peerId) !== HASH_LENGTH) return 'peer_id is not 20 bytes';
        hasPeerId = true;
        break;
      case 'port':
        if (hasPort) return 'port given more than once';
        fields.port = readNumber(bytes, value, next);
        if (fields.port < 1 || fields.port > 65535) return 'port is not a number from 1 to 65535';
        hasPort = true;
        break;
      case 'uploaded':
        fields.uploaded = Math.max(0, readNumber(bytes, value, next));
        break;
      case 'downloaded':
        fields.downloaded = Math.max(0, readNumber(bytes, value, next));
        break;
      case 'left': {
        const left = readNumber(bytes, value, next);
        fields.left = left < 0 ? Number.POSITIVE_INFINITY : left;
        break;
      }
      case 'event':
        fields.event = readEvent(bytes, value, next);
        break;
      case 'numwant':
        fields.numWant = readNumWant(bytes, value, next);
        break;
      case 'key':
        fields.key = readKey(bytes, value, next);
        break;
      case 'no_peer_id':
        fields.noPeerId = readNumber(bytes, value, next) === 1;
        break;
      case 'ip':
        readIp(bytes, value, next, fields);
        break;
      case 'compact':
        fields.compact = readNumber(bytes, value, next) !== 0;
        break;
      case null:
        break;
    }
    at = next + 1;
  }
  if (!hasInfoHash) return 'info_hash is missing';
  if (!hasPeerId) return 'peer_id is missing';
  if (!hasPort) return 'port is missing';
  return null;
}

/**
 * Reads the info hashes of a scrape query into `into`, 20 bytes each, as many as fit; the rest are passed over.
 * Returns how many there are, or -1 where one is not 20 bytes long.
 */
export function readScrapeQuery(bytes: Uint8Array, start: number, end: number, into: Uint8Array): number {
  let count = 0;
  for (let at = start; at < end; ) {
    const next = endOfParameter(bytes, at, end);
    const equals = endOfName(bytes, at, next);
    if (nameOf(bytes, at, equals) === 'info_hash') {
      const room = into.subarray(count * HASH_LENGTH, (count + 1) * HASH_LENGTH);
      if (room.length < HASH_LENGTH) return count;
      if (!readInfoHash(bytes, Math.min(equals + 1, next), next, room)) return -1;
      count++;
    }
    at = next + 1;
  }
  return count;
}

function endOfParameter(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== AMPERSAND) at++;
  return at;
}

function endOfName(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== EQUALS) at++;
  return at;
}

/** The query of an announce, without a leading `?`. */
export function announceQuery(request: AnnounceRequest): string {
  const parts = [
    `info_hash=${percentEncode(request.infoHash)}`,
    `peer_id=${percentEncode(request.peerId)}`,
    `port=${request.port}`,
    `uploaded=${request.uploaded}`,
    `downloaded=${request.downloaded}`,
    `left=${request.left}`,
    'compact=1',
    'no_peer_id=1',
    `key=${request.key.toString(16).toUpperCase().padStart(8, '0')}`,
  ];
  if (request.numWant !== null) parts.push(`numwant=${request.numWant}`);
  if (request.event !== 'none') parts.push(`event=${request.event}`);
  if (request.trackerId !== null) parts.push(`trackerid=${percentEncode(fromLatin1(request.trackerId))}`);
  return parts.join('&');
}

/** Adds parameters to a URL that may have some already (`?passkey=…`); a fragment is dropped. */
export function withQuery(url: string, query: string): string {
  const base = url.split('#', 1)[0]!;
  if (!base.includes('?')) return `${base}?${query}`;
  return base.endsWith('?') || base.endsWith('&') ? base + query : `${base}&${query}`;
}

/** The URL that this announce is asked at. */
export function announceUrl(url: string, request: AnnounceRequest): string {
  return withQuery(url, announceQuery(request));
}

/** The URL that a scrape is asked at; null where the path has no `announce` to put `scrape` for (BEP 48). */
export function scrapeUrl(url: string, infoHashes: readonly Uint8Array[]): string | null {
  const base = url.split('#', 1)[0]!;
  const queryAt = base.indexOf('?');
  const path = queryAt < 0 ? base : base.slice(0, queryAt);
  const pathAt = path.indexOf('/', path.indexOf('://') + 3);
  const at = path.lastIndexOf('announce');
  if (pathAt < 0 || at < pathAt) return null;
  const scrape = `${path.slice(0, at)}scrape${path.slice(at + 'announce'.length)}`;
  return withQuery(
    queryAt < 0 ? scrape : scrape + base.slice(queryAt),
    infoHashes.map((hash) => `info_hash=${percentEncode(hash)}`).join('&'),
  );
}
