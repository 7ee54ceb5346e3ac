import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap } from './heap.ts';

const less = (a: number, b: number): boolean => a < b;

function drain(heap: Heap<number>): number[] {
  const out: number[] = [];
  while (heap.size > 0) {
    const first = heap.peek()!;
    expect(heap.pop()).toBe(first);
    out.push(first);
  }
  return out;
}

describe('Heap', () => {
  it('is empty at first', () => {
    const heap = new Heap<number>(less);
    expect(heap.size).toBe(0);
    expect(heap.peek()).toBeUndefined();
    expect(heap.pop()).toBeUndefined();
  });

  it('gives back what went in, sorted', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (values) => {
        const heap = new Heap<number>(less);
        for (const value of values) heap.push(value);
        expect(drain(heap)).toEqual([...values].sort((a, b) => a - b));
      }),
    );
  });

  it('stays in order when pushes and pops are mixed', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 50 }), { nil: null })), (steps) => {
        const heap = new Heap<number>(less);
        const model: number[] = [];
        for (const step of steps) {
          if (step === null) {
            model.sort((a, b) => a - b);
            expect(heap.pop()).toBe(model.shift());
          } else {
            heap.push(step);
            model.push(step);
          }
          expect(heap.size).toBe(model.length);
        }
      }),
    );
  });

  it('is still a heap after items were dropped', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer({ min: 2, max: 5 }), (values, divisor) => {
        const heap = new Heap<number>(less);
        for (const value of values) heap.push(value);
        heap.retain((value) => value % divisor !== 0);
        expect(drain(heap)).toEqual(values.filter((value) => value % divisor !== 0).sort((a, b) => a - b));
      }),
    );
  });
});
