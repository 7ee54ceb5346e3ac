// IP addresses with ports: text, compact wire form (BEP 23, BEP 7), and which networks they belong to.

import { readU16, writeU16 } from './bytes.ts';

/**
 * An IP address and a TCP or UDP port. Immutable; equal addresses have equal `key`s.
 * An IPv4 address mapped into IPv6 (`::ffff:a.b.c.d`) is the IPv4 address.
 */
export class Address {
  /** 4 or 16 bytes. */
  readonly ip: Uint8Array;
  /** 0 to 65535. */
  readonly port: number;
  #host: string | undefined;
  #key: string | undefined;

  constructor(ip: Uint8Array, port: number) {
    this.ip = isMappedV4(ip) ? ip.slice(12) : ip;
    this.port = port;
  }

  get family(): 4 | 6 {
    return this.ip.length === 4 ? 4 : 6;
  }

  /** Text without the port, IPv6 without brackets. */
  get host(): string {
    this.#host ??= formatIp(this.ip);
    return this.#host;
  }

  /** `1.2.3.4:5` or `[::1]:5`: what a map is keyed by and a person reads. */
  get key(): string {
    this.#key ??= this.family === 4 ? `${this.host}:${this.port}` : `[${this.host}]:${this.port}`;
    return this.#key;
  }

  toString(): string {
    return this.key;
  }

  /** 6 bytes for IPv4, 18 for IPv6. */
  toCompact(): Uint8Array {
    const out = new Uint8Array(this.ip.length + 2);
    out.set(this.ip);
    writeU16(out, this.ip.length, this.port);
    return out;
  }

  withPort(port: number): Address {
    return new Address(this.ip, port);
  }

  /** Reads `ip:port`, `[ip]:port`; null where the text is no IP address with a port. */
  static parse(text: string): Address | null {
    const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
    if (!match) return null;
    const ip = parseIp(match[1] ?? match[2]!);
    const port = Number(match[3]);
    return ip === null || port > 65535 ? null : new Address(ip, port);
  }

  /** An address from its two parts; null where `host` is no IP address. */
  static from(host: string, port: number): Address | null {
    const ip = parseIp(host);
    return ip === null ? null : new Address(ip, port);
  }

  /** A run of compact peers of one family; a rest that is no whole peer is ignored, port 0 is left out. */
  static listFromCompact(bytes: Uint8Array, family: 4 | 6): Address[] {
    const ipLength = family === 4 ? 4 : 16;
    const out: Address[] = [];
    for (let at = 0; at + ipLength + 2 <= bytes.length; at += ipLength + 2) {
      const port = readU16(bytes, at + ipLength);
      if (port !== 0) out.push(new Address(bytes.slice(at, at + ipLength), port));
    }
    return out;
  }
}

/** How near an address is: dialling starts with the nearest (mission S0). */
export type Nearness = 'machine' | 'network' | 'internet';

export interface LocalNetwork {
  /** This machine's own address in the network, 4 or 16 bytes. */
  readonly ip: Uint8Array;
  /** Length of the network's prefix in bits. */
  readonly prefix: number;
}

/** Loopback and own addresses are this machine; a shared prefix, link-local and private ranges are this network. */
export function nearness(address: Address, own: readonly LocalNetwork[]): Nearness {
  const ip = address.ip;
  if (isLoopback(ip)) return 'machine';
  for (const network of own) {
    if (network.ip.length === ip.length && samePrefix(network.ip, ip, ip.length * 8)) return 'machine';
  }
  for (const network of own) {
    if (network.ip.length === ip.length && network.prefix > 0 && samePrefix(network.ip, ip, network.prefix)) {
      return 'network';
    }
  }
  return isPrivate(ip) ? 'network' : 'internet';
}

/** Whether both are most likely of one line: the same IPv4 address, or the same /64 of IPv6, in which anybody has them all. */
export function sameSite(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && samePrefix(a, b, a.length === 4 ? 32 : 64);
}

export function isLoopback(ip: Uint8Array): boolean {
  if (ip.length === 4) return ip[0] === 127;
  for (let i = 0; i < 15; i++) if (ip[i] !== 0) return false;
  return ip[15] === 1;
}

/** 0.0.0.0 or ::, which name no host. */
export function isUnspecified(ip: Uint8Array): boolean {
  return ip.every((byte) => byte === 0);
}

/** RFC 1918, RFC 4193, RFC 6598 and link-local ranges. */
export function isPrivate(ip: Uint8Array): boolean {
  const [a, b] = [ip[0]!, ip[1]!];
  if (ip.length === 4) {
    return (
      a === 10 ||
      (a === 172 && b >= 16 && b < 32) ||
      (a === 192 && b === 168) ||
      (a === 169 && b === 254) ||
      (a === 100 && b >= 64 && b < 128)
    );
  }
  return (a & 0xfe) === 0xfc || (a === 0xfe && (b & 0xc0) === 0x80);
}

function samePrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false;
  const rest = bits & 7;
  return rest === 0 || (a[whole]! ^ b[whole]!) >> (8 - rest) === 0;
}

function isMappedV4(ip: Uint8Array): boolean {
  if (ip.length !== 16 || ip[10] !== 0xff || ip[11] !== 0xff) return false;
  for (let i = 0; i < 10; i++) if (ip[i] !== 0) return false;
  return true;
}

/** The bytes of an IPv4 or IPv6 text (a zone such as `%eth0` is not taken); null where it is none. */
export function parseIp(text: string): Uint8Array | null {
  if (!text.includes(':')) return parseIpv4(text);
  if (text.length > 45) return null;
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1]!, true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...new Array<number>(Math.max(0, missing)).fill(0), ...tail];
  const out = new Uint8Array(16);
  groups.forEach((group, i) => {
    writeU16(out, 2 * i, group);
  });
  return isMappedV4(out) ? out.slice(12) : out;
}

function parseGroups(text: string, mayEndInV4: boolean): number[] | null {
  if (text === '') return [];
  const parts = text.split(':');
  const out: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = mayEndInV4 && i === parts.length - 1 ? parseIpv4(part) : null;
      if (v4 === null) return null;
      out.push(readU16(v4, 0), readU16(v4, 2));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return null;
      out.push(Number.parseInt(part, 16));
    }
  }
  return out;
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  const out = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    out[i] = Number(part);
  }
  return out;
}

/** Canonical text (RFC 5952 for IPv6). */
export function formatIp(ip: Uint8Array): string {
  if (ip.length === 4) return ip.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => readU16(ip, 2 * i));
  let bestAt = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; ) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > bestLength) [bestAt, bestLength] = [i, end - i];
    i = Math.max(end, i + 1);
  }
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (bestAt < 0) return text(groups);
  return `${text(groups.slice(0, bestAt))}::${text(groups.slice(bestAt + bestLength))}`;
}
