import { describe, expect, it } from 'vitest';
import { type Sample, trendsOf } from './flatness.ts';

/** A sample a minute; `heap` says the heap at each. */
function samples(minutes: number, heap: (minute: number) => number): Sample[] {
  return Array.from({ length: minutes }, (_, minute) => ({
    minute,
    residentMib: 90,
    privateMib: 50,
    heapMib: heap(minute),
    externalMib: 5,
    descriptors: 30 + (minute % 3),
    timers: 4,
  }));
}

const isFlat = (all: readonly Sample[]): boolean => trendsOf(all, true).every((trend) => trend.flat);

describe('flatness', () => {
  it('takes no offence at warming up, swings and an outlier', () => {
    expect(isFlat(samples(30, (minute) => Math.min(minute, 8) + (minute % 2) + (minute === 20 ? 30 : 0)))).toBe(true);
  });

  it('finds a heap that grows slowly but steadily', () => {
    const trends = trendsOf(
      samples(30, (minute) => 10 + minute * 0.2),
      true,
    );
    expect(trends.filter((trend) => !trend.flat).map((trend) => trend.figure)).toEqual(['heapMib']);
  });

  it('says nothing about a short run', () => {
    expect(isFlat(samples(3, (minute) => minute * 100))).toBe(true);
    expect(trendsOf([], true).every((trend) => trend.flat)).toBe(true);
  });
});
