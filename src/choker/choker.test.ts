// Who gets a slot, and who has to wait.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../platform/sim/random.ts';
import { type ChokePeer, Choker, type ChokeTerms } from './choker.ts';
import { optimisticSlots, uploadSlots } from './slots.ts';
import { isSnubbed } from './snub.ts';

function peerOf(number: number, more: Partial<ChokePeer> = {}): ChokePeer {
  return {
    number,
    interested: true,
    choked: true,
    snubbed: false,
    downBytesPerSecond: 0,
    upBytesPerSecond: 0,
    sentSinceUnchokedBytes: 0,
    connectedMs: 0,
    lastUnchokedMs: null,
    ...more,
  };
}

function terms(more: Partial<ChokeTerms> = {}): ChokeTerms {
  return { nowMs: 1_000_000, seeding: false, slots: 4, quotaBytes: 4_000_000, ...more };
}

function chokerOf(seed = 1): Choker {
  return new Choker(new SeededRandom(seed, 'choker'));
}

const sorted = (numbers: Iterable<number>): number[] => [...numbers].sort((a, b) => a - b);

describe('while we leech', () => {
  it('unchokes those who send us most, and one by chance', () => {
    const peers = Array.from({ length: 10 }, (_, number) => peerOf(number, { downBytesPerSecond: number * 1000 }));
    const { unchoked, optimistic } = chokerOf().rechoke(peers, terms());
    expect(unchoked.size).toBe(4);
    for (const number of [9, 8, 7]) expect(unchoked.has(number)).toBe(true);
    expect(optimistic).toHaveLength(1);
    expect(optimistic[0]).toBeLessThan(7);
  });

  it('gives nothing to those who want nothing', () => {
    const peers = [peerOf(1, { interested: false, downBytesPerSecond: 9e6 }), peerOf(2)];
    expect(sorted(chokerOf().rechoke(peers, terms()).unchoked)).toEqual([2]);
  });

  it('unchokes a snubbed peer by chance only', () => {
    const peers = [1, 2, 3].map((number) => peerOf(number, { snubbed: true, downBytesPerSecond: 9e6 }));
    const { unchoked, optimistic } = chokerOf().rechoke(peers, terms({ slots: 8 }));
    expect(sorted(unchoked)).toEqual(sorted(optimistic));
    expect(unchoked.size).toBe(1);
  });

  it('keeps an optimistic unchoke for 30 seconds, then passes it on', () => {
    const choker = chokerOf();
    const peers = Array.from({ length: 8 }, (_, number) =>
      peerOf(number, { downBytesPerSecond: number < 3 ? 1e6 : 0 }),
    );
    const first = choker.rechoke(peers, terms({ nowMs: 0 })).optimistic[0]!;
    const now = peers.map((peer) => (peer.number === first ? peerOf(first, { choked: false }) : peer));
    expect(choker.rechoke(now, terms({ nowMs: 10_000 })).optimistic).toEqual([first]);
    expect(choker.rechoke(now, terms({ nowMs: 20_000 })).optimistic).toEqual([first]);
    expect(choker.rechoke(now, terms({ nowMs: 30_000 })).optimistic).not.toEqual([first]);
  });

  it('gives an optimistic slot on at once when its peer left or earned another', () => {
    const choker = chokerOf();
    const peers = Array.from({ length: 8 }, (_, number) =>
      peerOf(number, { downBytesPerSecond: number < 3 ? 1e6 : 0 }),
    );
    const first = choker.rechoke(peers, terms({ nowMs: 0 })).optimistic[0]!;
    const gone = peers.filter((peer) => peer.number !== first);
    expect(choker.rechoke(gone, terms({ nowMs: 10_000 })).optimistic).toHaveLength(1);
    const better = peers.map((peer) => (peer.number === first ? peerOf(first, { downBytesPerSecond: 2e6 }) : peer));
    const { unchoked, optimistic } = choker.rechoke(better, terms({ nowMs: 10_000 }));
    expect(unchoked.has(first)).toBe(true);
    expect(optimistic).not.toContain(first);
  });

  it('takes a new peer three times as often as an old one', () => {
    let fresh = 0;
    const rounds = 2000;
    for (let seed = 0; seed < rounds; seed++) {
      const peers = [peerOf(1, { connectedMs: 999_000 }), peerOf(2), peerOf(3), peerOf(4)];
      const busy = [5, 6, 7].map((number) => peerOf(number, { downBytesPerSecond: 1e6 }));
      if (chokerOf(seed).rechoke([...peers, ...busy], terms()).optimistic[0] === 1) fresh++;
    }
    // one half is expected: 3 of 6; ten standard deviations off is a bug
    expect(fresh / rounds).toBeGreaterThan(0.39);
    expect(fresh / rounds).toBeLessThan(0.61);
  });
});

