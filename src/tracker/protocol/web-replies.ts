// What a tracker sends WebTorrent clients over WebSocket: replies to announces and scrapes, and what other peers offer and
// answer. JSON, straight into one buffer that is used again.

import { fromLatin1, utf8 } from '../../base/bytes.ts';
import { HASH_LENGTH } from './announce.ts';
import type { ReplyWriter, SwarmCounts } from './http-reply-writer.ts';

const ANNOUNCE = fromLatin1('{"action":"announce","info_hash":');
const INTERVAL = fromLatin1(',"interval":');
const COMPLETE = fromLatin1(',"complete":');
const INCOMPLETE = fromLatin1(',"incomplete":');
const PEER_ID = fromLatin1(',"peer_id":');
const OFFER_ID = fromLatin1(',"offer_id":');
const OFFER = fromLatin1(',"offer":');
const ANSWER = fromLatin1(',"answer":');
const SCRAPE = fromLatin1('{"action":"scrape","files":{');
const ENTRY = fromLatin1(':{"complete":');
const DOWNLOADED = fromLatin1(',"downloaded":');
const FLAGS = fromLatin1('},"flags":{"min_request_interval":');
const END = fromLatin1('}');
const END_TWICE = fromLatin1('}}');

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const HEX = fromLatin1('0123456789abcdef');
const ESCAPE = fromLatin1('\\u00');

/** 20 bytes as a JSON string have no more: an escape of six characters each, and quotes. */
const MAX_ID_LENGTH: number = 6 * HASH_LENGTH + 2;
/** What is passed on is longer by less than this than the offer or answer itself; an announce reply is shorter. */
export const MAX_PASSED_EXTRA: number = 3 * MAX_ID_LENGTH + 128;
/** An entry of a scrape is shorter than this. */
export const MAX_WEB_SCRAPE_ENTRY: number = MAX_ID_LENGTH + 128;

/** Bytes as a JSON string of a character each. */
export function putJsonBytes(out: ReplyWriter, from: Uint8Array, start: number, end: number): void {
  const { bytes } = out;
  let at = out.at;
  bytes[at++] = QUOTE;
  for (let i = start; i < end; i++) {
    const byte = from[i]!;
    if (byte >= 0x80) {
      bytes[at++] = 0xc0 | (byte >> 6);
      bytes[at++] = 0x80 | (byte & 0x3f);
    } else if (byte < 0x20) {
      bytes.set(ESCAPE, at);
      bytes[at + 4] = HEX[byte >> 4]!;
      bytes[at + 5] = HEX[byte & 15]!;
      at += 6;
    } else {
      if (byte === QUOTE || byte === BACKSLASH) bytes[at++] = BACKSLASH;
      bytes[at++] = byte;
    }
  }
  bytes[at++] = QUOTE;
  out.at = at;
}

export function writeWebAnnounceReply(
  out: ReplyWriter,
  infoHash: Uint8Array,
  counts: SwarmCounts,
  intervalS: number,
): void {
  out.put(ANNOUNCE);
  putJsonBytes(out, infoHash, 0, HASH_LENGTH);
  out.put(INTERVAL);
  out.putNumber(intervalS);
  out.put(COMPLETE);
  out.putNumber(counts.seeds);
  out.put(INCOMPLETE);
  out.putNumber(counts.leeches);
  out.put(END);
}

/**
 * What the peer `peerId` offers or answers (`isAnswer`): the description `from[start..end)` as it came. `offerIds` has the
 * offer's id from `idAt` on.
 */
export function writePassedOn(
  out: ReplyWriter,
  isAnswer: boolean,
  infoHash: Uint8Array,
  peerId: Uint8Array,
  offerIds: Uint8Array,
  idAt: number,
  from: Uint8Array,
  start: number,
  end: number,
): void {
  out.put(ANNOUNCE);
  putJsonBytes(out, infoHash, 0, HASH_LENGTH);
  out.put(PEER_ID);
  putJsonBytes(out, peerId, 0, HASH_LENGTH);
  out.put(OFFER_ID);
  putJsonBytes(out, offerIds, idAt, idAt + HASH_LENGTH);
  out.put(isAnswer ? ANSWER : OFFER);
  out.put(from.subarray(start, end));
  out.put(END);
}

/** A scrape reply is a head, entries, and an end. */
export function writeWebScrapeHead(out: ReplyWriter): void {
  out.put(SCRAPE);
}

export function writeWebScrapeEntry(
  out: ReplyWriter,
  infoHash: Uint8Array,
  counts: SwarmCounts,
  isFirst: boolean,
): void {
  if (!isFirst) out.bytes[out.at++] = COMMA;
  putJsonBytes(out, infoHash, 0, HASH_LENGTH);
  out.put(ENTRY);
  out.putNumber(counts.seeds);
  out.put(INCOMPLETE);
  out.putNumber(counts.leeches);
  out.put(DOWNLOADED);
  out.putNumber(counts.completed);
  out.put(END);
}

export function writeWebScrapeEnd(out: ReplyWriter, minIntervalS: number): void {
  out.put(FLAGS);
  out.putNumber(minIntervalS);
  out.put(END_TWICE);
}

/**
 * A refusal, with when to ask again where that is known (in minutes, as in BEP 31). `infoHash`: null where none was read;
 * `isScrape`: of a scrape.
 */
export function encodeWebRefusal(
  reason: string,
  retryInMinutes: number | 'never' | null,
  infoHash: string | null,
  isScrape: boolean,
): Uint8Array {
  const refusal = {
    action: isScrape ? 'scrape' : 'announce',
    'failure reason': reason,
    ...(infoHash !== null && { info_hash: infoHash }),
    ...(retryInMinutes !== null && { 'retry in': retryInMinutes }),
  };
  return utf8(JSON.stringify(refusal));
}
