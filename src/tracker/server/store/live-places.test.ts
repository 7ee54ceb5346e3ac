import { expect, it } from 'vitest';
import { newSimWorld } from '../../../../test/contract/sim-world.ts';
import { SimSwarmStore } from '../../../platform/sim/index.ts';
import { type Clock, sleep } from '../../../ports/clock.ts';
import { silentLog } from '../../../ports/log.ts';
import type { Random } from '../../../ports/random.ts';
import { LivePlaces } from './live-places.ts';
import { StoreLink } from './store-link.ts';

/** Within this one is known to be silent, and no sooner than that. */
const SILENT_MS = 30_000;
const HEARD_MS = 15_000;

class Tracker {
  readonly places: LivePlaces;
  readonly link: StoreLink;
  readonly #clock: Clock;
  #isAlive = true;

  constructor(store: SimSwarmStore, clock: Clock, random: Random, place: number) {
    const on = { onUp: () => this.places.onUp(), onAway: () => this.places.onAway() };
    this.link = new StoreLink({ store, clock, random, log: silentLog, ...on });
    this.places = new LivePlaces(this.link, clock, place);
    this.#clock = clock;
  }

  async start(): Promise<void> {
    await this.link.open();
    while (this.#isAlive) {
      this.link.tick();
      this.places.tick();
      await sleep(this.#clock, 1000);
    }
  }

  die(): void {
    this.#isAlive = false;
    this.link.close();
  }
}

it('trackers know which others are alive, and take nobody for dead who could not be heard', async () => {
  const world = newSimWorld({ seed: 5 });
  const { clock, random } = world.addHost({ ip: '10.9.0.1' }).env;
  const store = new SimSwarmStore({ clock });
  const [a, b, c] = [1, 0xffffffff, 3].map((place) => new Tracker(store, clock, random, place)) as [
    Tracker,
    Tracker,
    Tracker,
  ];
  const silent = ({ places }: Tracker): boolean[] => [1, 0xffffffff, 3, 4].map((place) => places.isSilent(place));
  await world.run(
    (async () => {
      const running = [a.start(), b.start()];
      await sleep(clock, HEARD_MS);
      expect(silent(a)).toEqual([false, false, false, false]);
      await sleep(clock, SILENT_MS);
      // Its own is in nobody's question.
      expect(silent(a).slice(1)).toEqual([false, true, true]);
      running.push(c.start());
      await sleep(clock, HEARD_MS);
      expect(silent(a).slice(1)).toEqual([false, false, true]);
      expect(silent(c)).toEqual([false, false, false, false]);
      // One that has just started was heard of otherwise.
      a.places.heard(4, clock.nowMs());
      expect(silent(a)[3]).toBe(false);
      b.die();
      await sleep(clock, HEARD_MS);
      expect(silent(a)[1]).toBe(false);
      await sleep(clock, SILENT_MS - HEARD_MS);
      expect([silent(a).slice(1), silent(c)[1]]).toEqual([[true, false, true], true]);
      // A store that is away, and has forgotten all when it is back, makes nobody silent.
      store.goDown();
      store.forgetAll();
      for (let n = 0; n < 60; n++) {
        await sleep(clock, 1000);
        expect(silent(a)).toEqual([false, false, false, false]);
      }
      store.comeBack();
      for (let n = 0; n < 60; n++) {
        await sleep(clock, 1000);
        expect([silent(a)[2], silent(c)[0]]).toEqual([false, false]);
      }
      expect(silent(a)[1]).toBe(true);
      a.die();
      c.die();
      await Promise.all(running);
    })(),
  );
  expect(world.leaks()).toEqual([]);
});
