import { afterEach, describe, expect, it } from 'vitest';
import { writeU32 } from '../../../base/bytes.ts';
import { SeededRandom } from '../../../platform/sim/random.ts';
import { Lock, setLockOwner } from '../table/lock.ts';
import { UntoldCompletions } from './untold-completions.ts';

function hash(n: number): Uint8Array {
  const bytes = new Uint8Array(20);
  writeU32(bytes, 16, n);
  return bytes;
}

function shared(): { memory: SharedArrayBuffer; threads: [UntoldCompletions, UntoldCompletions] } {
  const memory = UntoldCompletions.memory(2, new SeededRandom(1, 'untold'), true) as SharedArrayBuffer;
  return { memory, threads: [new UntoldCompletions(memory, 0), new UntoldCompletions(memory, 1)] };
}

afterEach(() => setLockOwner(1));

describe('completions that are still to be told', () => {
  it('are the same as in a map, whoever counts them', () => {
    const { threads } = shared();
    const random = new SeededRandom(2, 'which');
    const expected = new Map<number, [number, number]>();
    for (let n = 0; n < 20_000; n++) {
      const swarm = random.below(300);
      const thread = random.below(2) as 0 | 1;
      const by = random.below(5) - 2;
      const counts = expected.get(swarm) ?? [0, 0];
      counts[thread] = Math.max(0, counts[thread] + by);
      expected.set(swarm, counts);
      expect(threads[thread].change(hash(swarm), by)).toBe(true);
      expect(threads[1 - thread]!.of(hash(swarm))).toBe(counts[0] + counts[1]);
    }
    for (const [swarm, [a, b]] of expected) expect(threads[0].of(hash(swarm))).toBe(a + b);
    threads[0].forget(9, 1);
    for (const [swarm, [a]] of expected) expect(threads[1].of(hash(swarm))).toBe(a);
  });

  it('have no more than half of the slots', () => {
    const untold = new UntoldCompletions(UntoldCompletions.memory(1, new SeededRandom(1, 'untold'), false, 512), 0);
    for (let n = 0; n < 256; n++) expect(untold.change(hash(n), 1)).toBe(true);
    expect([untold.change(hash(256), 1), untold.change(hash(5), 1)]).toEqual([false, true]);
    expect([untold.of(hash(256)), untold.of(hash(5))]).toEqual([0, 2]);
    untold.change(hash(5), -2);
    expect(untold.change(hash(256), 1)).toBe(true);
  });

  it('are forgotten where a thread died among them, and counted again after', () => {
    const { memory, threads } = shared();
    threads[1].change(hash(1), 3);
    setLockOwner(7);
    expect(new Lock(new Int32Array(memory, 0, 16), 0).acquire()).toBe(true);
    setLockOwner(1);
    expect(threads[0].of(hash(1))).toBe(-1);
    threads[0].forget(7, 1);
    expect(threads[0].of(hash(1))).toBe(0);
    expect([threads[0].change(hash(2), 1), threads[0].of(hash(2))]).toEqual([true, 1]);
  });
});
