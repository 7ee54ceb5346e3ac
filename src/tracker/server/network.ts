// Which network a peer is in: of the prefixes that the tracker was told of the longest that holds its address, else all
// who share its public address. Behind one such address peers often cannot be reached from outside.

import type { LocalNetwork } from '../../base/address.ts';
import { readU32 } from '../../base/bytes.ts';

/** An IPv6 subscriber has a /64 at least; an IPv4 one an address. */
const DEFAULT_PREFIX_4 = 32;
const DEFAULT_PREFIX_6 = 64;

/** One prefix, as words to compare records with. The same object is set again for every announce. */
export class Network {
  readonly #words = new Uint32Array(4);
  readonly #masks = new Uint32Array(4);
  #length = 0;

  /** The prefix of `bits` that `ip` is in. */
  set(ip: Uint8Array, bits: number): void {
    this.#length = Math.ceil(bits / 32);
    for (let i = 0; i < this.#length; i++) {
      const rest = Math.min(32, bits - 32 * i);
      const mask = rest === 32 ? 0xffffffff : ~(0xffffffff >>> rest);
      this.#masks[i] = mask;
      this.#words[i] = readU32(ip, 4 * i) & mask;
    }
  }

  /** Whether the address in the words from `at` on, of the same family, is in it. */
  holds(words: Uint32Array, at: number): boolean {
    for (let i = 0; i < this.#length; i++) {
      if ((words[at + i]! & this.#masks[i]!) >>> 0 !== this.#words[i]) return false;
    }
    return true;
  }
}

/** Address prefixes, in the order of their lengths: the longest first. */
export class Prefixes {
  readonly #prefixes: readonly LocalNetwork[];

  constructor(prefixes: readonly LocalNetwork[]) {
    this.#prefixes = [...prefixes].sort((a, b) => b.prefix - a.prefix);
  }

  get isEmpty(): boolean {
    return this.#prefixes.length === 0;
  }

  /** Length of the longest prefix that holds `ip`; -1 where none does. */
  longest(ip: Uint8Array): number {
    for (const { ip: prefix, prefix: bits } of this.#prefixes) {
      if (prefix.length === ip.length && startsAlike(prefix, ip, bits)) return bits;
    }
    return -1;
  }

  /** Sets `network` to the one that a peer at `ip` is in. */
  networkOf(ip: Uint8Array, network: Network): void {
    const bits = this.#prefixes.length === 0 ? -1 : this.longest(ip);
    network.set(ip, bits >= 0 ? bits : ip.length === 4 ? DEFAULT_PREFIX_4 : DEFAULT_PREFIX_6);
  }
}

function startsAlike(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  let at = 0;
  for (let rest = bits; rest >= 8; rest -= 8, at++) if (a[at] !== b[at]) return false;
  const rest = bits & 7;
  return rest === 0 || (a[at]! ^ b[at]!) >> (8 - rest) === 0;
}
