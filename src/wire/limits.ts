// Which lengths a remote may claim: what goes beyond ends the connection before it has cost anything.

import { HASH_BYTES, HASH_QUERY_BYTES } from './hash-query.ts';
import * as ids from './messages.ts';

/** Limits that its user gives to a decoder. */
export interface WireLimits {
  /** Of a bitfield while the number of pieces is unknown (magnet links). */
  readonly maxBitfieldBytes: number;
  /** Of the block in a piece message. */
  readonly maxBlockBytes: number;
  /** Of an extended message behind its two ids. */
  readonly maxExtendedBytes: number;
}

/** BEP 52 lets nobody ask for more than 512 hashes; the uncles are one a layer, fewer than 64 in a tree over 2^64 bytes. */
export const MAX_HASHES_BYTES: number = (512 + 64) * HASH_BYTES;

/**
 * Of a message with an unknown id, which is skipped and so costs nothing. No extension known sends as much; without a
 * limit one wrong length would make the connection deaf for 4 GiB.
 */
export const MAX_UNKNOWN_BYTES: number = 1024 * 1024;

/** Why a stream cannot be read on: the remote broke the protocol, the connection ends. */
export interface WireFault {
  /** `message-too-long`: beyond a limit. `bad-length`: not a length that this message can have. */
  readonly code: 'message-too-long' | 'bad-length';
  /** For logs: names the message and its length. */
  readonly message: string;
}

/**
 * The fault in a message that claims `length` bytes (id included, at least 1), or null. `bitfieldBytes` is what a
 * bitfield must have, or -1 while that is unknown.
 */
export function lengthFault(id: number, length: number, limits: WireLimits, bitfieldBytes: number): WireFault | null {
  switch (id) {
    case ids.PIECE:
      return between(id, length, 9, 9 + limits.maxBlockBytes);
    case ids.BITFIELD:
      return bitfieldBytes < 0
        ? between(id, length, 1, 1 + limits.maxBitfieldBytes)
        : between(id, length, 1 + bitfieldBytes, 1 + bitfieldBytes);
    case ids.EXTENDED:
      return between(id, length, 2, 2 + limits.maxExtendedBytes);
    case ids.HASH_REQUEST:
    case ids.HASH_REJECT:
      return between(id, length, 1 + HASH_QUERY_BYTES, 1 + HASH_QUERY_BYTES);
    case ids.HASHES: {
      const least = 1 + HASH_QUERY_BYTES;
      if ((length - least) % HASH_BYTES !== 0) return fault('bad-length', id, length, 'no whole number of hashes');
      return between(id, length, least, least + MAX_HASHES_BYTES);
    }
    default: {
      const exact = ids.SHORT_LENGTHS[id]!;
      return exact > 0 ? between(id, length, exact, exact) : between(id, length, 1, 1 + MAX_UNKNOWN_BYTES);
    }
  }
}

function between(id: number, length: number, least: number, most: number): WireFault | null {
  if (length >= least && length <= most) return null;
  if (least === most) return fault('bad-length', id, length, `instead of ${least}`);
  if (length < least) return fault('bad-length', id, length, `at least ${least}`);
  return fault('message-too-long', id, length, `at most ${most}`);
}

function fault(code: WireFault['code'], id: number, length: number, why: string): WireFault {
  return { code, message: `a message of type ${id} with ${length} bytes: ${why}` };
}
