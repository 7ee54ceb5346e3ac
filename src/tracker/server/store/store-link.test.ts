import { describe, expect, it } from 'vitest';
import { newSimWorld } from '../../../../test/contract/sim-world.ts';
import { ShoalError } from '../../../base/errors.ts';
import { sleep } from '../../../ports/clock.ts';
import type { SwarmStore } from '../../../ports/swarm-store.ts';
import { StoreLink } from './store-link.ts';

/** Longer than from one try to reach a store to the next. */
const RETRIED_MS = 10_000;

describe('the link to a store', () => {
  it('goes on trying, and tells so once, where the store is lost while it is opened and refuses then', async () => {
    const world = newSimWorld({ seed: 6 });
    const { clock, random } = world.addHost({ ip: '10.9.0.1' }).env;
    const lines: string[] = [];
    let opened = 0;
    let closed = 0;
    const store: SwarmStore = {
      name: 'a store',
      place: '',
      async open(onLost) {
        opened++;
        if (opened === 2) throw new ShoalError('STORE_REFUSED', 'not now');
        if (opened === 1) onLost(new Error('broken off'));
        const refuse = (): Promise<never> => Promise.reject(new ShoalError('IO', 'asked'));
        return { exchange: refuse, send: refuse, close: () => closed++ };
      },
      listen: () => Promise.reject(new ShoalError('IO', 'nobody listens')),
    };
    const log = { write: (_level: string, message: string) => lines.push(message) };
    const on = { onUp: () => undefined, onAway: () => undefined };
    const link = new StoreLink({ store, clock, random, log, ...on });
    await world.run(
      (async () => {
        await link.open();
        expect([link.isUp, closed, lines.length]).toEqual([false, 1, 1]);
        await sleep(clock, RETRIED_MS);
        expect([link.isUp, opened, lines.length]).toEqual([true, 3, 1]);
        link.close();
      })(),
    );
    expect(world.leaks()).toEqual([]);
  });
});
