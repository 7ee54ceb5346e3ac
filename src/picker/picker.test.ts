// What the picker prefers, one rule at a time. Consistency over random lives is in model.test.ts.

import { describe, expect, it } from 'vitest';
import { Bitfield } from '../base/bitfield.ts';
import { SeededRandom } from '../platform/sim/random.ts';
import { Picker, type PickPeer } from './picker.ts';

const OUT = new Int32Array(4096);

function makePicker(pieceCount: number, blocks: number, seed = 1): Picker {
  return new Picker({ pieceCount, blockCount: () => blocks }, new SeededRandom(seed, 'picker'));
}

function bits(length: number, pieces?: readonly number[]): Bitfield {
  const field = new Bitfield(length);
  if (pieces) for (const piece of pieces) field.set(piece);
  else field.setAll();
  return field;
}

function peerOf(number: number, have: Bitfield, more: Partial<PickPeer> = {}): PickPeer {
  return { number, have, parole: false, slow: false, ...more };
}

/** The picked pairs as text, so that a failure reads well. */
function pick(picker: Picker, peer: PickPeer, count: number, maxNew = 100): string {
  const got = picker.pick(peer, count, maxNew, OUT);
  return Array.from({ length: got }, (_, i) => `${OUT[2 * i]}:${OUT[2 * i + 1]}`).join(' ');
}

describe('beginning pieces', () => {
  it('takes the rarest of many pieces for a peer that has next to none of them', () => {
    const count = 20_000;
    const picker = makePicker(count, 1);
    picker.peerJoined(bits(count));
    const few = bits(count, [17, 5000, 9999, 19_990]);
    picker.peerJoined(few);
    for (const piece of [17, 9999, 19_990]) picker.peerHas(piece);
    expect(pick(picker, peerOf(1, few), 1)).toBe('5000:0');
    const rest = new Set(pick(picker, peerOf(1, few), 10).split(' '));
    expect(rest).toEqual(new Set(['17:0', '9999:0', '19990:0']));
    expect(pick(picker, peerOf(1, few), 10)).toBe('');
    picker.dropPiece(9999);
    expect(pick(picker, peerOf(1, few), 10)).toBe('9999:0');
  });

  it('tells how many blocks are asked of nobody', () => {
    const picker = makePicker(4, 8);
    picker.peerJoined(bits(4));
    picker.setPriority(3, 0);
    expect(picker.unaskedBlocks).toBe(24);
    pick(picker, peerOf(1, bits(4)), 11);
    expect(picker.unaskedBlocks).toBe(13);
    picker.peerGone(1);
    expect(picker.unaskedBlocks).toBe(24);
    pick(picker, peerOf(1, bits(4)), 24);
    expect(picker.unaskedBlocks).toBe(0);
  });

  it('puts priority before rarity', () => {
    const picker = makePicker(4, 1);
    picker.peerJoined(bits(4));
    picker.peerJoined(bits(4, [2]));
    picker.setPriority(2, 7);
    picker.setPriority(0, 0);
    expect(pick(picker, peerOf(1, bits(4)), 1)).toBe('2:0');
    expect(pick(picker, peerOf(1, bits(4)), 9)).not.toContain('0:0');
  });

  it('goes by index in sequential mode, within a priority', () => {
    const picker = makePicker(6, 1);
    picker.peerJoined(bits(6));
    picker.setSequential(true);
    picker.setPriority(4, 6);
    picker.setVerified(0);
    expect(pick(picker, peerOf(1, bits(6)), 9)).toBe('4:0 1:0 2:0 3:0 5:0');
  });

  it('spreads first picks of a swarm evenly over equal pieces', () => {
    const pieces = 20;
    const rounds = 2000;
    const hits = new Array<number>(pieces).fill(0);
    for (let seed = 0; seed < rounds; seed++) {
      const picker = makePicker(pieces, 1, seed);
      picker.peerJoined(bits(pieces));
      // a move in and out of the level must not give a piece a better place
      picker.pick(peerOf(2, bits(pieces, [3])), 1, 1, OUT);
      picker.dropPiece(3);
      picker.peerHas(7);
      picker.peerLost(7);
      picker.pick(peerOf(1, bits(pieces)), 1, 1, OUT);
      hits[OUT[0]!]!++;
    }
    const expected = rounds / pieces;
    const chiSquare = hits.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 19 degrees of freedom: above 43.8 once in a thousand
    expect(chiSquare).toBeLessThan(43.8);
  });

  it('takes what the peer suggests before what is rarer', () => {
    const picker = makePicker(8, 1);
    picker.peerJoined(bits(8));
    picker.peerJoined(bits(8, [5, 6]));
    const peer = peerOf(1, bits(8), { suggested: [99, 6, 5] });
    expect(pick(picker, peer, 2)).toBe('6:0 5:0');
  });

  it('keeps to the order in sequential mode whatever a peer suggests', () => {
    const picker = makePicker(4, 1);
    picker.peerJoined(bits(4));
    picker.setSequential(true);
    expect(pick(picker, peerOf(1, bits(4), { suggested: [3, 2] }), 9)).toBe('0:0 1:0 2:0 3:0');
  });

  it('begins no more pieces than there are slots, and no piece without blocks', () => {
    const picker = new Picker({ pieceCount: 5, blockCount: (piece) => piece % 2 }, new SeededRandom(1, 'picker'));
    picker.peerJoined(bits(5));
    expect(pick(picker, peerOf(1, bits(5)), 9, 1)).toMatch(/^[13]:0$/);
    expect(picker.lastPickBegan).toBe(1);
    expect(pick(picker, peerOf(1, bits(5)), 9, 9)).toMatch(/^[13]:0$/);
    expect(pick(picker, peerOf(1, bits(5)), 9, 9)).toBe('');
    expect(picker.wantedLeft).toBe(5);
    expect(picker.isInteresting(bits(5, [0, 2, 4]))).toBe(false);
  });

  it('does not pick a piece whose hash is not known yet', () => {
    const picker = makePicker(1, 2);
    picker.peerJoined(bits(1));
    picker.setHashKnown(0, false);
    expect(pick(picker, peerOf(1, bits(1)), 9)).toBe('');
    expect(picker.isInteresting(bits(1))).toBe(true);
    picker.setHashKnown(0, true);
    expect(pick(picker, peerOf(1, bits(1)), 9)).toBe('0:0 0:1');
  });
});

