// What WebTorrent clients send a tracker over WebSocket: announces with offers, answers to offers of others, scrapes. JSON
// in raw bytes; info hashes, peer ids and offer ids are strings with a character a byte. Offers and answers are not taken
// apart: they are known by where they stand, and go to other peers as they came.
//
//   {"action":"announce","info_hash":"…","peer_id":"…","left":0,"event":"started","numwant":5,
//    "offers":[{"offer":{"type":"offer","sdp":"…"},"offer_id":"…"}]}
//   {"action":"announce","info_hash":"…","peer_id":"…","to_peer_id":"…","offer_id":"…","answer":{"type":"answer","sdp":"…"}}
//   {"action":"scrape","info_hash":"…" or ["…","…"]}

import { fromLatin1 } from '../../base/bytes.ts';
import {
  AnnounceFields,
  EVENT_COMPLETED,
  EVENT_NONE,
  EVENT_PAUSED,
  EVENT_STARTED,
  EVENT_STOPPED,
  HASH_LENGTH,
} from './announce.ts';
import { JsonScan } from './json-scan.ts';
import { indexOf, readAmount } from './json-values.ts';

/** Offers of one announce that are passed on; clients send five, some ten. The rest is left. */
export const MAX_OFFERS = 10;
/** A description with dozens of candidates has some 8 KiB. */
export const MAX_DESCRIPTION_LENGTH: number = 16 * 1024;
/** Ten usual offers have 20 KiB. */
export const MAX_MESSAGE_LENGTH: number = 128 * 1024;
/** Info hashes of one scrape. */
export const MAX_WEB_SCRAPE = 128;

/** Kinds of messages. */
export const WEB_ANNOUNCE = 1;
export const WEB_ANSWER = 2;
export const WEB_SCRAPE = 3;

const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;
const QUOTE = 0x22;
const NULL = 0x6e;

/** Texts are compared as bytes: no string is made of a key. */
const KEYS: readonly Uint8Array[] = [
  'action',
  'info_hash',
  'peer_id',
  'to_peer_id',
  'offer_id',
  'offers',
  'answer',
  'event',
  'left',
  'uploaded',
  'downloaded',
  'numwant',
].map(fromLatin1);
const OFFER_KEYS: readonly Uint8Array[] = ['offer_id', 'offer'].map(fromLatin1);
const ACTIONS: readonly Uint8Array[] = ['announce', 'scrape'].map(fromLatin1);
const EVENT_TEXTS: readonly Uint8Array[] = ['started', 'completed', 'stopped', 'paused'].map(fromLatin1);
const EVENTS: readonly number[] = [EVENT_STARTED, EVENT_COMPLETED, EVENT_STOPPED, EVENT_PAUSED];

/** One message as the server reads it; a single object is filled again for each. Positions are in the bytes that were read. */
export class WebMessage {
  kind = 0;
  /** Info hash and peer id, event, `left` and totals. */
  readonly fields: AnnounceFields = new AnnounceFields();
  hasInfoHash = false;
  /** The offers: where each stands, and its id of 20 bytes. */
  offerCount = 0;
  readonly offerStarts: Uint32Array = new Uint32Array(MAX_OFFERS);
  readonly offerEnds: Uint32Array = new Uint32Array(MAX_OFFERS);
  readonly offerIds: Uint8Array = new Uint8Array(MAX_OFFERS * HASH_LENGTH);
  answerStart = 0;
  answerEnd = 0;
  readonly offerId: Uint8Array = new Uint8Array(HASH_LENGTH);
  readonly toPeerId: Uint8Array = new Uint8Array(HASH_LENGTH);
  /** Info hashes of a scrape, 20 bytes each. */
  readonly hashes: Uint8Array = new Uint8Array(MAX_WEB_SCRAPE * HASH_LENGTH);
  hashCount = 0;
  /** The fault was that it is not UTF-8: the connection has to be closed (RFC 6455, section 8.1). */
  isBadText = false;
}

const scan = new JsonScan();
const scratchKey = new Uint8Array(12);
const scratchText = new Uint8Array(24);
const scratchHash = new Uint8Array(32);
const NO_JSON = 'this is no JSON object';

