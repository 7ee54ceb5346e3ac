import { afterEach, describe, expect, it } from 'vitest';
import { dumpSwarms } from '../../../../test/support/swarm-dump.ts';
import { SeededRandom } from '../../../platform/sim/index.ts';
import { setLockOwner } from './lock.ts';
import { LEECH } from './peer-runs.ts';
import { SwarmTable } from './swarm-table.ts';

const limits = { maxSwarms: 1000, maxPeers: 1000 };
const ip = Uint8Array.of(192, 0, 2, 1);
const hashOf = (n: number): Uint8Array => new Uint8Array(20).fill(n);

function announce(table: SwarmTable, n: number): void {
  table.announce(hashOf(n), ip, 6881, LEECH, false, 0);
  table.exit();
}

afterEach(() => setLockOwner(1));

describe('a table that threads share', () => {
  it('is the same for all of them, whoever made room', () => {
    const one = SwarmTable.newShared(new SeededRandom(1, 'one'), limits);
    const two = SwarmTable.open(one.memory.shared!, new SeededRandom(2, 'two'), limits);
    for (let n = 0; n < 200; n++) announce(n % 2 === 0 ? one : two, n);
    expect(dumpSwarms(two, 0)).toEqual(dumpSwarms(one, 0));
    expect([one.peerCount, two.swarmCount]).toEqual([200, 200]);
  });

  it('loses only the shard in which a thread died, and takes up announces there again', () => {
    const table = SwarmTable.newShared(new SeededRandom(1, 'one'), limits);
    for (let n = 0; n < 200; n++) announce(table, n);
    const dying = SwarmTable.open(table.memory.shared!, new SeededRandom(2, 'two'), limits);
    setLockOwner(7);
    expect(dying.find(hashOf(3))).toBeGreaterThanOrEqual(0);
    setLockOwner(1);
    expect(table.find(hashOf(3))).toBe(-1);
    expect(table.recover(6)).toBe(0);
    expect(table.recover(7)).toBe(1);
    expect(table.find(hashOf(3))).toBe(-1);
    table.exit();
    const left = dumpSwarms(table, 0).size;
    expect(left).toBeLessThan(200);
    expect(left).toBeGreaterThan(180);
    expect([table.peerCount, table.swarmCount]).toEqual([left, left]);
    for (let n = 0; n < 200; n++) announce(table, n);
    expect(dumpSwarms(table, 0).size).toBe(200);
    expect(table.peerCount).toBe(200);
  });
});
