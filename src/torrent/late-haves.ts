// What peers are told that came before the metadata did: then it is too late for the opening words.

import type { Bitfield } from '../base/bitfield.ts';
import { encodeBitfield, MAX_PUT_BYTES, putHave } from '../wire/encoder.ts';

/** 36 KiB of HAVEs; a bitfield that says more is shorter than those. */
const MOST_HAVES = 4096;

/**
 * All that we have, as messages in one buffer. BEP 3 wants a bitfield to be the first message, so these are HAVEs; only
 * where very many would be needed it is a bitfield all the same, which programs take at any time (aria2 sends them so).
 */
export function lateHaves(have: Bitfield): Uint8Array {
  if (have.count > MOST_HAVES) return encodeBitfield(have.bytes);
  const out = new Uint8Array(have.count * MAX_PUT_BYTES);
  let end = 0;
  have.forEach((piece) => {
    end = putHave(out, end, piece);
  });
  return out.slice(0, end);
}
