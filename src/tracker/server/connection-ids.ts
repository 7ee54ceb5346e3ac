// Connection ids of UDP clients (BEP 15): keyed, so that nobody who did not receive one can make one, and not stored.

import { readU32 } from '../../base/bytes.ts';
import type { Random } from '../../ports/random.ts';

/** An id is good in the slot it was made in and in the next one: for two to four minutes (BEP 15 asks for two). */
const SLOT_MS = 120_000;

/**
 * The id is HalfSipHash-2-4 of address and time slot with a secret key: 64 bits that a spoofer has to guess, since it
 * never sees the reply (Aumasson and Bernstein, 2012).
 */
export class ConnectionIds {
  /** The id made last. */
  high = 0;
  low = 0;
  readonly #key0: number;
  readonly #key1: number;
  #v0 = 0;
  #v1 = 0;
  #v2 = 0;
  #v3 = 0;

  /** A key for {@link ConnectionIds}; all threads of a tracker have the same. */
  static newKey(random: Random): Uint8Array {
    const key = new Uint8Array(8);
    random.fill(key);
    return key;
  }

  constructor(key: Uint8Array) {
    this.#key0 = readU32(key, 0);
    this.#key1 = readU32(key, 4);
  }

  /** Leaves the id for a client at `ip` (4 or 16 bytes) in `high` and `low`. */
  make(ip: Uint8Array, nowMs: number): void {
    this.#compute(ip, Math.floor(nowMs / SLOT_MS));
  }

  /** Whether the id at the begin of `packet` was made for `ip` lately. */
  check(packet: Uint8Array, ip: Uint8Array, nowMs: number): boolean {
    const slot = Math.floor(nowMs / SLOT_MS);
    const high = readU32(packet, 0);
    const low = readU32(packet, 4);
    this.#compute(ip, slot);
    if (this.high === high && this.low === low) return true;
    this.#compute(ip, slot - 1);
    return this.high === high && this.low === low;
  }

  #compute(ip: Uint8Array, slot: number): void {
    this.#v0 = this.#key0;
    this.#v1 = this.#key1;
    this.#v2 = 0x6c796765 ^ this.#key0;
    this.#v3 = 0x74656462 ^ this.#key1;
    this.#v1 ^= 0xee;
    for (let at = 0; at < ip.length; at += 4) this.#word(readU32(ip, at));
    this.#word(slot | 0);
    this.#word((ip.length + 4) << 24);
    this.#v2 ^= 0xee;
    for (let i = 0; i < 4; i++) this.#round();
    this.high = (this.#v1 ^ this.#v3) >>> 0;
    this.#v1 ^= 0xdd;
    for (let i = 0; i < 4; i++) this.#round();
    this.low = (this.#v1 ^ this.#v3) >>> 0;
  }

  #word(word: number): void {
    this.#v3 ^= word;
    this.#round();
    this.#round();
    this.#v0 ^= word;
  }

  #round(): void {
    let [v0, v1, v2, v3] = [this.#v0, this.#v1, this.#v2, this.#v3];
    v0 = (v0 + v1) | 0;
    v1 = rotate(v1, 5) ^ v0;
    v0 = rotate(v0, 16);
    v2 = (v2 + v3) | 0;
    v3 = rotate(v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotate(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotate(v1, 13) ^ v2;
    v2 = rotate(v2, 16);
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
  }
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
