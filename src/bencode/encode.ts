// Values to canonical bytes (BEP 3, bencoding): keys sorted as raw bytes, one growing output buffer.

import { assert } from '../base/assert.ts';
import { BencodeDict, BencodeRaw } from './dict.ts';

/**
 * What can be encoded. Text becomes UTF-8. Keys of maps are raw bytes as latin1 text; keys of plain objects are ASCII,
 * and members that are undefined are left out.
 */
export type Encodable =
  | number
  | bigint
  | string
  | Uint8Array
  | BencodeRaw
  | BencodeEach
  | BencodeDict
  | readonly Encodable[]
  | ReadonlyMap<string, Encodable>
  | { readonly [key: string]: Encodable | undefined };

/** A list whose members are made one by one as they are written: a hundred thousand need not be there at once. */
export class BencodeEach {
  readonly members: Iterable<Encodable>;

  constructor(members: Iterable<Encodable>) {
    this.members = members;
  }
}

const ZERO = 0x30;
const COLON = 0x3a;
const D = 0x64;
const E = 0x65;
const I = 0x69;
const L = 0x6c;

/** Most messages fit; metainfo doubles it a few times. */
const FIRST_BYTES = 256;

const utf8Encoder = new TextEncoder();

/** Canonical bencoding of `value`. Owned by the caller. Integers must be whole; a value that is not Encodable is a bug. */
export function encode(value: Encodable): Uint8Array {
  const writer = new Writer();
  writer.value(value);
  return writer.finish();
}

class Writer {
  #bytes = new Uint8Array(FIRST_BYTES);
  #at = 0;

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  value(value: Encodable): void {
    if (typeof value === 'string') this.#text(value);
    else if (value instanceof Uint8Array) this.#string(value);
    else if (typeof value === 'number' || typeof value === 'bigint') this.#integer(value);
    else if (value instanceof BencodeRaw) this.#raw(value.bytes);
    else if (Array.isArray(value)) this.#list(value as readonly Encodable[]);
    else if (value instanceof BencodeEach) this.#list(value.members);
    else if (value instanceof Map || value instanceof BencodeDict) this.#entries([...value]);
    else this.#object(value as { readonly [key: string]: Encodable | undefined });
  }

  #integer(value: number | bigint): void {
    assert(typeof value === 'bigint' || Number.isSafeInteger(value), 'an encoded number is a safe integer');
    this.#byte(I);
    if (typeof value === 'number' && value >= 0) this.#digits(value);
    else this.#ascii(value.toString());
    this.#byte(E);
  }

  #list(values: Iterable<Encodable>): void {
    this.#byte(L);
    for (const value of values) this.value(value);
    this.#byte(E);
  }

  /** In one go where its keys are in order as they stand, as those of many alike are written. */
  #object(object: { readonly [key: string]: Encodable | undefined }): void {
    let previous = '';
    for (const key in object) {
      if (key < previous) {
        this.#entries(presentEntries(object));
        return;
      }
      previous = key;
    }
    this.#byte(D);
    for (const key in object) {
      const value = object[key];
      if (value === undefined) continue;
      this.#key(key);
      this.value(value);
    }
    this.#byte(E);
  }

  /** Code units of latin1 text are its bytes, so that the order of strings is the order of raw bytes. */
  #entries(entries: (readonly [string, Encodable])[]): void {
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#byte(D);
    for (const [key, value] of entries) {
      this.#key(key);
      this.value(value);
    }
    this.#byte(E);
  }

  #key(key: string): void {
    this.#length(key.length);
    this.#ascii(key);
  }

  /** `123:` */
  #length(length: number): void {
    this.#digits(length);
    this.#byte(COLON);
  }

  #digits(whole: number): void {
    if (whole >= 10) this.#digits(Math.floor(whole / 10));
    this.#byte(ZERO + (whole % 10));
  }

  #text(text: string): void {
    const length = utf8Length(text);
    this.#length(length);
    if (length === text.length) {
      this.#ascii(text);
      return;
    }
    this.#reserve(length);
    utf8Encoder.encodeInto(text, this.#bytes.subarray(this.#at, this.#at + length));
    this.#at += length;
  }

  #string(bytes: Uint8Array): void {
    this.#length(bytes.length);
    this.#raw(bytes);
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #ascii(text: string): void {
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      assert(code < 256, 'a key is latin1 text');
      this.#bytes[this.#at++] = code;
    }
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = byte;
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}

function presentEntries(object: { readonly [key: string]: Encodable | undefined }): (readonly [string, Encodable])[] {
  const entries: (readonly [string, Encodable])[] = [];
  for (const [key, value] of Object.entries(object)) if (value !== undefined) entries.push([key, value]);
  return entries;
}

/** Bytes of a text in UTF-8, as TextEncoder writes it: a lone surrogate becomes U+FFFD, 3 bytes. */
function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    if (code < 0x800) length += 1;
    else if (code >= 0xd800 && code < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) {
      length += 2;
      i++;
    } else length += 2;
  }
  return length;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}
