// Bytes to values (BEP 3, bencoding). Byte strings are views into the input; nothing is copied.

import { fromUtf8 } from '../base/bytes.ts';
import { ShoalError } from '../base/errors.ts';
import { keyText } from './key-text.ts';

/** Integers are numbers where they are safe, else bigints. Byte strings are borrowed from the decoded input. */
export type BencodeValue = number | bigint | Uint8Array | readonly BencodeValue[] | BencodeDict;

export interface DecodeOptions {
  /** Sorted keys, canonical integers and lengths, and nothing behind the value. Default: false. */
  readonly strict?: boolean;
  /** Ignore what follows the value; not with `strict`. Default: false. */
  readonly allowTrailing?: boolean;
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

/** Where lookup by a scan ends and an index pays. */
const SCAN_KEYS = 8;

const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;
/** Decimal digits of the largest 64-bit integer. */
const MAX_DIGITS = 20;

const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const D = 0x64;
const E = 0x65;
const I = 0x69;
const L = 0x6c;

/** Slots of a dictionary: key, value, where the value begins and ends in the input; and so on. */
type Slot = string | BencodeValue;
const STRIDE = 4;

/**
 * A decoded dictionary. Keys are raw bytes as latin1 text (one character a byte); iteration is in input order.
 * One array holds all: torrents of many files have a dictionary or two for each of them.
 */
export class BencodeDict implements Iterable<readonly [string, BencodeValue]> {
  readonly size: number;
  readonly #input: Uint8Array;
  readonly #slots: readonly Slot[];
  #index: Map<string, number> | undefined;

  /** Made by the decoder. */
  constructor(input: Uint8Array, slots: readonly Slot[]) {
    this.size = slots.length / STRIDE;
    this.#input = input;
    this.#slots = slots;
  }

