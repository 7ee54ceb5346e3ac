// The bencoded dictionary that an extension message begins with.

import { ShoalError } from '../base/errors.ts';
import { asDict, type BencodeDict, decodePrefix } from '../bencode/decode.ts';

/**
 * Messages in use have some twenty values. This leaves room for what others add, and keeps a message of two-byte values
 * from costing many times its length.
 */
const MAX_ITEMS = 1000;

/** The dictionary and its length in bytes (something may follow); null where there is none. Values are borrowed. */
export function readMessageDict(payload: Uint8Array): { dict: BencodeDict; length: number } | null {
  try {
    const { value, length } = decodePrefix(payload, { maxItems: MAX_ITEMS });
    const dict = asDict(value);
    return dict === null ? null : { dict, length };
  } catch (error) {
    if (error instanceof ShoalError) return null;
    throw error;
  }
}
