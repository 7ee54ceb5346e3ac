import { expect, it } from 'vitest';
import { SeededRandom } from '../../../platform/sim/random.ts';
import { SwarmTable } from '../table/swarm-table.ts';
import { FarPeers } from './far-peers.ts';
import { PendingChanges } from './pending-changes.ts';
import { TableCopy } from './table-copy.ts';
import { UntoldCompletions } from './untold-completions.ts';

const HASH = new Uint8Array(20).fill(7);

it('what the store says of completions is taken over, but for what was counted here since it was told', () => {
  const random = new SeededRandom(1, 'table');
  const table = SwarmTable.local(random, { maxSwarms: 10, maxPeers: 10 });
  const untold = new UntoldCompletions(UntoldCompletions.memory(1, random, false), 0);
  const far = new FarPeers(table, 1, { heard: () => undefined, isSilent: () => false });
  const copy = new TableCopy(table, new PendingChanges(1, 16, 1, 16), untold, far);
  const count = (completed: number): void => {
    table.restore(HASH, () => completed, 0);
    table.exit();
  };
  const hear = (told: number, completed: number): void =>
    copy.apply(0, HASH, told, { cursor: 1, completed, more: false, changes: new Uint8Array(0) }, 0);
  const counted = (): number => {
    const completed = table.completed(table.find(HASH));
    table.exit();
    return completed;
  };
  count(5);
  expect(copy.completedToTell(HASH)).toBe(5);
  // One that no thread keeps in mind to be told as a peer: the store is told of its number.
  count(6);
  hear(0, 5);
  expect([counted(), copy.completedToTell(HASH)]).toEqual([6, 6]);
  hear(0, 9);
  expect(counted()).toBe(9);
  // Two that are still to be told: one that another tracker has told, too, and one of our own.
  count(11);
  untold.change(HASH, 2);
  expect(copy.completedToTell(HASH)).toBe(9);
  hear(0, 10);
  expect([counted(), copy.completedToTell(HASH)]).toEqual([12, 10]);
  hear(2, 11);
  expect([counted(), copy.completedToTell(HASH)]).toEqual([11, 11]);
  // One that cannot be told as a peer is told as a number.
  count(12);
  untold.change(HASH, 1);
  copy.cannotTell(HASH, 1);
  expect(copy.completedToTell(HASH)).toBe(12);
});