describe('sharing pieces', () => {
  it('gives each fast peer a piece of its own, in order of its blocks', () => {
    const picker = makePicker(3, 4);
    picker.peerJoined(bits(3));
    const a = pick(picker, peerOf(1, bits(3)), 2);
    const b = pick(picker, peerOf(2, bits(3)), 2);
    expect(a.slice(1)).toBe(`:0 ${a[0]}:1`);
    expect(b[0]).not.toBe(a[0]);
    expect(pick(picker, peerOf(1, bits(3)), 2)).toBe(`${a[0]}:2 ${a[0]}:3`);
  });

  it('lets fast peers help each other, from the back, when there is no slot for a new piece', () => {
    const picker = makePicker(3, 6);
    picker.peerJoined(bits(3));
    const own = pick(picker, peerOf(1, bits(3)), 1)[0];
    expect(pick(picker, peerOf(2, bits(3)), 2, 0)).toBe(`${own}:4 ${own}:5`);
  });

  it('lets slow peers share a piece while fast ones go their own way', () => {
    const picker = makePicker(3, 6);
    picker.peerJoined(bits(3));
    const slow = { slow: true };
    const piece = pick(picker, peerOf(1, bits(3), slow), 1)[0]!;
    expect(pick(picker, peerOf(2, bits(3), slow), 1)).toBe(`${piece}:5`);
    expect(pick(picker, peerOf(3, bits(3)), 1)[0]).not.toBe(piece);
  });

  it('finishes first what a peer left behind', () => {
    const picker = makePicker(9, 4);
    picker.peerJoined(bits(9));
    const piece = Number(pick(picker, peerOf(1, bits(9)), 3)[0]);
    picker.blockArrived(piece, 0, 1);
    picker.peerGone(1);
    expect(pick(picker, peerOf(2, bits(9)), 3)).toBe(`${piece}:1 ${piece}:2 ${piece}:3`);
  });

  it('keeps the piece of a peer on parole to itself', () => {
    const picker = makePicker(2, 3);
    picker.peerJoined(bits(2));
    const fair = pick(picker, peerOf(1, bits(2)), 1)[0]!;
    const suspect = peerOf(2, bits(2), { parole: true });
    const alone = pick(picker, suspect, 1)[0]!;
    expect(alone).not.toBe(fair);
    expect(pick(picker, peerOf(1, bits(2)), 9)).toBe(`${fair}:1 ${fair}:2`);
    expect(pick(picker, suspect, 9)).toBe(`${alone}:1 ${alone}:2`);
    expect(pick(picker, suspect, 9)).toBe('');
  });

  it('gives a piece that failed as a whole to one peer alone', () => {
    const picker = makePicker(1, 3);
    picker.peerJoined(bits(1));
    pick(picker, peerOf(1, bits(1)), 2);
    pick(picker, peerOf(2, bits(1)), 1);
    for (const [block, from] of [1, 1, 2].entries()) picker.blockArrived(0, block, from);
    expect(Array.from(picker.contributors(0))).toEqual([1, 1, 2]);
    picker.pieceFailed(0, null);
    expect(pick(picker, peerOf(2, bits(1)), 1)).toBe('0:0');
    expect(pick(picker, peerOf(1, bits(1)), 9)).toBe('');
  });

  it('asks again for the bad blocks only when they are known', () => {
    const picker = makePicker(1, 3);
    picker.peerJoined(bits(1));
    pick(picker, peerOf(1, bits(1)), 3);
    for (let block = 0; block < 3; block++) picker.blockArrived(0, block, 1);
    picker.pieceFailed(0, [1, 7]);
    expect(picker.isPieceComplete(0)).toBe(false);
    expect(pick(picker, peerOf(2, bits(1)), 9)).toBe('0:1');
  });
});

