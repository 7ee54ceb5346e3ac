// Goes through bencoded bytes and checks them without making values of them (BEP 3).

import { ShoalError } from '../base/errors.ts';
import { keyText } from './key-text.ts';

export interface ScanLimits {
  /** Sorted keys, canonical integers and lengths, and nothing behind the value. Default: false. */
  readonly strict?: boolean;
  /** How deep lists and dictionaries may nest: the decoder recurses, and 128 frames fit any stack. Default: 128. */
  readonly maxDepth?: number;
  /** Longest input taken. Default: 16 MiB, far above any message; whoever reads files says more. */
  readonly maxBytes?: number;
  /** Values of all kinds together: two bytes of input can cost a hundred of memory. Default: 1,000,000. */
  readonly maxItems?: number;
}

const DEFAULT_DEPTH = 128;
const DEFAULT_BYTES = 16 * 1024 * 1024;
const DEFAULT_ITEMS = 1_000_000;

const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;
/** Decimal digits of the largest 64-bit integer. */
const MAX_DIGITS = 20;

const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
export const D = 0x64;
export const E = 0x65;
export const I = 0x69;
export const L = 0x6c;

export class BencodeScanner {
  readonly bytes: Uint8Array;
  /** What is read next. */
  at = 0;
  readonly #strict: boolean;
  readonly #maxDepth: number;
  #itemsLeft: number;
  /** Where the keys of the dictionaries around `at` begin and end, those of the innermost last. */
  readonly #keys: number[] = [];

  constructor(bytes: Uint8Array, limits: ScanLimits) {
    this.bytes = bytes;
    this.#strict = limits.strict ?? false;
    this.#maxDepth = limits.maxDepth ?? DEFAULT_DEPTH;
    this.#itemsLeft = limits.maxItems ?? DEFAULT_ITEMS;
    const maxBytes = limits.maxBytes ?? DEFAULT_BYTES;
    if (bytes.length > maxBytes) throw invalid(0, `${bytes.length} bytes are more than the limit of ${maxBytes}`);
  }

  get strict(): boolean {
    return this.#strict;
  }

  fail(what: string, at: number = this.at): never {
    throw invalid(at, what);
  }

  /** The first byte of the next value, which counts and lies at `depth`: a digit, `i`, `l` or `d`. */
  begin(depth: number): number {
    if (--this.#itemsLeft < 0) this.fail('too many values');
    const byte = this.bytes[this.at];
    if (byte === undefined) this.fail('unexpected end');
    if (byte >= ZERO && byte <= NINE) return byte;
    if (byte !== I && byte !== L && byte !== D) this.fail('no value begins here');
    if (byte !== I && depth >= this.#maxDepth) this.fail('nested too deep');
    return byte;
  }

  /** Passes over one value. */
  skip(depth: number): void {
    const byte = this.begin(depth);
    if (byte === D) this.#skipDict(depth);
    else if (byte === L) this.#skipList(depth);
    else if (byte === I) this.integer();
    else this.#skipString();
  }

  #skipString(): void {
    const length = this.length();
    this.at += length;
  }

  #skipList(depth: number): void {
    this.at++;
    while (this.bytes[this.at] !== E) this.skip(depth + 1);
    this.at++;
  }

  #skipDict(depth: number): void {
    this.at++;
    const keys = this.#keys;
    const base = keys.length;
    let seen: Set<string> | null = null;
    while (this.bytes[this.at] !== E) {
      const keyAt = this.at;
      const length = this.keyLength();
      const [start, end] = [this.at, this.at + length];
      this.at = end;
      const order = keys.length === base ? -1 : this.#compare(keys.at(-2)!, keys.at(-1)!, start, end);
      if (order >= 0) {
        if (order === 0) this.fail('duplicate key', keyAt);
        if (this.#strict) this.fail('keys are not sorted', keyAt);
        seen ??= this.#keysFrom(base);
      }
      if (seen !== null) this.notTwice(seen, keyText(this.bytes, start, length), keyAt);
      keys.push(start, end);
      this.skip(depth + 1);
    }
    keys.length = base;
    this.at++;
  }

  /** Which of two byte strings of the input comes first: below zero, the first one. */
  #compare(a: number, aEnd: number, b: number, bEnd: number): number {
    const { bytes } = this;
    let [i, j] = [a, b];
    while (i < aEnd && j < bEnd) {
      const difference = bytes[i++]! - bytes[j++]!;
      if (difference !== 0) return difference;
    }
    return aEnd - a - (bEnd - b);
  }

  #keysFrom(base: number): Set<string> {
    const out = new Set<string>();
    for (let i = base; i < this.#keys.length; i += 2) {
      const start = this.#keys[i]!;
      out.add(keyText(this.bytes, start, this.#keys[i + 1]! - start));
    }
    return out;
  }

  /** Notes a key of a dictionary that is not sorted. */
  notTwice(seen: Set<string>, key: string, keyAt: number): void {
    if (seen.has(key)) this.fail('duplicate key', keyAt);
    seen.add(key);
  }

  /** The key that follows, as text of one character a byte. */
  key(): string {
    const length = this.keyLength();
    this.at += length;
    return keyText(this.bytes, this.at - length, length);
  }

  /** Length of the key that follows, which begins at `at` afterwards. */
  keyLength(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) this.fail('unexpected end');
    if (byte < ZERO || byte > NINE) this.fail('a key must be a byte string');
    return this.length();
  }

  /** Reads `123:` and checks that as many bytes follow. */
  length(): number {
    const { bytes } = this;
    const start = this.at;
    let at = start;
    let length = 0;
    let byte = bytes[at];
    while (byte !== undefined && byte >= ZERO && byte <= NINE) {
      length = length * 10 + (byte - ZERO);
      if (length > bytes.length) this.fail('byte string is longer than the input', start);
      byte = bytes[++at];
    }
    this.at = at;
    if (byte === undefined) this.fail('unexpected end');
    if (byte !== COLON) this.fail('expected a colon behind the length');
    if (this.#strict && at - start > 1 && bytes[start] === ZERO) this.fail('length has a leading zero', start);
    this.at++;
    if (length > bytes.length - this.at) this.fail('byte string is longer than the input', start);
    return length;
  }

  /** Reads `i-12e`. */
  integer(): number | bigint {
    const { bytes } = this;
    const start = this.at++;
    const negative = bytes[this.at] === MINUS;
    if (negative) this.at++;
    const first = this.at;
    let value = 0;
    let byte = bytes[this.at];
    while (byte !== undefined && byte >= ZERO && byte <= NINE) {
      value = value * 10 + (byte - ZERO);
      if (this.at - first >= MAX_DIGITS) this.fail('integer beyond 64 bits', start);
      byte = bytes[++this.at];
    }
    if (byte === undefined) this.fail('unexpected end');
    if (byte !== E || this.at === first) this.fail('expected digits and an e');
    const leadingZero = bytes[first] === ZERO && (negative || this.at - first > 1);
    if (leadingZero && this.#strict) this.fail('integer is not canonical', start);
    this.at++;
    if (value <= Number.MAX_SAFE_INTEGER) return negative && value !== 0 ? -value : value;
    const exact = BigInt(keyText(bytes, first, this.at - 1 - first)) * (negative ? -1n : 1n);
    if (exact < INT64_MIN || exact > UINT64_MAX) this.fail('integer beyond 64 bits', start);
    return exact;
  }
}

function invalid(at: number, what: string): ShoalError {
  return new ShoalError('BENCODE_INVALID', `bencoding is broken at byte ${at}: ${what}`);
}
