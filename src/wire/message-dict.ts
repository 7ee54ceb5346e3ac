// The bencoded dictionary that an extension message begins with.

import { ShoalError } from '../base/errors.ts';
import { asDict, type BencodeDict, decodePrefix } from '../bencode/decode.ts';

/**
 * Messages in use have some twenty values in two layers. These leave room for what others add, and keep a message of
 * two-byte values from costing many times its length.
 */
const LIMITS = { maxDepth: 16, maxItems: 1000 } as const;

/** The dictionary and its length in bytes (something may follow); null where there is none. Values are borrowed. */
export function readMessageDict(payload: Uint8Array): { dict: BencodeDict; length: number } | null {
  try {
    const { value, length } = decodePrefix(payload, LIMITS);
    const dict = asDict(value);
    return dict === null ? null : { dict, length };
  } catch (error) {
    if (error instanceof ShoalError) return null;
    throw error;
  }
}
