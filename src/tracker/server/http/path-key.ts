// Paths of announces and scrapes, with or without a passkey: `/announce`, `/PASSKEY/announce`.

import { fromLatin1 } from '../../../base/bytes.ts';
import type { PathKey } from '../access.ts';
import type { RequestHead } from './http-head.ts';

const ANNOUNCE = fromLatin1('/announce');
const SCRAPE = fromLatin1('/scrape');
const SLASH = 0x2f;
const QUESTION = 0x3f;

/** What a path asks for. */
export const ASKS_OTHER = 0;
export const ASKS_ANNOUNCE = 1;
export const ASKS_SCRAPE = 2;

/**
 * Which of them the path `bytes[start..end)` is, up to a `?`; sets `key` to what precedes the last word, without slashes
 * around it, for an announce or scrape, and to nothing else.
 */
export function keyInPath(bytes: Uint8Array, start: number, end: number, key: PathKey): number {
  let stop = start;
  while (stop < end && bytes[stop] !== QUESTION) stop++;
  const asks = endsWith(bytes, start, stop, ANNOUNCE)
    ? ASKS_ANNOUNCE
    : endsWith(bytes, start, stop, SCRAPE)
      ? ASKS_SCRAPE
      : ASKS_OTHER;
  const wordLength = asks === ASKS_ANNOUNCE ? ANNOUNCE.length : SCRAPE.length;
  const keyEnd = asks === ASKS_OTHER ? start : stop - wordLength;
  if (keyEnd === start) key.set(bytes, start, start);
  else key.set(bytes, start + 1, keyEnd);
  // One word: what has more before it is some other page.
  for (let at = key.start; at < key.end; at++) if (bytes[at] === SLASH) return ASKS_OTHER;
  return asks;
}

/** Whether the path of a request is this one, in full. */
export function isPath(bytes: Uint8Array, head: RequestHead, path: Uint8Array): boolean {
  if (head.pathEnd - head.pathStart !== path.length) return false;
  for (let i = 0; i < path.length; i++) if (bytes[head.pathStart + i] !== path[i]) return false;
  return true;
}

function endsWith(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  const at = end - word.length;
  if (at < start) return false;
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}
