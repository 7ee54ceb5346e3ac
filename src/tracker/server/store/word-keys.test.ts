import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WordKeys } from './word-keys.ts';

describe('WordKeys', () => {
  it('does what a map does, up to its bound', () => {
    const acts = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.boolean()), { maxLength: 120 });
    fc.assert(
      fc.property(acts, fc.nat(), (list, seed) => {
        const keys = new WordKeys(2, 16, seed);
        const model = new Map<number, number>();
        for (const [key, isAdded] of list) {
          keys.key.set([key, key % 3]);
          const known = model.get(key) ?? -1;
          expect(keys.find()).toBe(known);
          if (isAdded && known < 0) {
            const number = keys.add();
            expect(number < 0).toBe(model.size === 16);
            if (number >= 0) model.set(key, number);
          } else if (!isAdded && known >= 0) {
            keys.remove(known);
            model.delete(key);
          }
          expect(keys.count).toBe(model.size);
        }
        for (const [key, number] of model) expect([keys.word(number, 0), keys.word(number, 1)]).toEqual([key, key % 3]);
        expect(new Set(model.values()).size).toBe(model.size);
      }),
      { numRuns: 50 },
    );
  });
});
