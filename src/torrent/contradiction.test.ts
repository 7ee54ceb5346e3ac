import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Geometry } from '../metainfo/geometry.ts';
import { merkleRoot } from '../metainfo/merkle.ts';
import { isContradiction } from './contradiction.ts';

const hashes = {
  sha1: (bytes: Uint8Array) => new Uint8Array(createHash('sha1').update(bytes).digest()),
  sha256: (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest()),
};

/** Two blocks, the last 100 bytes of them padding. */
const DATA_BYTES = 32768 - 100;
const geometry = { dataBytes: () => DATA_BYTES } as unknown as Geometry;

function leavesOf(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(64);
  out.set(hashes.sha256(bytes.subarray(0, 16384)));
  out.set(hashes.sha256(bytes.subarray(16384, DATA_BYTES)), 32);
  return out;
}

const good = new Uint8Array(32768).fill(7, 0, DATA_BYTES);
const other = new Uint8Array(32768).fill(8, 0, DATA_BYTES);
const sha1 = hashes.sha1(good);
const rootOf = (bytes: Uint8Array): Uint8Array => merkleRoot(leavesOf(bytes), 2, hashes.sha256);

const judge = (bytes: Uint8Array, v1: Uint8Array | null, root: Uint8Array | null): boolean =>
  isContradiction(0, bytes, leavesOf(bytes), { sha1: v1, root, treeBytes: DATA_BYTES, leafCount: 2 }, geometry, hashes);

it('a failed piece that one of two hashes takes for good shows that the torrent is broken', () => {
  expect(judge(good, sha1, rootOf(other))).toBe(true);
  expect(judge(good, hashes.sha1(other), rootOf(good))).toBe(true);
});

it('a failed piece that is neither, has one hash, or has wrong padding shows nothing', () => {
  const padded = good.slice();
  padded[32767] = 1;
  expect(judge(other, sha1, rootOf(good))).toBe(false);
  expect(judge(padded, sha1, rootOf(good))).toBe(false);
  expect([judge(other, sha1, null), judge(other, null, rootOf(good))]).toEqual([false, false]);
});
