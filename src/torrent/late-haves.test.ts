import { expect, it } from 'vitest';
import { Bitfield } from '../base/bitfield.ts';
import { lateHaves } from './late-haves.ts';

it('what we have is told as HAVEs or, where those would be very many, as a bitfield', () => {
  const have = new Bitfield(100_000);
  for (const piece of [3, 70_000]) have.set(piece);
  expect([...lateHaves(have)]).toEqual([0, 0, 0, 5, 4, 0, 0, 0, 3, 0, 0, 0, 5, 4, 0, 1, 0x11, 0x70]);
  have.setAll();
  const message = lateHaves(have);
  expect(message.length).toBe(5 + 12_500);
  expect([message[4], message[5]]).toEqual([5, 255]);
});
