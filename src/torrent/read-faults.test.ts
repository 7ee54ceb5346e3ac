import { describe, expect, it } from 'vitest';
import { ShoalError } from '../base/errors.ts';
import type { Clock } from '../ports/clock.ts';
import { ReadFaults } from './read-faults.ts';

const passing = new ShoalError('IO', 'too many files are open');

function bench() {
  let nowMs = 0;
  const lasting: unknown[] = [];
  const told: string[] = [];
  const clock = { nowMs: () => nowMs } as Clock;
  const faults = new ReadFaults(clock, { write: (level) => told.push(level) }, (error) => lasting.push(error));
  const restingAfter = (ms: number): boolean => {
    nowMs += ms;
    return faults.isResting(nowMs);
  };
  return { faults, lasting, told, restingAfter };
}

describe('reads that fail', () => {
  it('for a while are tried again later and later, told each time, and end the torrent when it lasts', () => {
    const { faults, lasting, told, restingAfter } = bench();
    for (const restMs of [1000, 2000, 4000, 8000, 16_000]) {
      faults.failed(passing);
      faults.failed(passing);
      expect(restingAfter(restMs - 1)).toBe(true);
      expect(restingAfter(1)).toBe(false);
    }
    expect(told).toEqual(['warn', 'warn', 'warn', 'warn', 'warn']);
    expect(lasting).toEqual([]);
    faults.failed(passing);
    expect(lasting).toEqual([passing]);
  });

  it('are forgotten when one has worked', () => {
    const { faults, lasting, restingAfter } = bench();
    for (let i = 0; i < 20; i++) {
      faults.failed(passing);
      expect(restingAfter(1000)).toBe(false);
      faults.worked();
    }
    expect(lasting).toEqual([]);
  });

  it('because the content is not what it was end it at once', () => {
    const { faults, lasting, restingAfter } = bench();
    const error = new ShoalError('FILE_CHANGED', 'it is no longer there');
    faults.failed(error);
    expect(lasting).toEqual([error]);
    expect(restingAfter(0)).toBe(false);
  });
});
