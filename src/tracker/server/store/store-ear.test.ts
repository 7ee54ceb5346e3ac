import { expect, it } from 'vitest';
import { newSimWorld } from '../../../../test/contract/sim-world.ts';
import { ShoalError } from '../../../base/errors.ts';
import { SimSwarmStore } from '../../../platform/sim/index.ts';
import { sleep } from '../../../ports/clock.ts';
import type { SwarmStore } from '../../../ports/swarm-store.ts';
import { StoreEar } from './store-ear.ts';
import { StoreLink } from './store-link.ts';

const PLACE = 5;
/** Longer than from one try to the next. */
const RETRIED_MS = 10_000;

it('the ear at a store goes on trying, tells once that it hears nothing, and once that it hears again', async () => {
  const world = newSimWorld({ seed: 3 });
  const { clock, random } = world.addHost({ ip: '10.9.0.1' }).env;
  const inMemory = new SimSwarmStore({ clock });
  let tries = 0;
  let isRefused = true;
  const store: SwarmStore = {
    name: 'a store',
    place: '',
    open: (onLost) => inMemory.open(onLost),
    listen: (...at) => {
      tries++;
      if (isRefused) return Promise.reject(new ShoalError('STORE_REFUSED', 'NOPERM'));
      return inMemory.listen(...at);
    },
  };
  const lines: string[] = [];
  const log = { write: (_level: string, message: string) => lines.push(message) };
  const heard: number[] = [];
  const link = new StoreLink({ store, clock, random, log, onUp: () => undefined, onAway: () => undefined });
  const hear = (bytes: Uint8Array): void => void heard.push(bytes[0]!);
  const ear = new StoreEar({ store, link, clock, random, log, place: PLACE, hear });
  await world.run(
    (async () => {
      await link.open();
      ear.start();
      await sleep(clock, 2 * RETRIED_MS);
      expect([tries > 3, lines.length]).toEqual([true, 1]);
      isRefused = false;
      await sleep(clock, RETRIED_MS);
      await link.send(PLACE, Uint8Array.of(7));
      expect([heard, lines.length]).toEqual([[7], 2]);
      // Its own words are for itself alone, and enough to know that it hears.
      const before = tries;
      for (let second = 0; second < 60; second++) {
        ear.tick();
        await sleep(clock, 1000);
      }
      expect([heard, tries - before]).toEqual([[7], 0]);
      inMemory.deafen();
      ear.stop();
      ear.stop();
      await sleep(clock, RETRIED_MS);
      expect([tries - before, lines.length]).toEqual([0, 2]);
      link.close();
    })(),
  );
  expect(world.leaks()).toEqual([]);
});
