import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CopyBytes, copyBytes } from '../../../base/block-copy.ts';
import { nativeFile } from '../native.ts';
import { fastestCopy } from './native-copy.ts';

const ways: readonly (readonly [string, CopyBytes])[] = [
  ['by words', copyBytes],
  ['as fast as it goes here', fastestCopy()],
];

describe.each(ways)('copying a block %s', (_, copy) => {
  it('gives the same bytes for every alignment and length, in plain and in shared memory, and touches no others', () => {
    const length = fc.oneof(fc.nat(300), fc.integer({ min: 16_300, max: 16_500 }), fc.constant(40_000));
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.nat(17),
        fc.nat(17),
        fc.nat(17),
        fc.nat(17),
        length,
        (shared, a, at, b, from, count) => {
          const size = 80 + count;
          const memory = shared ? new SharedArrayBuffer(size) : new ArrayBuffer(size);
          const target = new Uint8Array(memory, a);
          target.fill(0xab);
          const source = Uint8Array.from({ length: size }, (_, i) => (i * 7) % 251).subarray(b);
          copy(target, at, source, from, count);
          const expected = new Uint8Array(target.length).fill(0xab);
          expected.set(source.subarray(from, from + count), at);
          expect(Buffer.compare(new Uint8Array(target), expected)).toBe(0);
        },
      ),
    );
  });

  it('never goes past either of them', () => {
    const target = new Uint8Array(new SharedArrayBuffer(200), 50, 100);
    const source = new Uint8Array(new ArrayBuffer(200), 50, 100).fill(1);
    for (const [at, from, count] of [
      [1, 0, 100],
      [0, 101, 150],
      [101, 0, 1],
      [0, 0, 2 ** 32],
      [2 ** 32, 0, 1],
    ] as const) {
      expect(() => copy(target, at, source, from, count), `${at} ${from} ${count}`).toThrow(RangeError);
    }
    expect(new Uint8Array(target.buffer).every((byte) => byte === 0)).toBe(true);
  });
});

describe.skipIf(nativeFile('block_copy') === null)('the native module', () => {
  it('is what copies, takes nothing but bytes, and may be given the same memory twice', () => {
    const copy = fastestCopy();
    expect(copy).not.toBe(copyBytes);
    const wrong = [new Uint16Array(8), 'text', null] as unknown as Uint8Array[];
    for (const one of wrong) {
      expect(() => copy(one, 0, new Uint8Array(8), 0, 4)).toThrow(RangeError);
      expect(() => copy(new Uint8Array(8), 0, one, 0, 4)).toThrow(RangeError);
    }
    for (const [at, from, count] of [
      [-1, 0, 1],
      [0, -1, 1],
      [0, 0, -1],
    ] as const) {
      expect(() => copy(new Uint8Array(8), at, new Uint8Array(8), from, count)).toThrow(RangeError);
    }
    const bytes = Uint8Array.of(1, 2, 3, 4, 5);
    copy(bytes, 1, bytes, 0, 4);
    expect([...bytes]).toEqual([1, 1, 2, 3, 4]);
  });
});
