import { expect, it } from 'vitest';
import { Patience } from './patience.ts';

it('half a second of our time is borne at once, and then a twentieth of the time', () => {
  const patience = new Patience(0);
  const count = (nowMs: number): number => {
    let borne = 0;
    while (patience.bears(1000, nowMs)) borne++;
    return borne;
  };
  expect([count(0), count(0), count(1000), count(2000), count(100_000)]).toEqual([500, 0, 50, 50, 500]);
});
