import { hash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HashLanesModule, isSha1Shared, LANES, loadHashLanes, Sha1Lanes, sha256Units } from './hash-lanes.ts';

const native = loadHashLanes();
/** What processors have, from the least one on (native/hash_lanes.c); this one may have less than all of it. */
const KERNELS = ['AVX2', 'AVX-512 in registers of 256 bits', 'AVX-512 in registers of 512 bits'];
const ALL_KERNELS = KERNELS.length;
const here = native && native.leastSha1 > 0 ? native.use(ALL_KERNELS) : 0;

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

describe.each(KERNELS.slice(0, here))('%s', (kernel) => {
  const module = native as HashLanesModule;
  beforeAll(() => {
    const use = KERNELS.indexOf(kernel) + 1;
    expect(module.use(use)).toBe(use);
  });
  afterAll(() => {
    module.use(ALL_KERNELS);
  });

  const content = fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 40 })).chain(([unit, count]) =>
    fc.record({
      unit: fc.constant(unit),
      count: fc.constant(count),
      bytes: fc.uint8Array({ minLength: unit * count, maxLength: unit * count }),
    }),
  );

  it('makes the SHA-256 of however many units that OpenSSL makes', () => {
    fc.assert(
      fc.property(content, ({ unit, count, bytes }) => {
        const digests = new Uint8Array(count * 32);
        module.sha256(sharedCopy(bytes), unit, digests);
        expect(hex(digests)).toBe(each('sha256', bytes, unit).join(''));
      }),
    );
  });

  it('makes the SHA-1 of up to eight messages that OpenSSL makes', () => {
    fc.assert(
      fc.property(content, ({ unit, count, bytes }) => {
        const some = Math.min(count, LANES);
        const messages = Array.from({ length: some }, (_, i) => sharedCopy(bytes.subarray(i * unit, (i + 1) * unit)));
        const digests = new Uint8Array(some * 20);
        module.sha1(new Uint8Array(160), true, messages, unit, digests);
        expect(hex(digests)).toBe(each('sha1', bytes, unit).slice(0, some).join(''));
      }),
    );
  });

  it('makes the same of long messages whose bits all differ', () => {
    const unit = 16 * 1024 + 77;
    for (const count of [1, 7, 8, 9, 15, 16, 17, 33]) {
      const bytes = randomBytes(count * unit);
      const digests = new Uint8Array(count * 32);
      module.sha256(bytes, unit, digests);
      expect(hex(digests)).toBe(each('sha256', bytes, unit).join(''));
    }
  });
});

/** Hashes of all units, in hex. */
function each(algorithm: string, bytes: Uint8Array, unit: number): string[] {
  return Array.from({ length: bytes.length / unit }, (_, i) =>
    hash(algorithm, bytes.subarray(i * unit, (i + 1) * unit)),
  );
}
