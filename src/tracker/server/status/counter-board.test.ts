import { describe, expect, it } from 'vitest';
import { CounterBoard, STORE_AWAY, STORE_UP, ThreadGauges } from './counter-board.ts';
import { FAULTS } from './faults.ts';
import { TrackerCounters } from './stats.ts';

/** Counters whose every number is another one, so that two that change places are noticed. */
function filled(from: number): TrackerCounters {
  const counters = new TrackerCounters();
  let next = from;
  for (const name of Object.keys(counters) as (keyof TrackerCounters)[]) if (name !== 'faults') counters[name] = next++;
  for (const name of FAULTS) counters.faults[name] = next++;
  return counters;
}

function gauges(values: Partial<ThreadGauges>): ThreadGauges {
  return Object.assign(new ThreadGauges(), values);
}

describe('the board of counters', () => {
  it('adds up what all threads wrote, its own row as it is now', () => {
    const memory = CounterBoard.memory(3);
    const [first, second] = [new CounterBoard(memory), new CounterBoard(memory)];
    first.write(0, filled(1000), new ThreadGauges());
    second.write(1, filled(20), new ThreadGauges());
    const total = first.total(0, filled(300));
    const expected = filled(0);
    for (const name of Object.keys(expected) as (keyof TrackerCounters)[]) {
      if (name !== 'faults') expected[name] = 2 * expected[name] + 320;
    }
    for (const name of FAULTS) expected.faults[name] = 2 * expected.faults[name] + 320;
    expect(total).toEqual(expected);
  });

  it('gives a row to the next thread without the connections of the last', () => {
    const board = new CounterBoard(CounterBoard.memory(2));
    board.write(1, filled(5), new ThreadGauges());
    expect(board.read(1)).toEqual(Object.assign(filled(5), { httpConnections: 0, wsConnections: 0, wsHeldBytes: 0 }));
  });

  it('tells memory and processor time as the first thread has them, objects of all, and the worst of the rest', () => {
    const board = new CounterBoard(CounterBoard.memory(3));
    const counters = new TrackerCounters();
    expect(board.gauges).toEqual({ threads: 0, intervalS: 0, process: null, store: null });
    const first = {
      ageS: 5,
      intervalS: 3,
      atMs: 9,
      sweptMs: 8,
      rssBytes: 100,
      heapBytes: 10,
      cpuS: 7,
      loopDelayP99Ms: 1,
    };
    board.write(0, counters, gauges({ ...first, store: STORE_UP }));
    board.write(
      1,
      counters,
      gauges({ ageS: 6, intervalS: 4, atMs: 4, rssBytes: 90, heapBytes: 20, loopDelayP99Ms: 2 }),
    );
    expect(board.gauges).toEqual({
      threads: 2,
      intervalS: 4,
      process: { rssBytes: 100, heapBytes: 30, cpuS: 7, loopDelayP99Ms: 2 },
      store: 'up',
    });
    expect([board.ageS, board.oldestMs, board.sweptMs]).toEqual([6, 4, 8]);
    board.write(1, counters, gauges({ store: STORE_AWAY }));
    expect(board.gauges.store).toBe('away');
  });

  it('expects nothing of a thread that has ended, but keeps its counts and its peers', () => {
    const board = new CounterBoard(CounterBoard.memory(2));
    board.write(0, new TrackerCounters(), gauges({ atMs: 50, ageS: 1 }));
    board.write(1, filled(1), gauges({ atMs: 40, ageS: 2, heapBytes: 3, loopDelayP99Ms: 900, store: STORE_AWAY }));
    board.retire(1);
    expect(board.gauges).toMatchObject({ threads: 1, store: null });
    expect([board.oldestMs, board.ageS]).toEqual([50, 2]);
    expect(board.total(0, new TrackerCounters())).toEqual(filled(1));
  });
});
