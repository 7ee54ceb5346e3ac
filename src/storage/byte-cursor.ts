// Writing and reading fields one after the other, big-endian. Reading past the end gives zeros and is never "done".

import { assert } from '../base/assert.ts';
import { readU32, writeU32 } from '../base/bytes.ts';

/** Fills a buffer of a known size. */
export class ByteWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(lengthBytes: number) {
    this.#bytes = new Uint8Array(lengthBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#at;
  }

  /** What was written so far; shares memory. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  u8(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  u32(value: number): void {
    writeU32(this.#bytes, this.#at, value);
    this.#at += 4;
  }

  f64(value: number): void {
    this.#view.setFloat64(this.#at, value);
    this.#at += 8;
  }

  bytes(value: Uint8Array): void {
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** The whole buffer, which must be full by now. */
  finish(): Uint8Array {
    assert(this.#at === this.#bytes.length, 'the size was foretold');
    return this.#bytes;
  }
}

/** Reads what {@link ByteWriter} wrote. */
export class ByteCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes not read yet; below zero where more was asked for than there is. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Every byte was read, and none beyond. */
  get isDone(): boolean {
    return this.left === 0;
  }

  u8(): number {
    return this.#has(1) ? this.#bytes[this.#at - 1]! : 0;
  }

  u32(): number {
    return this.#has(4) ? readU32(this.#bytes, this.#at - 4) : 0;
  }

  f64(): number {
    return this.#has(8) ? this.#view.getFloat64(this.#at - 8) : 0;
  }

  /** A view of the next bytes, shorter where they end before. */
  bytes(length: number): Uint8Array {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #has(length: number): boolean {
    this.#at += length;
    return this.#at <= this.#bytes.length;
  }
}
