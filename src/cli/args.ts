// What people type for sizes, rates, addresses and trackers, as values. Pure: throws UsageError with the text that helps.

import { type LocalNetwork, parseIp } from '../base/address.ts';
import { ShoalError } from '../base/errors.ts';

/** Wrong usage; the program ends with exit code 2. */
export class UsageError extends ShoalError {
  constructor(message: string) {
    super('USAGE', message);
    this.name = 'UsageError';
  }
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

const UNIT_HINT = 'a number of bytes, or one with kB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (of 1024)';

/** `4MiB`, `1.5 GB`, `16384`: whole bytes, at least 1. */
export function parseSize(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*([a-z]*)\s*$/i.exec(text);
  const unit = match ? UNITS[match[2]!.toLowerCase()] : undefined;
  if (!match || unit === undefined) throw new UsageError(`'${text}' is no size; give ${UNIT_HINT}`);
  const bytes = Math.round(Number(match[1]) * unit);
  if (!Number.isSafeInteger(bytes)) throw new UsageError(`'${text}' is too large`);
  if (bytes < 1) throw new UsageError(`'${text}' is less than one byte`);
  return bytes;
}

/** A size with an optional `/s`: bytes per second, at least 1. */
export function parseRate(text: string): number {
  const size = text.replace(/\s*\/\s*s(ec)?\s*$/i, '');
  try {
    return parseSize(size);
  } catch {
    if (/^\s*0+(\.0*)?\s*([kmgt]?i?b)?\s*$/i.test(size)) {
      throw new UsageError(`a rate of '${text}' would stop everything; leave the option out for no limit`);
    }
    throw new UsageError(`'${text}' is no rate; give ${UNIT_HINT}, a second`);
  }
}

/** A number that is not negative, such as a ratio. */
export function parseRatio(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text.trim())) throw new UsageError(`'${text}' is no ratio; give a number such as 1.5`);
  return Number(text);
}

/** Seconds from a tenth up, short enough for a timer. */
export function parseSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : 0;
  if (seconds < 0.1 || seconds > 1e6) throw new UsageError(`'${text}' is no time; give seconds, such as 5 or 0.5`);
  return seconds;
}

/** A host that may be a name, an IPv4 or an IPv6 text without brackets, and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `example.org:6881`, `1.2.3.4:5`, `[::1]:5`; the port must be 1 to 65535. */
export function parseHostPort(text: string): HostPort {
  const match = splitHostPort(text);
  if (!match || match.port === null || match.port === 0) {
    throw new UsageError(
      `'${text}' is no HOST:PORT; give for example 192.0.2.7:6881, [2001:db8::7]:6881 or a name:6881`,
    );
  }
  return { host: match.host, port: match.port };
}

/** `10.1.0.0/16`, `2001:db8::/32`, or an address alone. */
export function parseNetwork(text: string): LocalNetwork {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text.trim());
  const ip = match ? parseIp(match[1]!) : null;
  const prefix = match?.[2] === undefined ? (ip?.length ?? 0) * 8 : Number(match[2]);
  if (ip === null || prefix > ip.length * 8) {
    throw new UsageError(`'${text}' is no network; give for example 10.1.0.0/16 or 2001:db8::/32`);
  }
  return { ip, prefix };
}

/** A whole number from `least` up, or to `most`. */
export function parseCount(least: number, most?: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,15}$/.test(text.trim()) ? Number(text) : -1;
    if (count >= least && count <= (most ?? count)) return count;
    throw new UsageError(`'${text}' is no number from ${least} ${most === undefined ? 'up' : `to ${most}`}`);
  };
}

/** The port of trackers by custom. */
export const DEFAULT_TRACKER_PORT = 6969;

/** Where to listen: `host` null means all addresses, `port` null means the default, 0 means any free one. */
export interface ListenText {
  readonly host: string | null;
  readonly port: number | null;
}

/** `HOST:PORT`, `:PORT`, `PORT` or `HOST`; `*` stands for all addresses. */
export function parseListen(text: string): ListenText {
  const bare = /^:?(\d{1,5})$/.exec(text);
  if (bare && Number(bare[1]) <= 65535) return { host: null, port: Number(bare[1]) };
  const match = splitHostPort(text);
  if (!match) {
    throw new UsageError(`'${text}' is no HOST:PORT to listen on; give for example 0.0.0.0:6881, [::1]:6881 or :6881`);
  }
  return { host: match.host === '*' ? null : match.host, port: match.port };
}

function splitHostPort(text: string): { host: string; port: number | null } | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+))(?::(\d{1,5}))?$/.exec(text);
  if (!match) return parseIp(text) === null ? null : { host: text, port: null };
  const host = match[1] ?? match[2]!;
  const port = match[3] === undefined ? null : Number(match[3]);
  if (port !== null && port > 65535) return null;
  const isName = /^[\p{L}\p{N}_]([\p{L}\p{N}_.-]*[\p{L}\p{N}_.])?$/u.test(host) && !/^[\d.]+$/.test(host);
  if (parseIp(host) === null && (match[1] !== undefined || !(isName || host === '*'))) return null;
  return { host, port };
}

const TRACKER_PROTOCOLS: ReadonlySet<string> = new Set(['http:', 'https:', 'udp:', 'ws:', 'wss:']);

/** Tiers of trackers (BEP 12): every option is a tier of its own, commas in it separate trackers of one tier. */
export function parseTrackers(options: readonly string[]): string[][] {
  return options.map((option) => option.split(',').map((part) => checkTrackerUrl(part.trim())));
}

function checkTrackerUrl(text: string): string {
  const url = checkUrl(text, 'tracker', TRACKER_PROTOCOLS, 'http://HOST:6969/announce or udp://HOST:PORT');
  if (url.protocol === 'udp:' && url.port === '') {
    throw new UsageError(`the UDP tracker '${text}' needs a port; give for example udp://HOST:6969`);
  }
  return text;
}

/** An http or https URL for content (BEP 19). */
export function checkWebSeedUrl(text: string): string {
  checkUrl(text, 'web seed', new Set(['http:', 'https:']), 'https://HOST/path');
  return text;
}

function checkUrl(text: string, what: string, protocols: ReadonlySet<string>, example: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  // A URL with spaces or control characters would parse, but mean another one to other programs.
  if (!url || !protocols.has(url.protocol) || url.hostname === '' || !/^[\x21-\x7e]+$/.test(text)) {
    throw new UsageError(`'${text}' is no ${what} URL; give for example ${example}`);
  }
  return url;
}
