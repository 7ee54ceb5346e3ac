import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Address } from '../base/address.ts';
import { Blame, differing } from './blame.ts';

const hashes = {
  sha1: (bytes: Uint8Array) => new Uint8Array(createHash('sha1').update(bytes).digest()),
  sha256: (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest()),
};
const [ann, bob] = [Address.parse('1.1.1.1:1')!, Address.parse('1.1.1.1:2')!];

describe('blame', () => {
  it('falls on those whose blocks differ from the truth, and on nobody else', () => {
    const blame = new Blame(hashes);
    const truth = new Uint8Array(3 * 16384);
    const wrong = truth.slice();
    wrong[16384] = 1;
    blame.failed(4, [ann, bob, ann], blame.digests(wrong, 3));
    expect(blame.isSuspect(4)).toBe(true);
    expect(blame.settle(4, blame.digests(truth, 3))).toEqual([bob]);
    expect(blame.isSuspect(4)).toBe(false);
    expect(blame.settle(4, blame.digests(truth, 3))).toEqual([]);
  });

  it('remembers several failures of a piece', () => {
    const blame = new Blame(hashes);
    const truth = new Uint8Array(16384 + 5);
    const [first, second] = [truth.slice(), truth.slice()];
    first[0] = 1;
    second[16384] = 1;
    blame.failed(1, [ann, bob], blame.digests(first, 2));
    blame.failed(1, [ann, bob], blame.digests(second, 2));
    expect(blame.settle(1, blame.digests(truth, 2))).toEqual([ann, bob]);
  });

  it('compares digest by digest', () => {
    const a = new Uint8Array(96);
    const b = a.slice();
    b[95] = 1;
    expect(differing(a, b)).toEqual([2]);
  });

  it('is remembered within limits: of huge pieces the latest, and of one the latest failures', () => {
    const blame = new Blame(hashes);
    const blocks = 4096;
    const senders = new Array<Address | null>(blocks).fill(ann);
    const digests = new Uint8Array(32 * blocks).fill(1);
    for (let piece = 0; piece < 1000; piece++) blame.failed(piece, senders, digests);
    const kept = Array.from({ length: 1000 }, (_, piece) => blame.isSuspect(piece)).filter(Boolean).length;
    expect(kept * digests.length).toBeGreaterThan(4 << 20);
    expect(kept * digests.length).toBeLessThan(8 << 20);
    expect(blame.settle(999, new Uint8Array(digests.length))).toEqual([ann]);
    const huge = new Array<Address | null>(1 << 17).fill(ann);
    for (let i = 0; i < 5; i++) blame.failed(7, huge, new Uint8Array(32 << 17).fill(1));
    expect([blame.isSuspect(998), blame.settle(7, new Uint8Array(32 << 17))]).toEqual([false, [ann]]);
    expect(blame.isSuspect(7)).toBe(false);
  });
});
