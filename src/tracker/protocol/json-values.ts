// Values of JSON messages, told apart without making strings of them.

import { latin1 } from '../../base/bytes.ts';
import type { JsonScan } from './json-scan.ts';

const QUOTE = 0x22;
/** Longest text that stands for a number. */
const scratchText = new Uint8Array(24);

/** Which of the texts the first `length` bytes are; -1 for none. */
export function indexOf(texts: readonly Uint8Array[], bytes: Uint8Array, length: number): number {
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i]!;
    let same = text.length === length;
    for (let at = 0; same && at < length; at++) same = text[at] === bytes[at];
    if (same) return i;
  }
  return -1;
}

/** A number, not negative, also as a string; `otherwise` for all else (`null` stands for an infinite one), -1 for no JSON. */
export function readAmount(scan: JsonScan, otherwise: number): number {
  let value: number;
  if (scan.peek() === QUOTE) {
    const length = scan.readString(scratchText);
    if (length === -1) return -1;
    value = length <= 0 ? Number.NaN : Number(latin1(scratchText.subarray(0, length)));
  } else {
    const first = scan.peek();
    const start = scan.at;
    if (!scan.passValue()) return -1;
    value = first >= 0x30 && first <= 0x39 ? numberIn(scan.bytes, start, scan.at) : Number.NaN;
  }
  return value >= 0 && Number.isFinite(value) ? value : otherwise;
}

function numberIn(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return Number(latin1(bytes.subarray(start, end)));
    value = value * 10 + digit;
  }
  return value;
}
