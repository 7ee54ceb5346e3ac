// Small digests on the main thread, with the one-shot function of OpenSSL (a third cheaper than createHash).

import { hash } from 'node:crypto';
import type { Hashes } from '../../ports/hashes.ts';

export const nodeHashes: Hashes = {
  sha1: (bytes) => digest('sha1', bytes),
  sha256: (bytes) => digest('sha256', bytes),
};

/** Digest as plain bytes: a Buffer's `slice` would share memory where a Uint8Array's copies. */
function digest(algorithm: 'sha1' | 'sha256', bytes: Uint8Array): Uint8Array {
  const out = hash(algorithm, bytes, 'buffer');
  return new Uint8Array(out.buffer, out.byteOffset, out.length);
}
