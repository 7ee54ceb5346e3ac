// How often an address asks for something: a bucket of tokens each, in a table of fixed size. Two addresses that meet there
// have a bucket each: nobody is refused for what another asks. Where more do, the one that was silent longest goes, and who comes
// in its stead has its bucket, which fills up while nobody asks: taking turns brings nothing.

import { isLoopback } from '../../base/address.ts';

const PAIRS = 1 << 14;
/** A client that starts with all its torrents announces and scrapes each of them at once. */
const BURST_S = 20;

export class AddressRates {
  readonly #perSecond: number;
  readonly #owners = new Uint32Array(2 * PAIRS);
  /** What was missing from the bucket when it was used last. */
  readonly #missing = new Float32Array(2 * PAIRS);
  readonly #times = new Float64Array(2 * PAIRS);

  /** `perSecond`: requests of an address, in the long run. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Counts a request of the address with this hash, or one that costs as much as several; false where it is too many. */
  allows(address: number, nowS: number, cost = 1): boolean {
    const place = this.#placeOf(address);
    const full = this.#perSecond * BURST_S;
    const missing = Math.max(0, this.#missing[place]! - (nowS - this.#times[place]!) * this.#perSecond);
    const after = missing + Math.min(cost, full);
    this.#owners[place] = address;
    this.#times[place] = nowS;
    this.#missing[place] = after <= full ? after : missing;
    return after <= full;
  }

  /** Its own, or the one to be taken for it. */
  #placeOf(address: number): number {
    const first = 2 * (address & (PAIRS - 1));
    const second = first + 1;
    if (this.#owners[first] === address) return first;
    return this.#owners[second] === address || this.#times[second]! < this.#times[first]! ? second : first;
  }
}

/** Whether limits of addresses hold for this one: this machine's own has them only where some were set (`limitsLoopback`). */
export function isLimited(ip: Uint8Array, limitsLoopback: boolean): boolean {
  return limitsLoopback || !isLoopback(ip);
}
