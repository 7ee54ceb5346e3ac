import { describe, expect, it } from 'vitest';
import type { SwarmTable } from '../table/swarm-table.ts';
import { CounterBoard, ThreadGauges } from './counter-board.ts';
import { HistoryRing } from './history.ts';
import { TrackerCounters } from './stats.ts';
import { Status } from './status.ts';

const NOW_MS = 1e6;

/** What is said of threads that have written their rows so many milliseconds ago, and of a sweep. */
function health(silentMs: readonly number[], sweptMs: number): [boolean, string] {
  const board = new CounterBoard(CounterBoard.memory(3));
  const counters = new TrackerCounters();
  for (const [row, ms] of silentMs.entries()) {
    board.write(row, counters, Object.assign(new ThreadGauges(), { atMs: NOW_MS - ms, sweptMs: NOW_MS - sweptMs }));
  }
  const clock = {
    nowMs: () => NOW_MS,
    wallMs: () => 2e12,
    after: () => ({ cancel: () => undefined }),
    defer: () => undefined,
  };
  const history = new HistoryRing(HistoryRing.memory());
  const table = {} as SwarmTable;
  const status = new Status({ clock, table, board, row: 0, counters, history, startedMs: 0, hasCatalogue: false });
  const { isWell, text } = status.health();
  return [isWell, text];
}

describe('the health of a tracker', () => {
  it('is good while its threads and its sweep are alive, and only those that have begun', () => {
    expect(health([1000, 14_000], 60_000)).toEqual([true, 'ok']);
  });

  it('is bad when a thread hangs', () => {
    expect(health([0, 16_000], 0)).toEqual([false, 'a thread hangs for 16 s']);
  });

  it('is bad when old peers are not forgotten', () => {
    expect(health([0], 91_000)).toEqual([false, 'old peers are not forgotten for 91 s']);
  });
});
