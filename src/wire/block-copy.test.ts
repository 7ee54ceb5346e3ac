import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyBytes } from './block-copy.ts';

describe('copying a block', () => {
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
          copyBytes(target, at, source, from, count);
          const expected = new Uint8Array(target.length).fill(0xab);
          expected.set(source.subarray(from, from + count), at);
          expect(Buffer.compare(new Uint8Array(target), expected)).toBe(0);
        },
      ),
    );
  });
});
