// What a tracker says to the user: a hostile text that ends up on one line of a screen.

import { fromUtf8Loose } from '../../base/bytes.ts';

/** Longer texts are cut: no honest reason needs more than a few lines of a terminal. */
const MAX_TEXT = 512;

/** The text of `bytes` without control characters, which must not reach a terminal. */
export function cleanText(bytes: Uint8Array): string {
  return fromUtf8Loose(bytes.subarray(0, MAX_TEXT))
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
}
