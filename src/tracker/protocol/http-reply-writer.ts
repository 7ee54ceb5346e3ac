// Bencoded replies as the server makes them, straight into one buffer that is used again: no values, no strings.

import { formatIp } from '../../base/address.ts';
import { fromLatin1, readU16, utf8 } from '../../base/bytes.ts';
import { encode } from '../../bencode/encode.ts';

const HEAD_SEEDS = fromLatin1('d8:completei');
const COMPLETED = fromLatin1('e10:downloadedi');
const EXTERNAL_4 = fromLatin1('e11:external ip4:');
const EXTERNAL_6 = fromLatin1('e11:external ip16:');
const LEECHES_AFTER_TEXT = fromLatin1('10:incompletei');
const LEECHES = fromLatin1('e10:incompletei');
const INTERVAL = fromLatin1('e8:intervali');
const MIN_INTERVAL = fromLatin1('e12:min intervali');
const PEERS = fromLatin1('e5:peers');
const PEERS6 = fromLatin1('6:peers6');
const TRACKER_ID = fromLatin1('10:tracker id');
const END = fromLatin1('e');

const FILES = fromLatin1('d5:filesd');
const HASH = fromLatin1('20:');
const DOWNLOADERS = fromLatin1('e11:downloadersi');
const ENTRY_END = fromLatin1('ee');
const FLAGS = fromLatin1('e5:flagsd20:min_request_intervali');
const FLAGS_END = fromLatin1('eee');

const PEER_IP = fromLatin1('d2:ip');
const PEER_ID = fromLatin1('7:peer id20:');
const PEER_PORT = fromLatin1('4:porti');

/** What an announce reply tells apart from its peers. */
export interface SwarmCounts {
  readonly seeds: number;
  readonly leeches: number;
  /** Leeches that still download: without partial seeds (BEP 21). */
  readonly downloaders: number;
  readonly completed: number;
}

/** A buffer and how far it is filled. The caller sees to it that what is written fits. */
export class ReplyWriter {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(lengthBytes: number) {
    this.bytes = new Uint8Array(lengthBytes);
  }

  put(part: Uint8Array): void {
    this.bytes.set(part, this.at);
    this.at += part.length;
  }

  /** The first `length` bytes of `part`, with less ado than a view for it. */
  putFirst(part: Uint8Array, length: number): void {
    const { bytes, at } = this;
    for (let i = 0; i < length; i++) bytes[at + i] = part[i]!;
    this.at += length;
  }

  /** A whole number, not negative, in decimal. */
  putNumber(value: number): void {
    let digits = 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
    let rest = value;
    for (let i = this.at + digits - 1; i >= this.at; i--) {
      this.bytes[i] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.at += digits;
  }

  /** A byte string: the first `length` bytes of `part`. */
  putString(part: Uint8Array, length: number): void {
    this.putNumber(length);
    this.bytes[this.at++] = 0x3a;
    this.putFirst(part, length);
  }
}

/**
 * Writes an announce reply (BEP 3, 7, 23, 24). `peers4` and `peers6` are compact peers, the first `length4` and
 * `length6` bytes of them; without `compact` both become dictionaries, with the peer ids of `ids4` and `ids6`, 20 bytes
 * each, where these are not null.
 * `ip`: the asker's own address, 4 or 16 bytes. `trackerId`: what clients say back to us, at most 16 bytes.
 */
export function writeAnnounceReply(
  out: ReplyWriter,
  counts: SwarmCounts,
  intervalS: number,
  minIntervalS: number,
  ip: Uint8Array,
  compact: boolean,
  peers4: Uint8Array,
  length4: number,
  peers6: Uint8Array,
  length6: number,
  trackerId: Uint8Array,
  ids4: Uint8Array | null = null,
  ids6: Uint8Array | null = null,
): void {
  out.put(HEAD_SEEDS);
  out.putNumber(counts.seeds);
  out.put(COMPLETED);
  out.putNumber(counts.completed);
  out.put(ip.length === 4 ? EXTERNAL_4 : EXTERNAL_6);
  out.put(ip);
  out.put(LEECHES_AFTER_TEXT);
  out.putNumber(counts.leeches);
  out.put(INTERVAL);
  out.putNumber(intervalS);
  out.put(MIN_INTERVAL);
  out.putNumber(minIntervalS);
  out.put(PEERS);
  if (compact) {
    out.putString(peers4, length4);
    if (length6 > 0) {
      out.put(PEERS6);
      out.putString(peers6, length6);
    }
  } else {
    out.bytes[out.at++] = 0x6c;
    putPeerDicts(out, peers4, length4, 4, ids4);
    putPeerDicts(out, peers6, length6, 16, ids6);
    out.put(END);
  }
  out.put(TRACKER_ID);
  out.putString(trackerId, trackerId.length);
  out.put(END);
}

function putPeerDicts(
  out: ReplyWriter,
  peers: Uint8Array,
  length: number,
  ipLength: 4 | 16,
  ids: Uint8Array | null,
): void {
  for (let at = 0, i = 0; at < length; at += ipLength + 2, i++) {
    const host = fromLatin1(formatIp(peers.subarray(at, at + ipLength)));
    out.put(PEER_IP);
    out.putString(host, host.length);
    if (ids !== null) {
      out.put(PEER_ID);
      out.put(ids.subarray(20 * i, 20 * i + 20));
    }
    out.put(PEER_PORT);
    out.putNumber(readU16(peers, at + ipLength));
    out.put(ENTRY_END);
  }
}

/** Longest dictionary peer: an IPv6 text of 39 characters, a peer id and five digits. */
export const MAX_PEER_DICT_LENGTH = 96;
/** An announce reply without its peers is shorter than this. */
export const MAX_ANNOUNCE_HEAD_LENGTH = 256;
/** An entry of a scrape reply is shorter than this. */
export const MAX_SCRAPE_ENTRY_LENGTH = 128;

/** A scrape reply (BEP 48) is a head, entries in ascending order of their info hashes, and an end. */
export function writeScrapeHead(out: ReplyWriter): void {
  out.put(FILES);
}

/** One entry; `infoHash` is 20 bytes. */
export function writeScrapeEntry(out: ReplyWriter, infoHash: Uint8Array, counts: SwarmCounts): void {
  out.put(HASH);
  out.put(infoHash);
  out.put(HEAD_SEEDS);
  out.putNumber(counts.seeds);
  out.put(COMPLETED);
  out.putNumber(counts.completed);
  out.put(DOWNLOADERS);
  out.putNumber(counts.downloaders);
  out.put(LEECHES);
  out.putNumber(counts.leeches);
  out.put(ENTRY_END);
}

export function writeScrapeEnd(out: ReplyWriter, minIntervalS: number): void {
  out.put(FLAGS);
  out.putNumber(minIntervalS);
  out.put(FLAGS_END);
}

/** A refusal (BEP 3), with when to ask again (BEP 31) where that is known. */
export function encodeRefusal(reason: string, retryInMinutes: number | 'never' | null): Uint8Array {
  const entries: [string, Uint8Array][] = [['failure reason', utf8(reason)]];
  if (retryInMinutes !== null) entries.push(['retry in', utf8(String(retryInMinutes))]);
  return encode(new Map(entries));
}
