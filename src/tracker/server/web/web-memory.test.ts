import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Holder, WebMemory } from './web-memory.ts';

class Held implements Holder {
  heldBytes = 0;
  isGone = false;
  /** What it would count now. */
  really: number;
  readonly #memory: WebMemory;

  constructor(memory: WebMemory, bytes: number) {
    this.#memory = memory;
    this.really = bytes;
    this.recount();
  }

  recount(): void {
    const changed = this.really - this.heldBytes;
    this.heldBytes = this.really;
    this.#memory.change(changed);
  }

  shed(): void {
    this.isGone = true;
    this.really = 0;
    this.recount();
  }
}

describe('WebMemory', () => {
  it('has those go that hold most, as few as will make room, and keeps its limit', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 30 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 5000 }), (all, limit) => {
        let calls = 0;
        const memory = new WebMemory(limit, () => calls++);
        const held = all.map((bytes) => new Held(memory, bytes));
        const sum = all.reduce((total, bytes) => total + bytes, 0);
        expect(memory.bytes).toBe(sum);
        expect(calls > 0).toBe(sum > limit);
        const count = memory.shed([...held, null]);
        expect(memory.bytes).toBeLessThanOrEqual(limit);
        const gone = held.flatMap(({ isGone }, i) => (isGone ? [all[i]!] : []));
        const kept = held.flatMap(({ isGone }, i) => (isGone ? [] : [all[i]!]));
        expect(gone).toHaveLength(count);
        expect(count > 0).toBe(sum > limit);
        if (count === 0) return;
        expect(memory.bytes).toBeLessThanOrEqual((limit * 7) / 8);
        expect(Math.min(...gone)).toBeGreaterThanOrEqual(Math.max(0, ...kept));
        expect(memory.bytes + Math.min(...gone)).toBeGreaterThan((limit * 7) / 8);
      }),
    );
  });

  it('has no more than some hundreds go in a turn, and asks for another', () => {
    let calls = 0;
    const memory = new WebMemory(1000, () => calls++);
    const held = Array.from({ length: 2000 }, (_, i) => new Held(memory, i < 600 ? 20 : 10));
    calls = 0;
    expect([memory.shed(held), calls]).toEqual([512, 1]);
    expect(held.filter(({ isGone }, i) => isGone && i >= 600)).toEqual([]);
    let turns = 1;
    for (; calls > 0; turns++) {
      calls = 0;
      expect(memory.shed(held)).toBeLessThanOrEqual(512);
    }
    expect([turns, memory.bytes]).toEqual([4, 870]);
  });

  it('looks first whether what was held still is', () => {
    const memory = new WebMemory(100, () => undefined);
    const held = [80, 70].map((bytes) => new Held(memory, bytes));
    held[0]!.really = 10;
    expect(memory.shed(held)).toBe(0);
    expect([memory.bytes, held[1]!.isGone]).toEqual([80, false]);
  });

  it('ends where nobody gives anything up', () => {
    const memory = new WebMemory(1, () => undefined);
    memory.change(10);
    expect(memory.shed([null])).toBe(0);
    expect(memory.isFull).toBe(true);
  });
});
