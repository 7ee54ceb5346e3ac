import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bitfield } from './bitfield.ts';

describe('a bitfield', () => {
  it('is a set of numbers that counts itself', () => {
    const acts = fc.array(fc.tuple(fc.boolean(), fc.nat(99)), { maxLength: 200 });
    fc.assert(
      fc.property(acts, (list) => {
        const [field, model] = [new Bitfield(100), new Set<number>()];
        for (const [on, index] of list) {
          expect(on ? field.set(index) : field.clear(index)).toBe(on ? !model.has(index) : model.has(index));
          if (on) model.add(index);
          else model.delete(index);
        }
        const seen: number[] = [];
        field.forEach((index) => {
          seen.push(index);
        });
        expect(seen).toEqual([...model].sort((a, b) => a - b));
        expect(field.count).toBe(model.size);
        expect(Bitfield.fromWire(100, field.bytes)?.count).toBe(model.size);
      }),
    );
  });

  it('refuses a wrong size and spare bits from the wire', () => {
    expect(Bitfield.fromWire(10, Uint8Array.of(0xff))).toBeNull();
    expect(Bitfield.fromWire(10, Uint8Array.of(0xff, 0xe0))).toBeNull();
    expect(Bitfield.fromWire(10, Uint8Array.of(0xff, 0xc0))?.isFull).toBe(true);
  });

  it('full has no spare bit set, and a copy is its own', () => {
    const field = new Bitfield(13);
    field.setAll();
    expect([field.isFull, field.bytes[1]]).toEqual([true, 0xf8]);
    const copy = field.copy();
    copy.clear(3);
    expect([field.count, copy.count]).toEqual([13, 12]);
    field.clearAll();
    expect(field.isEmpty).toBe(true);
  });
});
