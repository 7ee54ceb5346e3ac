// Whose word is taken for the address of a peer: a proxy's that was named, and that of a peer in a private network, whose
// address means nothing to others. Everyone else is where the packet or the connection came from.

import { Address, isLoopback, isPrivate, isUnspecified, parseIp } from '../../base/address.ts';
import { latin1 } from '../../base/bytes.ts';
import type { AnnounceFields } from '../protocol/announce.ts';
import type { RequestHead } from './http/http-head.ts';
import type { Prefixes } from './network.ts';

/** Addresses of one X-Forwarded-For: a chain of proxies is short. */
const MAX_HOPS = 16;

export class Trust {
  readonly #proxies: Prefixes;

  constructor(proxies: Prefixes) {
    this.#proxies = proxies;
  }

  /** The client behind a proxy: the last address of X-Forwarded-For that is no proxy itself. `source` where it is not told. */
  forwardedIp(bytes: Uint8Array, head: RequestHead, source: Uint8Array): Uint8Array {
    return this.#client(bytes, head, source) ?? source;
  }

  /** A client on this machine or in a private network. */
  isLocal(bytes: Uint8Array, head: RequestHead, source: Uint8Array): boolean {
    const ip = this.#client(bytes, head, source);
    return ip !== null && (isLoopback(ip) || isPrivate(ip));
  }

  /** Where the peer of an announce over HTTP is: {@link namedIp}, but behind a proxy that does not tell whom it speaks for. */
  peerIp(fields: AnnounceFields, bytes: Uint8Array, head: RequestHead, source: Uint8Array): Uint8Array {
    const ip = this.#client(bytes, head, source);
    return ip === null ? source : this.namedIp(fields, ip);
  }

  /** The address that an announce names, where its word is taken and a peer can be there; else `source`. */
  namedIp(fields: AnnounceFields, source: Uint8Array): Uint8Array {
    if (fields.ipLength === 0 || !(isPrivate(source) || this.#isProxy(source))) return source;
    const ip = fields.ip.subarray(0, fields.ipLength);
    return isOfAPeer(ip) ? ip : source;
  }

  /** Null where it may be anybody: the proxy was not named, or what it says is no address. */
  #client(bytes: Uint8Array, head: RequestHead, source: Uint8Array): Uint8Array | null {
    if (head.forwardedEnd === head.forwardedStart) return source;
    if (!this.#isProxy(source)) return null;
    const hops = latin1(bytes.subarray(head.forwardedStart, head.forwardedEnd)).split(',').slice(-MAX_HOPS);
    let ip: Uint8Array | null = source;
    while (hops.length > 0 && ip !== null && this.#isProxy(ip)) ip = parseHop(hops.pop()!.trim());
    return ip;
  }

  #isProxy(ip: Uint8Array): boolean {
    return !this.#proxies.isEmpty && this.#proxies.longest(ip) >= 0;
  }
}

/** Some proxies write ports, too. */
function parseHop(text: string): Uint8Array | null {
  return parseIp(text) ?? Address.parse(text)?.ip ?? null;
}

/** None is where no host is, at many hosts, or on the client's own machine, which for others is another. */
function isOfAPeer(ip: Uint8Array): boolean {
  if (isLoopback(ip) || isUnspecified(ip)) return false;
  return ip.length === 4 ? ip[0]! > 0 && ip[0]! < 224 : ip[0] !== 0xff;
}
