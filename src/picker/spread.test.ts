// A seed's promises: each piece to one peer, kept, passed on, or given back.

import { describe, expect, it } from 'vitest';
import { Bitfield } from '../base/bitfield.ts';
import { SeededRandom } from '../platform/sim/random.ts';
import { Spread } from './spread.ts';

function spreadOf(pieces: number): Spread {
  return new Spread(pieces, new SeededRandom(1, 'spread'));
}

describe('spreading', () => {
  it('promises every piece once, two ahead a peer', () => {
    const spread = spreadOf(5);
    const promised = [1, 1, 2, 2, 3].map((peer) => spread.promise(peer));
    expect([...promised].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(spread.promise(1)).toBe(-1);
    expect(spread.promise(3)).toBe(-1);
  });

  it('promises the next piece when one is out, whoever announced it', () => {
    const spread = spreadOf(5);
    const first = spread.promise(1);
    const second = spread.promise(1);
    spread.peerHas(first);
    const third = spread.promise(1);
    expect(new Set([first, second, third]).size).toBe(3);
    expect(spread.promise(1)).toBe(-1);
  });

  it('puts a request for what another peer asked for behind the others', () => {
    const spread = spreadOf(3);
    expect(spread.isFirst(1, 0)).toBe(true);
    expect(spread.isFirst(2, 0)).toBe(false);
    expect(spread.isFirst(1, 0)).toBe(true);
    spread.peerHas(0);
    expect(spread.isFirst(1, 0)).toBe(false);
    expect(spread.isFirst(1, 3)).toBe(false);
  });

  it('passes on a promise that was not taken up', () => {
    const spread = spreadOf(1);
    expect(spread.promise(1)).toBe(0);
    expect(spread.isFirst(2, 0)).toBe(true);
    expect(spread.isFirst(1, 0)).toBe(false);
  });

  it('has the pieces of a peer that left to give again', () => {
    const spread = spreadOf(2);
    spread.promise(1);
    expect(spread.isFirst(1, spread.promise(1))).toBe(true);
    expect(spread.promise(2)).toBe(-1);
    spread.peerGone(1);
    spread.peerGone(1);
    expect([spread.promise(2), spread.promise(2)].sort()).toEqual([0, 1]);
  });

  it('is done when all pieces are with others', () => {
    const spread = spreadOf(3);
    const have = new Bitfield(3);
    have.set(0);
    have.set(2);
    spread.promise(1);
    spread.peerJoined(have);
    expect(spread.isDone).toBe(false);
    spread.peerHas(1);
    spread.peerHas(1);
    expect(spread.isDone).toBe(true);
    expect(spread.promise(4)).toBe(-1);
  });
});
