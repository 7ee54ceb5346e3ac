import { expect, it } from 'vitest';
import { SeededRandom } from '../../../platform/sim/random.ts';
import { SwarmTable } from '../swarm-table.ts';
import { PendingChanges } from './pending-changes.ts';
import { TableCopy } from './table-copy.ts';

const HASH = new Uint8Array(20).fill(7);

it('what the store says of completions is taken over, but for what was counted here since it was told', () => {
  const table = SwarmTable.local(new SeededRandom(1, 'table'), { maxSwarms: 10, maxPeers: 10 });
  const copy = new TableCopy(table, new PendingChanges(1, 16, 16));
  const count = (completed: number): void => {
    table.restore(HASH, completed, 0);
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
  const told = copy.completedToTell(0, HASH);
  // Over WebSocket: the store is not told of such peers.
  count(6);
  hear(told, 5);
  expect(counted()).toBe(6);
  hear(6, 9);
  expect(counted()).toBe(9);
  // One that another tracker has counted already.
  hear(9, 8);
  expect(counted()).toBe(8);
});
