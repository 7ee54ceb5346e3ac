import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyTable } from './key-table.ts';

const keyOf = (n: number): Uint8Array => {
  const key = new Uint8Array(20);
  new DataView(key.buffer).setUint32(16, n);
  return key;
};

describe('KeyTable', () => {
  it('knows what a map knows, for every reader, over any changes and growth', () => {
    const change = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 150 }), fc.integer({ min: 0 }), (changes, seed) => {
        let table = KeyTable.create(20, 1, seed >>> 0);
        const model = new Map<number, number>();
        for (const [key, value] of changes) {
          if (value === 0) {
            table.delete(keyOf(key));
            model.delete(key);
          } else {
            while (!table.set(keyOf(key), value)) table = table.enlarged();
            model.set(key, value);
          }
        }
        const reader = new KeyTable(table.memory);
        for (let key = 0; key <= 40; key++) expect(reader.get(keyOf(key))).toBe(model.get(key) ?? 0);
      }),
      { numRuns: 60 },
    );
  });

  it('does not grow for keys that come and go, once they are copied', () => {
    let table = KeyTable.create(20, 16, 7);
    for (let n = 0; n < 5000; n++) {
      while (!table.set(keyOf(n), 1)) table = table.enlarged();
      table.delete(keyOf(n));
    }
    expect(table.memory.byteLength).toBeLessThan(4096);
  });

  it('finds a key in the middle of other bytes', () => {
    const table = KeyTable.create(20, 4, 1);
    table.set(keyOf(258), 3);
    const packet = new Uint8Array(40);
    packet.set(keyOf(258), 7);
    expect(table.get(packet, 7)).toBe(3);
    expect(table.get(packet, 6)).toBe(0);
  });
});
