// What every Random does.

import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/base/bytes.ts';
import { shuffle } from '../../src/ports/random.ts';
import { inWorld, type MakeWorld } from './world.ts';

export function randomContract(name: string, makeWorld: MakeWorld): void {
  describe(`Random: ${name}`, () => {
    it('overwrites all bytes, and not twice with the same', () =>
      inWorld(makeWorld, async ({ a }) => {
        const seen = new Set<string>();
        for (let i = 0; i < 50; i++) {
          const bytes = new Uint8Array(20);
          a.env.random.fill(bytes);
          seen.add(toHex(bytes));
        }
        expect(seen.size).toBe(50);
        const long = new Uint8Array(10_000);
        a.env.random.fill(long);
        expect(new Set(long).size).toBe(256);
      }));

    it('touches nothing beside the view that it is given', () =>
      inWorld(makeWorld, async ({ a }) => {
        const all = new Uint8Array(64);
        a.env.random.fill(all.subarray(16, 48));
        expect(all.subarray(0, 16).every((byte) => byte === 0)).toBe(true);
        expect(all.subarray(48).every((byte) => byte === 0)).toBe(true);
      }));

    it('fills more than 64 KiB at once', () =>
      inWorld(makeWorld, async ({ a }) => {
        const bytes = new Uint8Array(200_000);
        a.env.random.fill(bytes);
        expect(bytes.subarray(150_000).some((byte) => byte !== 0)).toBe(true);
      }));

    it('draws whole numbers below the limit, all about equally often', () =>
      inWorld(makeWorld, async ({ a }) => {
        const counts = new Array<number>(6).fill(0);
        for (let i = 0; i < 6000; i++) counts[a.env.random.below(6)]!++;
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(6000);
        // Six standard deviations: once in a billion runs.
        for (const count of counts)
          expect(Math.abs(count - 1000)).toBeLessThan(6 * Math.sqrt(6000 * (1 / 6) * (5 / 6)));
      }));

    it('takes limits from 1 to 2^32', () =>
      inWorld(makeWorld, async ({ a }) => {
        let largest = 0;
        for (let i = 0; i < 200; i++) {
          expect(a.env.random.below(1)).toBe(0);
          const value = a.env.random.below(2 ** 32);
          expect(Number.isInteger(value) && value >= 0 && value < 2 ** 32).toBe(true);
          largest = Math.max(largest, value);
        }
        expect(largest).toBeGreaterThan(2 ** 31);
      }));

    it('shuffles into another order with the same items', () =>
      inWorld(makeWorld, async ({ a }) => {
        const items = Array.from({ length: 200 }, (_, i) => i);
        const shuffled = shuffle(a.env.random, [...items]);
        expect(shuffled).not.toEqual(items);
        expect(shuffled.sort((x, y) => x - y)).toEqual(items);
      }));
  });
}
