// Whose word is taken for the address of a peer: a proxy's that was named, and that of a peer in a private network, whose
// address means nothing to others. Everyone else is where the packet or the connection came from.

import { isLoopback, isPrivate, parseIp } from '../../base/address.ts';
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

  /** The client behind a proxy: the last address of X-Forwarded-For that is no proxy itself. `source` where there is none. */
  forwardedIp(bytes: Uint8Array, head: RequestHead, source: Uint8Array): Uint8Array {
    if (head.forwardedEnd === head.forwardedStart || !this.#isProxy(source)) return source;
    const hops = latin1(bytes.subarray(head.forwardedStart, head.forwardedEnd)).split(',').slice(-MAX_HOPS);
    let ip = source;
    while (hops.length > 0 && this.#isProxy(ip)) {
      const hop = parseIp(hops.pop()!.trim());
      if (hop === null) break;
      ip = hop;
    }
    return ip;
  }

  /** A client on this machine or in a private network. Who came through a proxy that was not named may be anybody. */
  isLocal(bytes: Uint8Array, head: RequestHead, source: Uint8Array): boolean {
    if (head.forwardedEnd > head.forwardedStart && !this.#isProxy(source)) return false;
    const ip = this.forwardedIp(bytes, head, source);
    return isLoopback(ip) || isPrivate(ip);
  }

  /** The address that an announce names, where its word is taken; else `source`. */
  namedIp(fields: AnnounceFields, source: Uint8Array): Uint8Array {
    if (fields.ipLength === 0 || !(isPrivate(source) || this.#isProxy(source))) return source;
    return fields.ip.subarray(0, fields.ipLength);
  }

  #isProxy(ip: Uint8Array): boolean {
    return !this.#proxies.isEmpty && this.#proxies.longest(ip) >= 0;
  }
}
