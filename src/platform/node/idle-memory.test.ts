import { describe, expect, it } from 'vitest';
import { giveBackIdleMemory, IdleMemory } from './idle-memory.ts';

const MIB = 1024 * 1024;

function makeProcess(heapMib: number) {
  const state = { cpuMs: 900, heapBytes: heapMib * MIB, collections: 0, young: 0 };
  const memory = new IdleMemory({
    cpuMs: () => state.cpuMs,
    heapBytes: () => state.heapBytes,
    collect: (what) => {
      state.collections++;
      if (what === 'young') state.young++;
      state.heapBytes = 30 * MIB;
    },
  });
  const look = (cpuMs: number): number => {
    state.cpuMs += cpuMs;
    memory.look();
    return state.collections;
  };
  return { state, look };
}

describe('Memory of an idle process', () => {
  it('is given back by three collections once the process has nothing to do', () => {
    const { state, look } = makeProcess(90);
    expect(look(900)).toBe(0);
    expect(look(400)).toBe(0);
    expect(look(20)).toBe(1);
    expect(look(20)).toBe(2);
    for (let i = 0; i < 5; i++) expect(look(20)).toBe(2);
    expect(state.young).toBe(0);
    expect(look(20)).toBe(3);
    expect(state.young).toBe(1);
    for (let i = 0; i < 20; i++) expect(look(0)).toBe(3);
  });

  it('is left alone while there is work, also between them', () => {
    const { look } = makeProcess(90);
    look(0);
    expect(look(10)).toBe(1);
    expect(look(400)).toBe(1);
    expect(look(0)).toBe(2);
    for (let i = 0; i < 20; i++) expect(look(i % 4 === 0 ? 400 : 0)).toBe(2);
    expect(look(400)).toBe(2);
    for (let i = 0; i < 5; i++) expect(look(0)).toBe(2);
    expect(look(0)).toBe(3);
  });

  it('is looked after again when the heap has grown much, not when it has grown little', () => {
    const { state, look } = makeProcess(90);
    for (let i = 0; i < 20; i++) look(0);
    expect(state.collections).toBe(3);
    state.heapBytes = 36 * MIB;
    expect(look(0)).toBe(3);
    state.heapBytes = 39 * MIB;
    expect(look(0)).toBe(4);
    for (let i = 0; i < 20; i++) look(0);
    expect(state.collections).toBe(6);
  });

  it('is looked after by a timer that ends with the program', () => {
    const stop = giveBackIdleMemory();
    stop();
    stop();
  });
});
