import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../platform/sim/random.ts';
import { ELSEWHERE, LEECH, SEED } from '../table/peer-runs.ts';
import { StateWriter } from '../table/state.ts';
import { SwarmTable } from '../table/swarm-table.ts';
import { Sweep } from '../table/sweep.ts';
import { TAKEN, WebPeers } from '../web/web-peers.ts';
import { FarPeers } from './far-peers.ts';

const HASH = new Uint8Array(20).fill(7);
const OWN = 1000;
const id = (n: number): Uint8Array => new Uint8Array(20).fill(0x41).fill(n, 19);

interface Setting {
  readonly table: SwarmTable;
  readonly far: FarPeers;
  readonly peers: WebPeers;
  readonly sweep: Sweep;
  /** Places of trackers that are gone. */
  readonly gone: Set<number>;
  /** A connection of this tracker announces. */
  join(n: number): number;
}

function newSetting(): Setting {
  const table = SwarmTable.newShared(new SeededRandom(1, 'table'), { maxSwarms: 100, maxPeers: 1000 });
  const gone = new Set<number>();
  const isSilent = (place: number): boolean => gone.has(place);
  const peers = new WebPeers(table, 1, 100, isSilent);
  const join = (n: number): number => {
    const swarm = peers.announce(HASH, id(n), n, 0, LEECH, false, 0, null);
    table.exit();
    return swarm;
  };
  return {
    table,
    far: new FarPeers(table, OWN, { heard: () => undefined, isSilent }),
    peers,
    sweep: new Sweep(table, { isSilent, lost: () => undefined }),
    gone,
    join,
  };
}

function counts(table: SwarmTable): readonly [seeds: number, leeches: number] {
  const swarm = table.find(HASH);
  const told = swarm < 0 ? ([0, 0] as const) : ([table.seeds(swarm), table.leeches(swarm)] as const);
  table.exit();
  return told;
}

describe('web peers of other trackers', () => {
  it('count and are chosen, at the place of their tracker, until it says that they are gone', () => {
    const { table, far, peers, join } = newSetting();
    far.note(HASH, id(1), 2_000_000_000, SEED, 0);
    far.note(HASH, id(2), 2, LEECH, 0);
    join(3);
    expect(counts(table)).toEqual([1, 2]);
    const picked = peers.pick(table.find(HASH), id(3), 10, true);
    table.exit();
    const chosen = Array.from({ length: picked }, (_, i) => `${peers.threads[i]} ${peers.connections[i]}`);
    expect(chosen.sort()).toEqual([`${ELSEWHERE} 2`, `${ELSEWHERE} 2000000000`]);
    expect(peers.find(HASH, id(1))).toBe(true);
    expect([peers.threads[0], peers.connections[0]]).toEqual([ELSEWHERE, 2_000_000_000]);
    far.forget(HASH, id(1), 3, 0);
    far.forget(HASH, id(9), 3, 0);
    expect(counts(table)).toEqual([1, 2]);
    far.forget(HASH, id(1), 2_000_000_000, 0);
    expect(counts(table)).toEqual([0, 2]);
  });

  it('do not take a peer id that is held, nor can theirs be taken', () => {
    const { table, far, peers, join } = newSetting();
    join(1);
    far.note(HASH, id(1), 5, SEED, 0);
    far.forget(HASH, id(1), 5, 0);
    far.note(HASH, id(2), 5, LEECH, 0);
    far.note(HASH, id(2), 6, SEED, 0);
    expect(join(2)).toBe(TAKEN);
    expect(counts(table)).toEqual([0, 2]);
    expect(peers.find(HASH, id(1)) && peers.threads[0]).toBe(1);
    expect(peers.find(HASH, id(2)) && peers.connections[0]).toBe(5);
    // What is said of the own place is known better.
    far.note(HASH, id(3), OWN, LEECH, 0);
    expect(peers.find(HASH, id(3))).toBe(false);
  });

  it('are left out where they cannot be reached', () => {
    const { table, far, peers, join } = newSetting();
    for (let n = 0; n < 60; n++) far.note(HASH, id(n), 5, LEECH, 0);
    for (const n of [100, 101, 102, 103]) join(n);
    const picked = peers.pick(table.find(HASH), id(100), 2, true, true);
    table.exit();
    const ids = Array.from({ length: picked }, (_, i) => {
      const into = new Uint8Array(20);
      peers.copyId(i, into);
      return into[19]!;
    });
    expect(ids).toHaveLength(2);
    for (const [i, n] of ids.entries()) {
      expect(n).toBeGreaterThan(100);
      expect([peers.threads[i], peers.connections[i]]).toEqual([1, n]);
    }
  });

  it('are gone with their tracker, and their peer ids free', () => {
    const { table, far, peers, sweep, gone, join } = newSetting();
    for (let n = 0; n < 200; n++) far.note(HASH, id(n), 5 + (n % 2), LEECH, 0);
    join(201);
    gone.add(5);
    expect([join(0), join(1)]).toEqual([expect.any(Number), TAKEN]);
    expect(peers.find(HASH, id(0)) && peers.threads[0]).toBe(1);
    far.note(HASH, id(2), 6, SEED, 0);
    far.note(HASH, id(250), 5, SEED, 0);
    expect(counts(table)).toEqual([1, 200]);
    while (sweep.run(300, 1000, 200) < 1);
    expect(counts(table)).toEqual([1, 102]);
    // And without a word of it as soon as others.
    while (sweep.run(2000, 1000, 200) < 1);
    expect(table.peerCount).toBe(0);
  });

  it('are no part of what a tracker tells of itself', () => {
    const { table, far, join } = newSetting();
    for (let n = 0; n < 200; n++) far.note(HASH, id(n), 5, LEECH, 0);
    join(201);
    const part = new StateWriter(table, true).next(0, 0)!;
    expect(part.length).toBeLessThan(100);
    expect(new StateWriter(table).next(0, 0)!.length).toBeLessThan(part.length);
  });
});
