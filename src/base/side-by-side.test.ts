import { describe, expect, it } from 'vitest';
import { sideBySide } from './side-by-side.ts';

describe('side by side', () => {
  it('keeps the order of the outcomes and the width', async () => {
    let running = 0;
    let most = 0;
    const outcomes = await sideBySide([5, 1, 4, 2, 3], 2, async (turns) => {
      most = Math.max(most, ++running);
      for (let i = 0; i < turns; i++) await Promise.resolve();
      running--;
      return turns * 10;
    });
    expect(outcomes).toEqual([50, 10, 40, 20, 30]);
    expect(most).toBe(2);
  });

  it('begins nothing more after a failure', async () => {
    const begun: number[] = [];
    const act = async (n: number): Promise<void> => {
      begun.push(n);
      await Promise.resolve();
      if (n === 1) throw new Error('one');
    };
    await expect(sideBySide([0, 1, 2, 3, 4, 5], 1, act)).rejects.toThrow('one');
    expect(begun).toEqual([0, 1]);
  });
});