/**
 * Reads a message. Returns null, or one line that says what is wrong with it, fit for a `failure reason`. Keys that are not
 * known are passed over; of one that comes twice the last counts.
 */
export function readWebMessage(bytes: Uint8Array, start: number, end: number, message: WebMessage): string | null {
  clear(message);
  scan.begin(bytes, start, end);
  const fault = readKeys(message);
  message.isBadText = scan.isBadText;
  if (fault !== null) return fault;
  if (scan.peek() !== -1) return NO_JSON;
  return check(message);
}

/** Bits of {@link seen}: strings of 20 bytes that were read. */
const PEER_ID = 1;
const TO_PEER_ID = 2;
const OFFER_ID = 4;
let seen = 0;

function clear(message: WebMessage): void {
  message.kind = 0;
  message.fields.clear();
  message.hasInfoHash = false;
  message.offerCount = 0;
  message.answerEnd = 0;
  message.hashCount = 0;
  seen = 0;
}

function readKeys(message: WebMessage): string | null {
  if (!scan.open(OPEN_OBJECT)) return NO_JSON;
  for (let isFirst = true; ; isFirst = false) {
    const more = scan.more(OPEN_OBJECT, isFirst);
    if (more === 0) return null;
    const length = more < 0 ? -1 : scan.readKey(scratchKey);
    if (length === -1) return NO_JSON;
    const fault = readValue(indexOf(KEYS, scratchKey, length), message);
    if (fault !== null) return fault;
  }
}

/** `key` is a place in KEYS. */
function readValue(key: number, message: WebMessage): string | null {
  const { fields } = message;
  switch (key) {
    case 0:
      return readAction(message);
    case 1:
      return readHashes(message);
    case 2:
      return readId(fields.peerId, PEER_ID) ? null : 'peer_id is not 20 bytes';
    case 3:
      return readId(message.toPeerId, TO_PEER_ID) ? null : 'to_peer_id is not 20 bytes';
    case 4:
      return readId(message.offerId, OFFER_ID) ? null : 'offer_id is not 20 bytes';
    case 5:
      return readOffers(message);
    case 6:
      return readAnswer(message);
    case 7:
      return readEvent(fields);
    case 8:
      fields.left = readAmount(scan, Number.POSITIVE_INFINITY);
      return fields.left < 0 ? NO_JSON : null;
    case 9:
      fields.uploaded = readAmount(scan, 0);
      return fields.uploaded < 0 ? NO_JSON : null;
    case 10:
      fields.downloaded = readAmount(scan, 0);
      return fields.downloaded < 0 ? NO_JSON : null;
    case 11:
      fields.numWant = readAmount(scan, Number.POSITIVE_INFINITY);
      return fields.numWant < 0 ? NO_JSON : null;
    default:
      return scan.passValue() ? null : NO_JSON;
  }
}

function check(message: WebMessage): string | null {
  if (message.kind === 0) return 'action is missing';
  if (message.kind === WEB_SCRAPE) return null;
  if (!message.hasInfoHash) return 'info_hash is missing';
  if ((seen & PEER_ID) === 0) return 'peer_id is missing';
  if (message.answerEnd === 0) return null;
  message.kind = WEB_ANSWER;
  if ((seen & TO_PEER_ID) === 0) return 'to_peer_id is missing';
  return (seen & OFFER_ID) === 0 ? 'offer_id is missing' : null;
}

function readAction(message: WebMessage): string | null {
  const length = scan.peek() === QUOTE ? scan.readString(scratchText) : -1;
  if (length === -1) return NO_JSON;
  const action = indexOf(ACTIONS, scratchText, length);
  message.kind = action === 0 ? WEB_ANNOUNCE : action === 1 ? WEB_SCRAPE : 0;
  return message.kind === 0 ? 'action is neither announce nor scrape' : null;
}