describe('endgame', () => {
  it('asks a second peer, never a third, and takes the last blocks of slow holders first', () => {
    const picker = makePicker(2, 3);
    picker.peerJoined(bits(2));
    const slowPiece = pick(picker, peerOf(1, bits(2), { slow: true }), 3)[0]!;
    const fastPiece = pick(picker, peerOf(2, bits(2)), 3)[0]!;
    expect(picker.isEndgame).toBe(true);
    expect(pick(picker, peerOf(3, bits(2)), 2)).toBe(`${slowPiece}:2 ${slowPiece}:1`);
    expect(pick(picker, peerOf(3, bits(2)), 9)).toBe(`${slowPiece}:0 ${fastPiece}:2 ${fastPiece}:1 ${fastPiece}:0`);
    expect(pick(picker, peerOf(4, bits(2)), 9)).toBe('');
  });

  it('does not let a slow peer ask again for what a fast one is bringing', () => {
    const picker = makePicker(1, 3);
    picker.peerJoined(bits(1));
    pick(picker, peerOf(1, bits(1)), 3);
    expect(pick(picker, peerOf(2, bits(1), { slow: true }), 3)).toBe('');
  });

  it('does not begin while a piece that somebody has is not begun', () => {
    const picker = makePicker(2, 1);
    const [a, b] = [bits(2, [0]), bits(2, [1])];
    for (const have of [a, b, a]) picker.peerJoined(have);
    pick(picker, peerOf(1, a), 1);
    expect(picker.isEndgame).toBe(false);
    expect(pick(picker, peerOf(3, a), 1)).toBe('');
    picker.peerLeft(b);
    expect(pick(picker, peerOf(3, a), 1)).toBe('0:0');
  });

  it('names who else must be told to cancel, and counts a late copy as a duplicate', () => {
    const picker = makePicker(1, 1);
    picker.peerJoined(bits(1));
    pick(picker, peerOf(1, bits(1)), 1);
    pick(picker, peerOf(2, bits(1)), 1);
    expect(picker.blockArrived(0, 0, 2)).toBe('first');
    expect(picker.requesters(0, 0, OUT)).toBe(1);
    expect(OUT[0]).toBe(1);
    expect(picker.blockArrived(0, 0, 1)).toBe('duplicate');
    expect(picker.requesters(0, 0, OUT)).toBe(0);
    expect(Array.from(picker.contributors(0))).toEqual([2]);
  });
});

