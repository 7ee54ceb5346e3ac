// Bytes to values (BEP 3, bencoding). Byte strings are views into the input; nothing is copied.

import { fromUtf8 } from '../base/bytes.ts';
import { BencodeDict, BencodeRaw, type BencodeValue, type Slot, STRIDE } from './dict.ts';
import { BencodeScanner, D, E, I, L, type ScanLimits } from './scanner.ts';

export { BencodeDict, type BencodeValue } from './dict.ts';

export interface DecodeOptions extends ScanLimits {
  /** Ignore what follows the value; not with `strict`. Default: false. */
  readonly allowTrailing?: boolean;
  /**
   * Keys that lead to one value from the outermost dictionary on: it is checked like all others, and comes as a
   * {@link BencodeRaw}. For a list so long that building it is most of the work.
   */
  readonly leaveRaw?: readonly string[];
}
/** Decodes one value that fills `bytes`. Throws BENCODE_INVALID, whose message has the byte offset; never anything else. */
export function decode(bytes: Uint8Array, options: DecodeOptions = {}): BencodeValue {
  const decoder = new Decoder(bytes, options);
  const value = decoder.value(0, 0);
  if (decoder.at < bytes.length && (options.strict || !options.allowTrailing)) decoder.fail('bytes after the end');
  return value;
}

/** Decodes the value that `bytes` begin with and says how long it is: BEP 9 puts a payload behind a dictionary. */
export function decodePrefix(bytes: Uint8Array, options: DecodeOptions = {}): { value: BencodeValue; length: number } {
  const decoder = new Decoder(bytes, options);
  const value = decoder.value(0, 0);
  return { value, length: decoder.at };
}

class Decoder extends BencodeScanner {
  readonly #leaveRaw: readonly string[];

  constructor(bytes: Uint8Array, options: DecodeOptions) {
    super(bytes, options);
    this.#leaveRaw = options.leaveRaw ?? [];
  }

  /** `led`: how many keys of `leaveRaw` led here; -1: others did. */
  value(depth: number, led: number): BencodeValue {
    const byte = this.begin(depth);
    if (byte === I) return this.integer();
    if (byte === L) return this.#list(depth);
    if (byte === D) return this.#dict(depth, led);
    const length = this.length();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  #list(depth: number): readonly BencodeValue[] {
    this.at++;
    if (this.bytes[this.at] === E) {
      this.at++;
      return EMPTY_LIST;
    }
    const out: BencodeValue[] = [];
    while (this.bytes[this.at] !== E) out.push(this.value(depth + 1, -1));
    this.at++;
    return out;
  }

  #dict(depth: number, led: number): BencodeDict {
    this.at++;
    if (this.bytes[this.at] === E) {
      this.at++;
      return EMPTY_DICT;
    }
    const slots: Slot[] = [];
    let previous: string | null = null;
    let seen: Set<string> | null = null;
    while (this.bytes[this.at] !== E) {
      const keyAt = this.at;
      const key = this.key();
      if (previous !== null && key <= previous) {
        if (key === previous) this.fail('duplicate key', keyAt);
        if (this.strict) this.fail('keys are not sorted', keyAt);
        // Sorted keys cannot repeat; from the first one out of order on, a set has to tell.
        seen ??= new Set(slots.filter((_, i) => i % STRIDE === 0) as string[]);
      }
      if (seen !== null) this.notTwice(seen, key, keyAt);
      previous = key;
      const start = this.at;
      const value = this.#member(key, depth + 1, led);
      slots.push(key, value, start, this.at);
    }
    this.at++;
    return new BencodeDict(this.bytes, slots);
  }

  #member(key: string, depth: number, led: number): BencodeValue {
    if (led < 0 || key !== this.#leaveRaw[led]) return this.value(depth, -1);
    if (led + 1 < this.#leaveRaw.length) return this.value(depth, led + 1);
    const start = this.at;
    this.skip(depth);
    return new BencodeRaw(this.bytes.subarray(start, this.at));
  }
}

const EMPTY_LIST: readonly BencodeValue[] = Object.freeze([]);
const EMPTY_DICT: BencodeDict = new BencodeDict(new Uint8Array(0), []);

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
