import { expect, it } from 'vitest';
import { Stale } from './stale.ts';

it('of the pieces that got no block for long the one with the least to lose is stale', () => {
  const stale = new Stale();
  const pieces = new Map([
    [1, 5],
    [2, 3],
    [3, 0],
  ]);
  expect(stale.look(pieces, 0)).toBe(-1);
  pieces.set(3, 1);
  expect(stale.look(pieces, 20_000)).toBe(-1);
  expect(stale.look(pieces, 30_000)).toBe(2);
  pieces.delete(2);
  expect(stale.look(pieces, 31_000)).toBe(1);
  pieces.set(2, 3);
  expect(stale.look(pieces, 50_000)).toBe(3);
  stale.forget();
  expect(stale.look(pieces, 90_000)).toBe(-1);
});
