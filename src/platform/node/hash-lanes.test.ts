import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSha1Shared, LANES, Sha1Lanes, sha256Units } from './hash-lanes.ts';

/** Shared memory, as pieces have, off the beat of machine words. */
function sharedCopy(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(new SharedArrayBuffer(bytes.length + 3), 3);
  out.set(bytes);
  return out;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

const messages = fc
  .tuple(fc.integer({ min: 1, max: LANES }), fc.integer({ min: 1, max: 700 }))
  .chain(([count, length]) =>
    fc.array(fc.uint8Array({ minLength: length, maxLength: length }), { minLength: count, maxLength: count }),
  );

describe.skipIf(!isSha1Shared(LANES))('SHA-1 of messages side by side', () => {
  it('is that of each of them, in one chunk or in several', () => {
    fc.assert(
      fc.property(messages, fc.nat({ max: 10 }), (all, blocks) => {
        const lanes = new Sha1Lanes();
        const shared = all.map(sharedCopy);
        const length = all[0]!.length;
        const cut = Math.min(blocks * 64, Math.floor((length - 1) / 64) * 64);
        if (cut > 0) {
          lanes.update(
            shared.map((message) => message.subarray(0, cut)),
            false,
          );
        }
        lanes.update(
          shared.map((message) => message.subarray(cut)),
          true,
        );
        expect(all.map((_, i) => hex(lanes.digest(i)))).toEqual(all.map((message) => hash('sha1', message)));
      }),
    );
  });

  it('is refused for messages of different lengths, and for too many', () => {
    const of = (...lengths: number[]) => lengths.map((length) => new Uint8Array(length));
    expect(() => new Sha1Lanes().update(of(64, 65), true)).toThrow(TypeError);
    expect(() => new Sha1Lanes().update(of(1, 1, 1, 1, 1, 1, 1, 1, 1), true)).toThrow(TypeError);
    expect(() => new Sha1Lanes().update(of(65, 65), false)).toThrow(TypeError);
  });
});

describe('SHA-256 of units', () => {
  it('is that of each of them, also of a shorter last one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 1, max: 300 }), (bytes, unitBytes) => {
        const count = Math.ceil(bytes.length / unitBytes);
        const out = new Uint8Array(32 * (count + 2));
        sha256Units(sharedCopy(bytes), unitBytes, out, 32);
        const wanted = Array.from({ length: count }, (_, i) =>
          hash('sha256', bytes.subarray(i * unitBytes, (i + 1) * unitBytes)),
        );
        expect(hex(out)).toBe(['00'.repeat(32), ...wanted, '00'.repeat(32)].join(''));
      }),
    );
  });
});