/** One info hash, or for a scrape several. Of a whole v2 info hash the first 20 bytes count (BEP 52). */
function readHashes(message: WebMessage): string | null {
  const { fields, hashes } = message;
  message.hashCount = 0;
  if (scan.peek() !== OPEN_ARRAY) {
    if (!readHash(fields.infoHash)) return 'info_hash is not 20 bytes';
    hashes.set(fields.infoHash);
    message.hasInfoHash = true;
    message.hashCount = 1;
    return null;
  }
  scan.open(OPEN_ARRAY);
  for (let isFirst = true; ; isFirst = false) {
    const more = scan.more(OPEN_ARRAY, isFirst);
    if (more <= 0) return more === 0 ? null : NO_JSON;
    if (message.hashCount === MAX_WEB_SCRAPE) return `more than ${MAX_WEB_SCRAPE} info hashes`;
    const at = message.hashCount * HASH_LENGTH;
    if (!readHash(hashes.subarray(at, at + HASH_LENGTH))) return 'info_hash is not 20 bytes';
    message.hashCount++;
  }
}

function readHash(into: Uint8Array): boolean {
  const length = scan.readString(scratchHash);
  if (length !== HASH_LENGTH && length !== scratchHash.length) return false;
  for (let i = 0; i < HASH_LENGTH; i++) into[i] = scratchHash[i]!;
  return true;
}

function readId(into: Uint8Array, bit: number): boolean {
  if (scan.readString(into) !== HASH_LENGTH) return false;
  seen |= bit;
  return true;
}

function readOffers(message: WebMessage): string | null {
  message.offerCount = 0;
  if (scan.peek() !== OPEN_ARRAY) return scan.passValue() ? null : NO_JSON;
  scan.open(OPEN_ARRAY);
  for (let isFirst = true; ; isFirst = false) {
    const more = scan.more(OPEN_ARRAY, isFirst);
    if (more <= 0) return more === 0 ? null : NO_JSON;
    if (message.offerCount === MAX_OFFERS) {
      if (!scan.passValue()) return NO_JSON;
      continue;
    }
    const fault = readOffer(message, message.offerCount);
    if (fault !== null) return fault;
    message.offerCount++;
  }
}

function readOffer(message: WebMessage, nth: number): string | null {
  const id = message.offerIds.subarray(nth * HASH_LENGTH, (nth + 1) * HASH_LENGTH);
  let hasId = false;
  let hasOffer = false;
  if (!scan.open(OPEN_OBJECT)) return scan.peek() < 0 ? NO_JSON : 'an offer is no object';
  for (let isFirst = true; ; isFirst = false) {
    const more = scan.more(OPEN_OBJECT, isFirst);
    if (more < 0) return NO_JSON;
    if (more === 0) return hasId && hasOffer ? null : 'an offer is not complete';
    const length = scan.readKey(scratchKey);
    if (length === -1) return NO_JSON;
    const key = indexOf(OFFER_KEYS, scratchKey, length);
    if (key === 0) {
      if (scan.readString(id) !== HASH_LENGTH) return 'offer_id is not 20 bytes';
      hasId = true;
    } else if (key === 1) {
      const fault = readDescription();
      if (fault !== null) return fault;
      message.offerStarts[nth] = descriptionStart;
      message.offerEnds[nth] = scan.at;
      hasOffer = true;
    } else if (!scan.passValue()) return NO_JSON;
  }
}

function readAnswer(message: WebMessage): string | null {
  message.answerEnd = 0;
  if (scan.peek() === NULL) return scan.passValue() ? null : NO_JSON;
  const fault = readDescription();
  message.answerStart = descriptionStart;
  message.answerEnd = scan.at;
  return fault;
}

let descriptionStart = 0;

/** Passes a session description, which begins at `descriptionStart`. */
function readDescription(): string | null {
  if (scan.peek() !== OPEN_OBJECT) return 'an offer or answer is no object';
  descriptionStart = scan.at;
  if (!scan.passValue()) return NO_JSON;
  return scan.at - descriptionStart > MAX_DESCRIPTION_LENGTH ? 'an offer or answer is too long' : null;
}

/** What is no known event is a regular announce. */
function readEvent(fields: AnnounceFields): string | null {
  if (scan.peek() !== QUOTE) return scan.passValue() ? null : NO_JSON;
  const length = scan.readString(scratchText);
  if (length === -1) return NO_JSON;
  fields.event = EVENTS[indexOf(EVENT_TEXTS, scratchText, length)] ?? EVENT_NONE;
  return null;
}
