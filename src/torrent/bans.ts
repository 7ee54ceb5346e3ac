// Whom a torrent deals with no more: liars by address and port, and an address that so many liars came from.

import { type Address, isLoopback } from '../base/address.ts';

/** Liars remembered, the latest: each costs some hundred bytes, and to be banned costs a remote next to nothing. */
const MAX_BANS = 4096;
/**
 * Several peers at one address are normal, and one liar among them is no fault of the others. Whoever comes back from
 * ever new ports would have us fetch bad pieces for ever: after so many the address itself is banned.
 */
const LIARS_AN_ADDRESS = 16;

export class Bans {
  /** Ports by host, the host that was banned last at the end. */
  readonly #ports: Map<string, Set<number>> = new Map();
  #count = 0;

  has(address: Address): boolean {
    const ports = this.#ports.get(address.host);
    if (!ports) return false;
    return ports.has(address.port) || (ports.size >= LIARS_AN_ADDRESS && !isLoopback(address.ip));
  }

  add(address: Address): void {
    const { host, port } = address;
    const ports = this.#ports.get(host) ?? new Set();
    this.#ports.delete(host);
    this.#ports.set(host, ports);
    if (!ports.has(port)) this.#count++;
    ports.add(port);
    for (const [oldest, its] of this.#ports) {
      if (this.#count <= MAX_BANS) return;
      // One host alone fills the list: its ports go, the first banned first.
      if (oldest === host) its.delete(its.values().next().value!);
      else this.#ports.delete(oldest);
      this.#count -= oldest === host ? 1 : its.size;
    }
  }
}
