import { expect, it } from 'vitest';
import { SeededRandom } from '../../../platform/sim/random.ts';
import {
  CHANGE_COMPLETES,
  CHANGE_LEECH,
  CHANGE_NEW,
  CHANGE_SEED,
  MAX_CHANGE_LENGTH,
  writeChange,
} from '../../protocol/swarm-changes.ts';
import { ELSEWHERE, LEECH, SEED } from '../table/peer-runs.ts';
import { SwarmTable } from '../table/swarm-table.ts';
import { WebPeers } from '../web/web-peers.ts';
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
  const copy = new TableCopy(table, new PendingChanges(1, 16, 1, 16), untold, far, () => false);
  const count = (completed: number): void => {
    table.restore(HASH, () => completed, 0);
    table.exit();
  };
  const hear = (told: number, completed: number): void =>
    copy.apply(0, HASH, new Uint8Array(0), told, { cursor: 1, completed, more: false, changes: new Uint8Array(0) }, 0);
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

it('a peer id stays where the store was told of it first, and elsewhere it has not completed', () => {
  const random = new SeededRandom(1, 'table');
  const table = SwarmTable.local(random, { maxSwarms: 10, maxPeers: 10 });
  const untold = new UntoldCompletions(UntoldCompletions.memory(1, random, false), 0);
  const far = new FarPeers(table, 1, { heard: () => undefined, isSilent: (place) => place === 9 });
  const pending = new PendingChanges(1, 16, 1, 16);
  const peers = new WebPeers(table, 1, 10);
  const [id, none] = [new Uint8Array(20).fill(0x41), new Uint8Array(0)];
  const given: number[] = [];
  const copy = new TableCopy(table, pending, untold, far, (infoHash, peerId) => {
    given.push(peerId[0]!);
    peers.leave(infoHash, peerId, 5, 0);
    table.exit();
    return true;
  });
  const change = (kind: number, place: number): Uint8Array => {
    const bytes = new Uint8Array(MAX_CHANGE_LENGTH);
    return bytes.subarray(0, writeChange(bytes, 0, kind, 0, id, place));
  };
  const announce = (role: number, completes: boolean): void => {
    peers.announce(HASH, id, 5, 0, role, completes, 0, null);
    table.exit();
    if (completes) untold.change(HASH, 1);
  };
  const hear = (own: Uint8Array, place: number): void =>
    copy.apply(0, HASH, own, 0, { cursor: 1, completed: 0, more: false, changes: change(CHANGE_LEECH, place) }, 0);
  const state = (): unknown => {
    const swarm = table.find(HASH);
    const counts = [table.seeds(swarm), table.leeches(swarm), table.completed(swarm), untold.of(HASH)];
    table.exit();
    return [given.splice(0), peers.find(HASH, id) && peers.threads[0] === ELSEWHERE, counts];
  };
  announce(LEECH, false);
  // One of which the store has long known, one that is heard of at a tracker that is gone, and one of our own place.
  for (const [own, place] of [
    [change(CHANGE_LEECH, 1), 2],
    [change(CHANGE_LEECH | CHANGE_NEW, 1), 9],
    [change(CHANGE_LEECH | CHANGE_NEW, 1), 1],
  ] as const) {
    hear(own, place);
    expect(state()).toEqual([[], false, [0, 1, 0, 0]]);
  }
  announce(SEED, true);
  pending.note(0, CHANGE_SEED | CHANGE_COMPLETES, id, 1, 0);
  expect(state()).toEqual([[], false, [1, 0, 1, 1]]);
  hear(change(CHANGE_LEECH | CHANGE_NEW, 1), 2);
  expect(state()).toEqual([[0x41], true, [0, 1, 0, 0]]);
  expect(pending.completingOf(0)).toBe(0);
  // One of which the store is still to be told.
  far.forget(HASH, id, 2, 0);
  pending.take(0, 0, 100);
  announce(LEECH, false);
  pending.note(0, CHANGE_LEECH | CHANGE_NEW, id, 1, 0);
  hear(none, 2);
  expect(state()).toEqual([[0x41], true, [0, 1, 0, 0]]);
});
