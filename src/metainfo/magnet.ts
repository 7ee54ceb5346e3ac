// Magnet links (BEP 9, 53): an info hash and where to begin looking, as one line of text.

import { equalBytes, fromHex, toHex } from '../base/bytes.ts';
import { ShoalError } from '../base/errors.ts';
import { MAX_FILES, MAX_HINTS, MAX_URLS } from './limits.ts';
import { isHost, isUrl } from './parse.ts';
import type { Magnet, Metainfo } from './types.ts';

/** A link with hundreds of trackers stays below; it has to fit a command line. */
const MAX_MAGNET_LENGTH: number = 128 * 1024;

/** Ranges of `so`; whoever picks more files one by one has a torrent file. */
const MAX_RANGES = 10_000;

/** Multihash (BEP 9): 0x12 is SHA-256, 0x20 its length. */
const SHA256_MULTIHASH = '1220';

/**
 * Reads a magnet link. Parameters that only help (`tr`, `ws`, `x.pe`, `dn`, `xl`) are left out where they are malformed;
 * a malformed info hash or file selection is an error. Throws MAGNET_INVALID, nothing else.
 */
export function parseMagnet(text: string): Magnet {
  const link = text.trim().replace(/\p{Cs}/gu, '\ufffd');
  if (!/^magnet:\?/i.test(link)) throw invalid('it does not begin with magnet:?');
  if (link.length > MAX_MAGNET_LENGTH) throw invalid(`it is longer than ${MAX_MAGNET_LENGTH} characters`);
  const values = parameters(link.slice('magnet:?'.length));
  const infoHashV1 = hashFrom(values('xt'), /^urn:btih:/i, btih);
  const infoHashV2 = hashFrom(values('xt'), /^urn:btmh:/i, btmh);
  if (infoHashV1 === null && infoHashV2 === null) throw invalid('it has no info hash (xt=urn:btih:… or urn:btmh:…)');
  const select = values('so');
  return {
    infoHashV1,
    infoHashV2,
    name: displayName(values('dn')),
    lengthBytes: claimedLength(values('xl')),
    trackers: urls(values('tr')),
    webSeeds: urls(values('ws')),
    peers: values('x.pe')
      .slice(0, MAX_HINTS)
      .map(peerOf)
      .filter((peer) => peer !== null),
    selectOnly: select.length > 0 ? rangesOf(select.join(',')) : null,
  };
}

/** The link as text; {@link parseMagnet} reads it back. Torrents of both versions get both hashes. */
export function formatMagnet(magnet: Magnet): string {
  const out: string[] = [];
  if (magnet.infoHashV1) out.push(`xt=urn:btih:${toHex(magnet.infoHashV1)}`);
  if (magnet.infoHashV2) out.push(`xt=urn:btmh:${SHA256_MULTIHASH}${toHex(magnet.infoHashV2)}`);
  if (magnet.name !== null) out.push(`dn=${escaped(magnet.name)}`);
  if (magnet.lengthBytes !== null) out.push(`xl=${magnet.lengthBytes}`);
  for (const url of magnet.trackers) out.push(`tr=${escaped(url)}`);
  for (const url of magnet.webSeeds) out.push(`ws=${escaped(url)}`);
  // Colons and brackets stay: some programs read this one as it is.
  for (const { host, port } of magnet.peers)
    out.push(`x.pe=${host.includes(':') ? `[${host}]` : escaped(host)}:${port}`);
  if (magnet.selectOnly) {
    out.push(`so=${magnet.selectOnly.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(',')}`);
  }
  return `magnet:?${out.join('&')}`;
}

/** The link to a torrent: hashes, name, length, trackers and web seeds. */
export function magnetOf(metainfo: Metainfo): Magnet {
  const { info } = metainfo;
  return {
    infoHashV1: info.infoHashV1,
    infoHashV2: info.infoHashV2,
    name: info.name,
    lengthBytes: info.lengthBytes,
    trackers: metainfo.trackers.flat(),
    webSeeds: metainfo.webSeeds,
    peers: [],
    selectOnly: null,
  };
}

function invalid(problem: string): ShoalError {
  return new ShoalError('MAGNET_INVALID', `the magnet link cannot be used: ${problem}`);
}

/** Values by name, in order; numbered names (`xt.1`, `tr.2`) count as the plain one. Percent-decoded. */
function parameters(query: string): (name: string) => readonly string[] {
  const out = new Map<string, string[]>();
  for (const part of query.split('&')) {
    const equals = part.indexOf('=');
    if (equals < 0) continue;
    const name = part
      .slice(0, equals)
      .toLowerCase()
      .replace(/\.\d+$/, '');
    const value = unescaped(name === 'dn' ? part.slice(equals + 1).replaceAll('+', ' ') : part.slice(equals + 1));
    const known = out.get(name);
    if (known) known.push(value);
    else out.set(name, [value]);
  }
  return (name) => out.get(name) ?? [];
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function escaped(text: string): string {
  return encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd'));
}

/** The one hash among `topics` whose kind `prefix` tells. */
function hashFrom(
  topics: readonly string[],
  prefix: RegExp,
  read: (text: string) => Uint8Array | null,
): Uint8Array | null {
  let found: Uint8Array | null = null;
  for (const topic of topics) {
    if (!prefix.test(topic)) continue;
    const hash = read(topic.replace(prefix, ''));
    if (hash === null) throw invalid('its info hash is malformed');
    if (found && !equalBytes(found, hash)) throw invalid('it has two different info hashes of one kind');
    found = hash;
  }
  return found;
}

function btih(text: string): Uint8Array | null {
  if (text.length === 40) return fromHex(text);
  return text.length === 32 ? fromBase32(text) : null;
}

function btmh(text: string): Uint8Array | null {
  return text.length === 68 && text.startsWith(SHA256_MULTIHASH) ? fromHex(text.slice(4)) : null;
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648 without padding; null where a character is none of it. */
function fromBase32(text: string): Uint8Array | null {
  const out = new Uint8Array((text.length * 5) >> 3);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const character of text.toUpperCase()) {
    const digit = BASE32.indexOf(character);
    if (digit < 0) return null;
    bits = ((bits << 5) | digit) & 0xfff;
    held += 5;
    if (held >= 8) {
      held -= 8;
      out[at++] = bits >> held;
    }
  }
  return out;
}

/** Without control characters, which a terminal would obey. */
function displayName(values: readonly string[]): string | null {
  const name = (values[0] ?? '').replace(/\p{Cc}/gu, ' ').trim();
  return name === '' ? null : name;
}

function claimedLength(values: readonly string[]): number | null {
  const length = Number(/^\d{1,16}$/.exec(values[0] ?? '')?.[0] ?? Number.NaN);
  return Number.isSafeInteger(length) ? length : null;
}

function urls(values: readonly string[]): readonly string[] {
  return [...new Set(values.map((url) => url.trim()).filter(isUrl))].slice(0, MAX_URLS);
}

function peerOf(text: string): { host: string; port: number } | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host !== undefined && isHost(host) && port >= 1 && port <= 65535 ? { host, port } : null;
}

/** `0,2,6-8` (BEP 53). */
function rangesOf(text: string): readonly (readonly [number, number])[] {
  const parts = text.split(',');
  if (parts.length > MAX_RANGES) throw invalid(`its file selection (so) has more than ${MAX_RANGES} parts`);
  return parts.map((part) => {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part.trim());
    const first = Number(match?.[1] ?? Number.NaN);
    const last = Number(match?.[2] ?? first);
    if (!(first <= last && last < MAX_FILES)) throw invalid('its file selection (so) is malformed');
    return [first, last];
  });
}
