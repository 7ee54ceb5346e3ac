import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { allowedFastSet } from './allowed-fast.ts';

const sha1 = (bytes: Uint8Array): Uint8Array => createHash('sha1').update(bytes).digest();
const infoHash = new Uint8Array(20).fill(0xaa);
const ip = Uint8Array.of(80, 4, 4, 200);

describe('the allowed fast set', () => {
  it('is that of the examples in BEP 6', () => {
    expect(allowedFastSet(ip, infoHash, 1313, 7, sha1)).toEqual([1059, 431, 808, 1217, 287, 376, 1188]);
    expect(allowedFastSet(ip, infoHash, 1313, 9, sha1)).toEqual([1059, 431, 808, 1217, 287, 376, 1188, 353, 508]);
  });

  it('is one for all addresses of a network', () => {
    const neighbour = Uint8Array.of(80, 4, 4, 1);
    expect(allowedFastSet(neighbour, infoHash, 1313, 7, sha1)).toEqual(allowedFastSet(ip, infoHash, 1313, 7, sha1));
    const other = Uint8Array.of(80, 4, 5, 200);
    expect(allowedFastSet(other, infoHash, 1313, 7, sha1)).not.toEqual(allowedFastSet(ip, infoHash, 1313, 7, sha1));
  });

  it('has every piece once where there are no more than asked for', () => {
    for (const pieceCount of [0, 1, 2, 9, 10]) {
      const pieces = allowedFastSet(ip, infoHash, pieceCount, 10, sha1);
      expect(pieces.sort((a, b) => a - b)).toEqual(Array.from({ length: pieceCount }, (_, i) => i));
    }
  });

  it('is empty for IPv6', () => {
    expect(allowedFastSet(new Uint8Array(16), infoHash, 1313, 7, sha1)).toEqual([]);
  });
});
