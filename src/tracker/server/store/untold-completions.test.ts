import { afterEach, describe, expect, it, vi } from 'vitest';
import { writeU32 } from '../../../base/bytes.ts';
import { SeededRandom } from '../../../platform/sim/random.ts';
import { Lock, setLockOwner } from '../table/lock.ts';
import { UntoldCompletions } from './untold-completions.ts';

function hash(n: number): Uint8Array {
  const bytes = new Uint8Array(20);
  writeU32(bytes, 16, n);
  return bytes;
}

function shared(slots?: number): { memory: SharedArrayBuffer; threads: [UntoldCompletions, UntoldCompletions] } {
  const memory = UntoldCompletions.memory(2, new SeededRandom(1, 'untold'), true, slots) as SharedArrayBuffer;
  return { memory, threads: [new UntoldCompletions(memory, 0), new UntoldCompletions(memory, 1)] };
}

afterEach(() => {
  vi.restoreAllMocks();
  setLockOwner(1);
});

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

  it('of other threads are kept where one died among them; nobody waits for it twice', () => {
    const { memory, threads } = shared();
    threads[0].change(hash(1), 2);
    threads[1].change(hash(1), 3);
    threads[1].change(hash(2), 4);
    setLockOwner(7);
    expect(new Lock(new Int32Array(memory, 0, 16), 0).acquire()).toBe(true);
    setLockOwner(1);
    const waits = vi.spyOn(Atomics, 'wait');
    expect(threads[0].of(hash(1))).toBe(-1);
    expect(waits).toHaveBeenCalled();
    waits.mockClear();
    // What was told meanwhile is taken out later; what is more is counted elsewhere.
    expect([threads[0].change(hash(1), -1), threads[0].change(hash(3), 1)]).toEqual([false, false]);
    for (let n = 0; n < 100; n++) expect(threads[0].of(hash(1))).toBe(-1);
    // One that died elsewhere at the same time has to wait for its turn.
    expect(threads[0].forget(6, 1)).toBe(false);
    expect(waits).not.toHaveBeenCalled();
    expect(threads[0].forget(7, 1)).toBe(true);
    expect([1, 2, 3].map((n) => threads[0].of(hash(n)))).toEqual([1, 0, 0]);
    expect([threads[0].change(hash(2), 1), threads[0].of(hash(2)), threads[0].forget(6, 1)]).toEqual([true, 1, true]);
  });

  it('of other threads are kept wherever in here one died', () => {
    let moves = 0;
    let deaths = 0;
    for (let dyingAt = 1; dyingAt === 1 || moves >= dyingAt - 1; dyingAt++) {
      const { threads } = shared(256);
      for (let n = 0; n < 120; n++) threads[n % 3 === 0 ? 1 : 0].change(hash(n), 1 + n);
      for (let n = 0; n < 120; n += 7) threads[1].change(hash(n), 1);
      setLockOwner(7);
      // Whatever moves up is moved, and then the thread is no more.
      const { copyWithin } = Uint32Array.prototype;
      moves = 0;
      vi.spyOn(Uint32Array.prototype, 'copyWithin').mockImplementation(function (this: Uint32Array, ...where) {
        copyWithin.apply(this, where);
        if (++moves === dyingAt) throw new Error('the thread dies');
        return this;
      });
      try {
        for (let n = 0; n < 120; n++) threads[1].change(hash(n), -1000);
      } catch {
        deaths++;
      }
      vi.restoreAllMocks();
      setLockOwner(1);
      expect(threads[0].forget(7, 1)).toBe(true);
      for (let n = 0; n < 120; n++) expect(threads[0].of(hash(n))).toBe(n % 3 === 0 ? 0 : 1 + n);
      // Nothing is left, and nothing is there twice.
      for (let n = 0; n < 120; n++) threads[0].change(hash(n), -1000);
      for (let n = 1000; n < 1128; n++) expect(threads[0].change(hash(n), 1)).toBe(true);
      expect(threads[0].change(hash(1128), 1)).toBe(false);
    }
    expect(deaths).toBeGreaterThan(3);
  });
});