describe('while we seed', () => {
  const seeding = terms({ seeding: true, slots: 2 });
  const turn = { choked: false, lastUnchokedMs: 970_000 };

  it('lets a peer keep its slot until it got its share', () => {
    const peers = [peerOf(1, { ...turn, sentSinceUnchokedBytes: 100 }), peerOf(2, turn), peerOf(3), peerOf(4)];
    expect(sorted(chokerOf().rechoke(peers, seeding).unchoked)).toEqual([1, 2]);
  });

  it('then gives it to the one that waited longest, newcomers before all', () => {
    const done = { ...turn, sentSinceUnchokedBytes: 5_000_000 };
    const peers = [
      peerOf(1, done),
      peerOf(2, done),
      peerOf(3, { lastUnchokedMs: 900_000 }),
      peerOf(4, { lastUnchokedMs: 800_000 }),
      peerOf(5),
    ];
    expect(sorted(chokerOf().rechoke(peers, seeding).unchoked)).toEqual([4, 5]);
  });

  it('takes the slot from one that fetches nothing for a minute', () => {
    const peers = [peerOf(1, { choked: false, lastUnchokedMs: 940_000 }), peerOf(2, turn), peerOf(3)];
    expect(sorted(chokerOf().rechoke(peers, seeding).unchoked)).toEqual([2, 3]);
  });

  it('lets everybody fetch when all fit', () => {
    const done = { ...turn, sentSinceUnchokedBytes: 5_000_000 };
    const peers = [peerOf(1, done), peerOf(2, done), peerOf(3)];
    expect(chokerOf().rechoke(peers, terms({ seeding: true, slots: 3 })).unchoked.size).toBe(3);
  });

  it('lets everyone have a turn in time', () => {
    const choker = chokerOf();
    const served = new Set<number>();
    const unchokedAt = new Map<number, number>();
    let last = new Set<number>();
    for (let nowMs = 0; nowMs < 10 * 60_000; nowMs += 10_000) {
      const peers = Array.from({ length: 12 }, (_, number) =>
        peerOf(number, {
          choked: !last.has(number),
          lastUnchokedMs: unchokedAt.get(number) ?? null,
          upBytesPerSecond: number * 1000,
          sentSinceUnchokedBytes: last.has(number) ? nowMs - unchokedAt.get(number)! : 0,
        }),
      );
      const { unchoked } = choker.rechoke(peers, { ...seeding, nowMs, quotaBytes: 15_000 });
      for (const number of unchoked) {
        if (!last.has(number)) unchokedAt.set(number, nowMs);
        served.add(number);
      }
      last = new Set(unchoked);
    }
    expect(served.size).toBe(12);
  });
});

it('never gives more slots than there are, nor one to a peer that wants nothing', () => {
  const peer = fc.record({
    interested: fc.boolean(),
    choked: fc.boolean(),
    snubbed: fc.boolean(),
    downBytesPerSecond: fc.nat(1000),
    upBytesPerSecond: fc.nat(1000),
    sentSinceUnchokedBytes: fc.nat(10_000_000),
    connectedMs: fc.nat(1_000_000),
    lastUnchokedMs: fc.option(fc.nat(1_000_000)),
  });
  fc.assert(
    fc.property(
      fc.array(peer, { maxLength: 30 }),
      fc.integer({ min: 0, max: 12 }),
      fc.boolean(),
      (list, slots, seeding) => {
        const peers = list.map((more, number) => peerOf(number, more));
        const choker = chokerOf();
        for (const nowMs of [1_000_000, 1_010_000, 1_040_000]) {
          const { unchoked, optimistic } = choker.rechoke(peers, terms({ slots, seeding, nowMs }));
          expect(unchoked.size).toBeLessThanOrEqual(slots);
          for (const number of unchoked) expect(peers[number]!.interested).toBe(true);
          for (const number of optimistic) expect(unchoked.has(number)).toBe(true);
          const willing = peers.filter((one) => one.interested && (seeding || !one.snubbed)).length;
          expect(unchoked.size).toBeGreaterThanOrEqual(Math.min(slots, willing));
        }
      },
    ),
  );
});

it('unchokes at once a peer that gets interested while a slot is free', () => {
  const choker = chokerOf();
  expect(choker.mayUnchokeNow(peerOf(1), 3, 4)).toBe(true);
  expect(choker.mayUnchokeNow(peerOf(1), 4, 4)).toBe(false);
  expect(choker.mayUnchokeNow(peerOf(1, { snubbed: true }), 0, 4)).toBe(false);
  expect(choker.mayUnchokeNow(peerOf(1, { interested: false }), 0, 4)).toBe(false);
});

describe('the number of slots', () => {
  it('grows with what can be uploaded, within bounds', () => {
    expect(uploadSlots(10_000, 0)).toBe(4);
    expect(uploadSlots(1_000_000, 0)).toBe(20);
    expect(uploadSlots(8_000_000, 0)).toBeGreaterThanOrEqual(10);
    expect(uploadSlots(1e12, 0)).toBe(200);
    expect(uploadSlots(null, 0)).toBe(12);
    expect(uploadSlots(null, 5_000_000)).toBe(100);
  });

  it('keeps a fifth for chance', () => {
    expect([0, 1, 2, 4, 5, 10, 20].map(optimisticSlots)).toEqual([0, 0, 1, 1, 1, 2, 4]);
  });
});

it('calls a peer snubbing after 20 s without a block that was asked for', () => {
  expect(isSnubbed(null, null, 1e9)).toBe(false);
  expect(isSnubbed(1000, null, 20_999)).toBe(false);
  expect(isSnubbed(1000, null, 21_000)).toBe(true);
  expect(isSnubbed(1000, 10_000, 21_000)).toBe(false);
  expect(isSnubbed(1000, 10_000, 30_000)).toBe(true);
  // a block from before we asked again says nothing
  expect(isSnubbed(100_000, 500, 110_000)).toBe(false);
});
