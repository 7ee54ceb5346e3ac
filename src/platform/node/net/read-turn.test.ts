import { expect, it } from 'vitest';
import type { Clock } from '../../../ports/clock.ts';
import { ReadTurn } from './read-turn.ts';

const MIB = 1024 * 1024;

it('a turn lets each socket read once when two MiB are read, and all go on in the next, in their order', () => {
  const deferred: (() => void)[] = [];
  const clock = { defer: (callback: () => void) => deferred.push(callback) } as unknown as Clock;
  const told: string[] = [];
  const socket = (name: string) => ({ goOn: () => told.push(name) });
  const turn = new ReadTurn();

  expect(turn.isOver(socket('a'), MIB, clock)).toBe(false);
  expect(turn.isOver(socket('a'), MIB, clock)).toBe(true);
  expect(turn.isOver(socket('b'), 1, clock)).toBe(true);
  expect(deferred.length).toBe(1);
  deferred.pop()!();
  expect(told).toEqual(['a', 'b']);

  expect(turn.isOver(socket('c'), MIB, clock)).toBe(false);
  expect(deferred.length).toBe(1);
  deferred.pop()!();
  expect(told).toEqual(['a', 'b']);
});
