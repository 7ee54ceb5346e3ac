// Percent-encoding of raw bytes (RFC 3986): info hashes and peer ids stand in URLs byte by byte, not as text.

import { EMPTY } from '../../base/bytes.ts';

const PERCENT = 0x25;

const ENCODED: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  return /[A-Za-z0-9\-._~]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});

/** Value of a hexadecimal digit by character code; 255 for all others. */
const DIGITS: Uint8Array = new Uint8Array(256).fill(255);
for (let value = 0; value < 16; value++) {
  DIGITS[value.toString(16).charCodeAt(0)] = value;
  DIGITS[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/** Bytes as they stand in a query: all but the unreserved characters as `%XX`. */
export function percentEncode(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length; i++) out += ENCODED[bytes[i]!]!;
  return out;
}

/**
 * Decodes `from[start..end)` into `into` and returns the number of bytes written; -1 where a `%` is not followed by
 * two digits or `into` is too small. `+` is itself: clients write info hashes with it unescaped, and no value of a
 * tracker query holds a space.
 */
export function percentDecodeInto(from: Uint8Array, start: number, end: number, into: Uint8Array): number {
  let written = 0;
  for (let at = start; at < end; at++) {
    let byte = from[at]!;
    if (byte === PERCENT) {
      if (at + 2 >= end) return -1;
      const high = DIGITS[from[at + 1]!]!;
      const low = DIGITS[from[at + 2]!]!;
      if (high > 15 || low > 15) return -1;
      byte = (high << 4) | low;
      at += 2;
    }
    if (written === into.length) return -1;
    into[written++] = byte;
  }
  return written;
}

/** The decoded bytes, newly made; null where a `%` is malformed. */
export function percentDecode(from: Uint8Array, start = 0, end: number = from.length): Uint8Array | null {
  if (start === end) return EMPTY;
  const out = new Uint8Array(end - start);
  const length = percentDecodeInto(from, start, end, out);
  return length < 0 ? null : out.subarray(0, length);
}