describe('blocks that come', () => {
  it('are unexpected from a peer that was not asked, and change nothing', () => {
    const picker = makePicker(2, 2);
    picker.peerJoined(bits(2));
    pick(picker, peerOf(1, bits(2, [0])), 1);
    expect(picker.blockArrived(0, 0, 2)).toBe('unexpected');
    expect(picker.blockArrived(0, 1, 1)).toBe('unexpected');
    expect(picker.blockArrived(1, 0, 1)).toBe('unexpected');
    expect(picker.blockArrived(0, 77, 1)).toBe('unexpected');
    expect(picker.expects(0, 0, 1)).toBe(true);
    picker.setVerified(0);
    expect(picker.blockArrived(0, 0, 1)).toBe('duplicate');
  });

  it('are welcome late while they are still missing', () => {
    const picker = makePicker(1, 1);
    picker.peerJoined(bits(1));
    pick(picker, peerOf(1, bits(1)), 1);
    picker.requestLost(0, 0, 1);
    pick(picker, peerOf(2, bits(1)), 1);
    expect(picker.expects(0, 0, 1)).toBe(false);
    expect(picker.expectAgain(0, 0, 1)).toBe(true);
    expect(picker.blockArrived(0, 0, 1)).toBe('first');
    expect(picker.expectAgain(0, 0, 3)).toBe(false);
  });
});

describe('who has what', () => {
  it('counts a peer that came with a part and left with all', () => {
    const picker = makePicker(3, 1);
    const have = bits(3, [0]);
    picker.peerJoined(have);
    for (const piece of [1, 2]) {
      have.set(piece);
      picker.peerHas(piece);
    }
    expect(picker.distributedCopies()).toBe(1);
    picker.peerLeft(have);
    expect([0, 1, 2].map((piece) => picker.availability(piece))).toEqual([0, 0, 0]);
  });

  it('looks again at a peer that lost one piece and got another', () => {
    const picker = makePicker(2, 1);
    const have = bits(2, [0]);
    picker.peerJoined(have);
    picker.setVerified(0);
    expect(pick(picker, peerOf(1, have), 1)).toBe('');
    have.clear(0);
    picker.peerLost(0);
    have.set(1);
    picker.peerHas(1);
    expect(pick(picker, peerOf(1, have), 1)).toBe('1:0');
  });

  it('breaks ties by chance also when it compares all pieces', () => {
    const hits = new Map<string, number>();
    for (let seed = 0; seed < 60; seed++) {
      const picker = makePicker(9000, 1, seed);
      picker.peerJoined(bits(9000));
      const picked = pick(picker, peerOf(1, bits(9000, [1, 4000, 8000])), 1);
      hits.set(picked, (hits.get(picked) ?? 0) + 1);
    }
    // 20 of 60 each are expected
    expect(hits.size).toBe(3);
    for (const count of hits.values()) expect(count).toBeGreaterThan(8);
  });

  it('counts a seed that loses a piece', () => {
    const picker = makePicker(2, 1);
    const have = bits(2);
    picker.peerJoined(have);
    have.clear(1);
    picker.peerLost(1);
    expect([picker.availability(0), picker.availability(1)]).toEqual([1, 0]);
    expect(picker.distributedCopies()).toBe(0.5);
    picker.peerLeft(have);
    expect(picker.availability(0)).toBe(0);
  });
});