  get(key: string): BencodeValue | undefined {
    const at = this.#find(key);
    return at < 0 ? undefined : (this.#slots[at + 1] as BencodeValue);
  }

  has(key: string): boolean {
    return this.#find(key) >= 0;
  }

  /** The exact bytes of a value, a view into the input: what an info hash is taken of. */
  rawSpan(key: string): Uint8Array | undefined {
    const at = this.#find(key);
    return at < 0 ? undefined : this.#input.subarray(this.#slots[at + 2] as number, this.#slots[at + 3] as number);
  }

  /** In input order. */
  *keys(): IterableIterator<string> {
    for (let at = 0; at < this.#slots.length; at += STRIDE) yield this.#slots[at] as string;
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, BencodeValue]> {
    for (let at = 0; at < this.#slots.length; at += STRIDE) {
      yield [this.#slots[at] as string, this.#slots[at + 1] as BencodeValue];
    }
  }

  /** The slot of a key, or -1. */
  #find(key: string): number {
    if (this.size > SCAN_KEYS) {
      this.#index ??= new Map([...this.keys()].map((each, i) => [each, i * STRIDE]));
      return this.#index.get(key) ?? -1;
    }
    for (let at = 0; at < this.#slots.length; at += STRIDE) if (this.#slots[at] === key) return at;
    return -1;
  }
}

/** Decodes one value that fills `bytes`. Throws BENCODE_INVALID, whose message has the byte offset; never anything else. */
export function decode(bytes: Uint8Array, options: DecodeOptions = {}): BencodeValue {
  const decoder = new Decoder(bytes, options);
  const value = decoder.value(0);
  if (decoder.at < bytes.length && (options.strict || !options.allowTrailing)) decoder.fail('bytes after the end');
  return value;
}

/** Decodes the value that `bytes` begin with and says how long it is: BEP 9 puts a payload behind a dictionary. */
export function decodePrefix(bytes: Uint8Array, options: DecodeOptions = {}): { value: BencodeValue; length: number } {
  const decoder = new Decoder(bytes, options);
  const value = decoder.value(0);
  return { value, length: decoder.at };
}

class Decoder {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #strict: boolean;
  readonly #maxDepth: number;
  #itemsLeft: number;

  constructor(bytes: Uint8Array, options: DecodeOptions) {
    this.#bytes = bytes;
    this.#strict = options.strict ?? false;
    this.#maxDepth = options.maxDepth ?? DEFAULT_DEPTH;
    this.#itemsLeft = options.maxItems ?? DEFAULT_ITEMS;
    const maxBytes = options.maxBytes ?? DEFAULT_BYTES;
    if (bytes.length > maxBytes) throw invalid(0, `${bytes.length} bytes are more than the limit of ${maxBytes}`);
  }

  fail(what: string, at: number = this.at): never {
    throw invalid(at, what);
  }

  value(depth: number): BencodeValue {
    if (--this.#itemsLeft < 0) this.fail('too many values');
    const byte = this.#bytes[this.at];
    if (byte === undefined) this.fail('unexpected end');
    if (byte >= ZERO && byte <= NINE) return this.#string();
    if (byte !== I && byte !== L && byte !== D) this.fail('no value begins here');
    if (byte === I) return this.#integer();
    if (depth >= this.#maxDepth) this.fail('nested too deep');
    return byte === L ? this.#list(depth) : this.#dict(depth);
  }

  #list(depth: number): readonly BencodeValue[] {
    this.at++;
    if (this.#bytes[this.at] === E) {
      this.at++;
      return EMPTY_LIST;
    }
    const out: BencodeValue[] = [];
    while (this.#bytes[this.at] !== E) out.push(this.value(depth + 1));
    this.at++;
    return out;
  }

  #dict(depth: number): BencodeDict {
    this.at++;
    if (this.#bytes[this.at] === E) {
      this.at++;
      return EMPTY_DICT;
    }
    const slots: Slot[] = [];
    let previous: string | null = null;
    let seen: Set<string> | null = null;
    while (this.#bytes[this.at] !== E) {
      const keyAt = this.at;
      const key = this.#key();
      if (previous !== null && key <= previous) {
        if (key === previous) this.fail('duplicate key', keyAt);
        if (this.#strict) this.fail('keys are not sorted', keyAt);
        // Sorted keys cannot repeat; from the first one out of order on, a set has to tell.
        seen ??= new Set(slots.filter((_, i) => i % STRIDE === 0) as string[]);
      }
      if (seen?.has(key)) this.fail('duplicate key', keyAt);
      seen?.add(key);
      previous = key;
      const start = this.at;
      const value = this.value(depth + 1);
      slots.push(key, value, start, this.at);
    }
    this.at++;
    return new BencodeDict(this.#bytes, slots);
  }

  #key(): string {
    const byte = this.#bytes[this.at];
    if (byte === undefined) this.fail('unexpected end');
    if (byte < ZERO || byte > NINE) this.fail('a key must be a byte string');
    const length = this.#length();
    const start = this.at;
    this.at += length;
    return keyText(this.#bytes, start, length);
  }

  #string(): Uint8Array {
    const length = this.#length();
    const start = this.at;
    this.at += length;
    return this.#bytes.subarray(start, this.at);
  }

  /** Reads `123:` and checks that as many bytes follow. */
  #length(): number {
    const start = this.at;
    let length = 0;
    let byte = this.#bytes[this.at];
    while (byte !== undefined && byte >= ZERO && byte <= NINE) {
      length = length * 10 + (byte - ZERO);
      if (length > this.#bytes.length) this.fail('byte string is longer than the input', start);
      byte = this.#bytes[++this.at];
    }
    if (byte === undefined) this.fail('unexpected end');
    if (byte !== COLON) this.fail('expected a colon behind the length');
    if (this.#strict && this.at - start > 1 && this.#bytes[start] === ZERO)
      this.fail('length has a leading zero', start);
    this.at++;
    if (length > this.#bytes.length - this.at) this.fail('byte string is longer than the input', start);
    return length;
  }

  #integer(): number | bigint {
    const start = this.at++;
    const negative = this.#bytes[this.at] === MINUS;
    if (negative) this.at++;
    const first = this.at;
    let value = 0;
    let byte = this.#bytes[this.at];
    while (byte !== undefined && byte >= ZERO && byte <= NINE) {
      value = value * 10 + (byte - ZERO);
      if (this.at - first >= MAX_DIGITS) this.fail('integer beyond 64 bits', start);
      byte = this.#bytes[++this.at];
    }
    if (byte === undefined) this.fail('unexpected end');
    if (byte !== E || this.at === first) this.fail('expected digits and an e');
    const leadingZero = this.#bytes[first] === ZERO && (negative || this.at - first > 1);
    if (leadingZero && this.#strict) this.fail('integer is not canonical', start);
    this.at++;
    if (value <= Number.MAX_SAFE_INTEGER) return negative && value !== 0 ? -value : value;
    const exact = BigInt(keyText(this.#bytes, first, this.at - 1 - first)) * (negative ? -1n : 1n);
    if (exact < INT64_MIN || exact > UINT64_MAX) this.fail('integer beyond 64 bits', start);
    return exact;
  }
}

const EMPTY_LIST: readonly BencodeValue[] = Object.freeze([]);
const EMPTY_DICT: BencodeDict = new BencodeDict(new Uint8Array(0), []);

function invalid(at: number, what: string): ShoalError {
  return new ShoalError('BENCODE_INVALID', `bencoding is broken at byte ${at}: ${what}`);
}

/** The byte string, or null where the value is none. */
export function asBytes(value: BencodeValue | undefined): Uint8Array | null {
  return value instanceof Uint8Array ? value : null;
}

/** The text of a byte string; null where the value is none or is not UTF-8. */
export function asText(value: BencodeValue | undefined): string | null {
  return value instanceof Uint8Array ? fromUtf8(value) : null;
}

/** A safe integer from `minimum` up; null for anything else. For counts and lengths say 0. */
export function asInteger(value: BencodeValue | undefined, minimum: number = Number.MIN_SAFE_INTEGER): number | null {
  return typeof value === 'number' && value >= minimum ? value : null;
}

export function asList(value: BencodeValue | undefined): readonly BencodeValue[] | null {
  return Array.isArray(value) ? value : null;
}

export function asDict(value: BencodeValue | undefined): BencodeDict | null {
  return value instanceof BencodeDict ? value : null;
}
