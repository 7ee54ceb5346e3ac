// Whose piece is whose, told from peer ids alone.

import { expect, it } from 'vitest';
import { SeededRandom } from '../platform/sim/index.ts';
import { Rivals } from './rivals.ts';

const PIECES = 1000;
const random = new SeededRandom(1, 'peer ids');
const peerIds = Array.from({ length: 5 }, () => new Uint8Array(20));
for (const peerId of peerIds) random.fill(peerId);

/** What leech `own` thinks of the others. */
function seenBy(own: number): Rivals {
  const rivals = new Rivals();
  rivals.setOwn(peerIds[own]!);
  peerIds.forEach((peerId, number) => {
    if (number !== own) rivals.note({ number, peerId, isSeed: false });
  });
  return rivals;
}

it('five leeches agree whose every piece is, and have about as many each', () => {
  const all = peerIds.map((_, own) => seenBy(own));
  const owned = [0, 0, 0, 0, 0];
  for (let piece = 0; piece < PIECES; piece++) {
    const ranks = all.map((rivals) => rivals.ahead(piece));
    expect(ranks.toSorted()).toEqual([0, 1, 2, 3, 4]);
    owned[ranks.indexOf(0)]!++;
  }
  for (const count of owned) expect(Math.abs(count - PIECES / 5)).toBeLessThan(60);
});

it('who has all, or has gone, has no claim any more', () => {
  const rivals = seenBy(0);
  rivals.note({ number: 1, peerId: peerIds[1]!, isSeed: true });
  rivals.leave(2);
  rivals.leave(2);
  rivals.note({ number: 3, peerId: peerIds[3]!, isSeed: false });
  expect(rivals.count).toBe(2);
  rivals.leave(3);
  rivals.leave(4);
  for (let piece = 0; piece < PIECES; piece++) expect(rivals.ahead(piece)).toBe(0);
});

it('of hundreds so many are looked at as make a difference', () => {
  const rivals = seenBy(0);
  for (let number = 10; number < 500; number++) rivals.note({ number, peerId: peerIds[1]!, isSeed: false });
  expect(rivals.count).toBe(64);
});
