// Replies of HTTP trackers as a client reads them (BEP 3, 7, 23, 24, 31, 48). The body is hostile: every field may be
// missing, of another type or out of range, and then counts as not given.

import { Address } from '../../base/address.ts';
import { fromLatin1, latin1, toHex } from '../../base/bytes.ts';
import { describeError, ShoalError } from '../../base/errors.ts';
import {
  asBytes,
  asDict,
  asInteger,
  asList,
  type BencodeDict,
  type BencodeValue,
  decode,
} from '../../bencode/decode.ts';
import { type AnnounceReply, DEFAULT_INTERVAL_S, HASH_LENGTH, type ScrapeEntry } from './announce.ts';
import { cleanText } from './text.ts';

/** Most peers taken from one reply: ten times what trackers give, and more than a torrent dials in an hour. */
const MAX_PEERS = 2000;
/** Longest tracker id that is repeated: it goes into every later URL. */
const MAX_TRACKER_ID = 256;
/** Values in one body: enough for MAX_PEERS dictionaries of three entries, and for a large scrape. */
const MAX_ITEMS = 50_000;

/** The tracker says no (BEP 3). */
export interface TrackerRefusal {
  readonly reason: string;
  /** When it may be asked again (BEP 31); Infinity: never; null: it does not say. */
  readonly retryInS: number | null;
}

export type AnnounceOutcome = { readonly reply: AnnounceReply } | { readonly refusal: TrackerRefusal };

export type ScrapeOutcome =
  /** By info hash in hexadecimal. */
  | { readonly entries: ReadonlyMap<string, ScrapeEntry>; readonly minIntervalS: number | null }
  | { readonly refusal: TrackerRefusal };

/** Reads the body of an announce reply; nothing in the outcome is borrowed. Throws TRACKER_INVALID where it is no dictionary. */
export function decodeAnnounceReply(body: Uint8Array): AnnounceOutcome {
  const dict = readBody(body);
  const refusal = readRefusal(dict);
  if (refusal !== null) return { refusal };
  const trackerId = asBytes(dict.get('tracker id'));
  const externalIp = asBytes(dict.get('external ip'));
  return {
    reply: {
      intervalS: asInteger(dict.get('interval'), 1) ?? DEFAULT_INTERVAL_S,
      minIntervalS: asInteger(dict.get('min interval'), 1),
      trackerId: trackerId === null || trackerId.length > MAX_TRACKER_ID ? null : latin1(trackerId),
      seeds: asInteger(dict.get('complete'), 0),
      leeches: asInteger(dict.get('incomplete'), 0),
      peers: [...readPeers(dict.get('peers')), ...readCompact(dict.get('peers6'), 6)].slice(0, MAX_PEERS),
      warning: readText(dict.get('warning message')),
      externalIp: externalIp?.length === 4 || externalIp?.length === 16 ? externalIp.slice() : null,
    },
  };
}

/** Reads the body of a scrape reply. Throws TRACKER_INVALID where it is no dictionary. */
export function decodeScrapeReply(body: Uint8Array): ScrapeOutcome {
  const dict = readBody(body);
  const refusal = readRefusal(dict);
  if (refusal !== null) return { refusal };
  const entries = new Map<string, ScrapeEntry>();
  for (const [hash, value] of asDict(dict.get('files')) ?? []) {
    const entry = asDict(value);
    if (entry === null || hash.length !== HASH_LENGTH) continue;
    entries.set(toHex(fromLatin1(hash)), {
      seeds: asInteger(entry.get('complete'), 0) ?? 0,
      leeches: asInteger(entry.get('incomplete'), 0) ?? 0,
      completed: asInteger(entry.get('downloaded'), 0) ?? 0,
    });
  }
  return { entries, minIntervalS: asInteger(asDict(dict.get('flags'))?.get('min_request_interval'), 1) };
}

/** The refusal in a body that came with a bad HTTP status; null where there is none. Never throws. */
export function findRefusal(body: Uint8Array): TrackerRefusal | null {
  try {
    return readRefusal(readBody(body));
  } catch {
    return null;
  }
}

function readBody(body: Uint8Array): BencodeDict {
  let dict: BencodeDict | null;
  try {
    dict = asDict(decode(body, { allowTrailing: true, maxItems: MAX_ITEMS, maxDepth: 8 }));
  } catch (error) {
    throw new ShoalError('TRACKER_INVALID', `the tracker's reply cannot be read: ${describeError(error)}`, error);
  }
  if (dict === null) throw new ShoalError('TRACKER_INVALID', "the tracker's reply is no dictionary");
  return dict;
}

function readRefusal(dict: BencodeDict): TrackerRefusal | null {
  const reason = dict.get('failure reason');
  if (reason === undefined) return null;
  return { reason: readText(reason) ?? 'no reason given', retryInS: readRetry(dict.get('retry in')) };
}

/** BEP 31: minutes, as text in its examples and as an integer in its words, or `never`. */
function readRetry(value: BencodeValue | undefined): number | null {
  const bytes = asBytes(value);
  if (bytes === null) {
    const minutes = asInteger(value, 1);
    return minutes === null ? null : minutes * 60;
  }
  const text = latin1(bytes.subarray(0, 16)).trim();
  if (text === 'never') return Number.POSITIVE_INFINITY;
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) * 60 : null;
}

function readText(value: BencodeValue | undefined): string | null {
  const bytes = asBytes(value);
  if (bytes === null || bytes.length === 0) return null;
  return cleanText(bytes);
}

function readPeers(value: BencodeValue | undefined): Address[] {
  const list = asList(value);
  if (list === null) return readCompact(value, 4);
  const out: Address[] = [];
  for (const each of list) {
    if (out.length === MAX_PEERS) break;
    const address = readPeer(asDict(each));
    if (address !== null) out.push(address);
  }
  return out;
}

/** A dictionary peer. A host name in the place of an IP address is passed over: it would let a tracker aim our look-ups. */
function readPeer(dict: BencodeDict | null): Address | null {
  const host = asBytes(dict?.get('ip'));
  const port = asInteger(dict?.get('port'), 1);
  if (host === null || host.length > 64 || port === null || port > 65535) return null;
  return Address.from(latin1(host), port);
}

function readCompact(value: BencodeValue | undefined, family: 4 | 6): Address[] {
  const bytes = asBytes(value);
  if (bytes === null) return [];
  return Address.listFromCompact(bytes.subarray(0, MAX_PEERS * (family === 4 ? 6 : 18)), family);
}
