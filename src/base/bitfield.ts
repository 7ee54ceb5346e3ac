// A set of piece indices as the wire has it (BEP 3): bit 0 is the high bit of byte 0, spare bits at the end are zero.

import { assert } from './assert.ts';

const ONES: Uint8Array = Uint8Array.from({ length: 256 }, (_, value) => {
  let count = 0;
  for (let rest = value; rest > 0; rest >>= 1) count += rest & 1;
  return count;
});

export class Bitfield {
  /** Number of bits. */
  readonly length: number;
  /** The wire form, owned by this object; never write to it from outside. */
  readonly bytes: Uint8Array;
  #count = 0;

  constructor(length: number) {
    this.length = length;
    this.bytes = new Uint8Array(Math.ceil(length / 8));
  }

  /** A copy of the wire form; null where its size is wrong or a spare bit is set (BEP 3: close the connection). */
  static fromWire(length: number, wire: Uint8Array): Bitfield | null {
    const field = new Bitfield(length);
    if (wire.length !== field.bytes.length) return null;
    const spare = field.bytes.length * 8 - length;
    if (spare > 0 && (wire[wire.length - 1]! & ((1 << spare) - 1)) !== 0) return null;
    field.bytes.set(wire);
    let count = 0;
    for (let i = 0; i < wire.length; i++) count += ONES[wire[i]!]!;
    field.#count = count;
    return field;
  }

  /** How many bits are set. */
  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.length;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  has(index: number): boolean {
    return (this.bytes[index >> 3]! & (0x80 >> (index & 7))) !== 0;
  }

  /** Sets a bit; false where it was set already. */
  set(index: number): boolean {
    assert(index >= 0 && index < this.length, 'bit in range');
    const mask = 0x80 >> (index & 7);
    const byte = this.bytes[index >> 3]!;
    if ((byte & mask) !== 0) return false;
    this.bytes[index >> 3] = byte | mask;
    this.#count++;
    return true;
  }

  /** Clears a bit; false where it was clear already. */
  clear(index: number): boolean {
    assert(index >= 0 && index < this.length, 'bit in range');
    const mask = 0x80 >> (index & 7);
    const byte = this.bytes[index >> 3]!;
    if ((byte & mask) === 0) return false;
    this.bytes[index >> 3] = byte & ~mask;
    this.#count--;
    return true;
  }

  setAll(): void {
    this.bytes.fill(0xff);
    const spare = this.bytes.length * 8 - this.length;
    if (spare > 0) this.bytes[this.bytes.length - 1] = 0xff & ~((1 << spare) - 1);
    this.#count = this.length;
  }

  clearAll(): void {
    this.bytes.fill(0);
    this.#count = 0;
  }

  copy(): Bitfield {
    const out = new Bitfield(this.length);
    out.bytes.set(this.bytes);
    out.#count = this.#count;
    return out;
  }

  /** Calls `visit` with every set bit, in order. */
  forEach(visit: (index: number) => void): void {
    for (let at = 0; at < this.bytes.length; at++) {
      const byte = this.bytes[at]!;
      if (byte === 0) continue;
      for (let bit = 0; bit < 8; bit++) if ((byte & (0x80 >> bit)) !== 0) visit(at * 8 + bit);
    }
  }
}
