// What every Hashes and Log do, in the real world and in the simulated one.

import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import { inWorld, type MakeWorld } from './world.ts';

export function hashesContract(name: string, makeWorld: MakeWorld): void {
  describe(`${name}: hashes`, () => {
    it('gives the digests of the standard (FIPS 180-4)', () =>
      inWorld(makeWorld, async ({ a: { env } }) => {
        const { sha1, sha256 } = env.hashes;
        expect(toHex(sha1(utf8('abc')))).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
        expect(toHex(sha1(new Uint8Array(0)))).toBe('da39a3ee5e6b4b0d3255bfef95601890afd80709');
        expect(toHex(sha256(utf8('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
        expect(toHex(sha256(new Uint8Array(0)))).toBe(
          'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
        );
      }));

    it('gives plain bytes that later digests leave alone', () =>
      inWorld(makeWorld, async ({ a: { env } }) => {
        const first = env.hashes.sha1(utf8('one'));
        const copy = first.slice();
        expect(Object.getPrototypeOf(first)).toBe(Uint8Array.prototype);
        for (let i = 0; i < 1000; i++) env.hashes.sha1(Uint8Array.of(i));
        expect(first).toEqual(copy);
      }));
  });

  describe(`${name}: log`, () => {
    it('takes every level, with and without fields', () =>
      inWorld(makeWorld, async ({ a: { env } }) => {
        for (const level of ['debug', 'info', 'warn', 'error'] as const) {
          env.log.write(level, 'a sentence');
          env.log.write(level, 'a sentence', { count: 1, name: 'x', flag: true, nothing: null, absent: undefined });
        }
      }));
  });
}
