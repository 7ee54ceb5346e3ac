// Path and query of a tracker's URL over UDP: options after an announce request (BEP 41).
//
//   option 1 | length 1 | that many bytes      0 ends the options, 1 stands alone and means nothing

import { concatBytes, EMPTY } from '../../base/bytes.ts';

const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_URL_DATA = 2;

/** Longest path and query that a client sends in options: beyond, the packet might be split on its way. */
const MAX_URL_DATA = 1020;

/** The options that carry `data`; none where it is too long. */
export function urlOptions(data: Uint8Array): Uint8Array {
  if (data.length > MAX_URL_DATA) return EMPTY;
  const parts: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += 255) {
    const part = data.subarray(at, at + 255);
    parts.push(Uint8Array.of(OPTION_URL_DATA, part.length), part);
  }
  return concatBytes(parts);
}

/**
 * Copies path and query that the options of `packet` from byte `start` on carry into `into`, as far as there is room, and
 * returns their length; 0 where there are none or the options are cut off.
 */
export function copyUrlData(packet: Uint8Array, start: number, into: Uint8Array): number {
  let copied = 0;
  for (let at = start; at < packet.length; ) {
    const option = packet[at++]!;
    if (option === OPTION_END) break;
    if (option === OPTION_NOP) continue;
    const length = packet[at++];
    if (length === undefined || at + length > packet.length) return 0;
    for (let i = 0; option === OPTION_URL_DATA && i < length && copied < into.length; i++)
      into[copied++] = packet[at + i]!;
    at += length;
  }
  return copied;
}
