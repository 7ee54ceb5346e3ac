// An announce as clients make it, for tests to change.

import { fromLatin1 } from '../../src/base/bytes.ts';
import type { AnnounceRequest } from '../../src/tracker/protocol/announce.ts';

export const hash: Uint8Array = new Uint8Array(20).fill(0x2b);

/** A leech that starts. */
export function request(changes: Partial<AnnounceRequest> = {}): AnnounceRequest {
  return {
    infoHash: hash,
    peerId: fromLatin1('-SH0100-abcdefghijkl'),
    port: 6881,
    uploaded: 0,
    downloaded: 0,
    left: 100,
    event: 'started',
    numWant: null,
    key: 7,
    trackerId: null,
    ...changes,
  };
}
