import { expect, it } from 'vitest';
import { newSimWorld } from '../../../../test/contract/sim-world.ts';
import { ShoalError } from '../../../base/errors.ts';
import { newPlace, type Places } from './kept-place.ts';

it('each life of a tracker has a place of its own, and knows that of the one before, where it has a state that can be read', async () => {
  const world = newSimWorld({ seed: 7 });
  const { store, random } = world.addHost({ ip: '10.9.0.1' }).env;
  const warnings: string[] = [];
  const log = { write: (_level: string, message: string) => warnings.push(message) };
  const live = (key: string | null, more = store): Promise<Places> => newPlace({ store: more, random, log }, key);
  await world.run(
    (async () => {
      expect((await live(null)).formerPlace).toBe(null);
      const first = await live('tracker/1');
      const second = await live('tracker/1');
      const third = await live('tracker/1');
      expect([first, second, third].map(({ formerPlace }) => formerPlace)).toEqual([null, first.place, second.place]);
      expect(new Set([first, second, third].map(({ place }) => place)).size).toBe(3);
      expect((await live('tracker/2')).formerPlace).toBe(null);
      await store.write('tracker/1.place', new Uint8Array(8));
      expect((await live('tracker/1')).formerPlace).toBe(null);
      expect(warnings).toEqual([]);
      const full = {
        ...store,
        read: store.read.bind(store),
        write: () => Promise.reject(new ShoalError('DISK_FULL', 'full')),
      };
      expect((await live('tracker/1', { ...store, ...full })).formerPlace).not.toBe(null);
      expect(warnings).toEqual(['the place of this tracker could not be kept']);
    })(),
  );
});
