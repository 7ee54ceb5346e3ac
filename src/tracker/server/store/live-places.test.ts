import { expect, it } from 'vitest';
import { newSimWorld } from '../../../../test/contract/sim-world.ts';
import { sleep } from '../../../ports/clock.ts';
import type { SwarmAnswer } from '../../../ports/swarm-store.ts';
import {
  CHANGE_GONE,
  CHANGE_LEECH,
  ChangeReader,
  MAX_CHANGE_LENGTH,
  writeChange,
} from '../../protocol/swarm-changes.ts';
import { LivePlaces } from './live-places.ts';

const [OWN, OTHER, FORMER] = [1, 2, 3];

/** What the store answers when the other tracker has just said that it is alive, or gone. */
function said(kind: number, cursor: number): SwarmAnswer {
  const bytes = new Uint8Array(MAX_CHANGE_LENGTH);
  const length = writeChange(bytes, 0, kind, 0, new Uint8Array(20), OTHER);
  return { cursor, completed: 0, more: false, changes: bytes.subarray(0, length) };
}

const alive = (cursor: number): SwarmAnswer => said(CHANGE_LEECH, cursor);

it('judges no tracker while the store says nothing, and takes no late answer for a new one', async () => {
  const world = newSimWorld({ seed: 7 });
  const { clock } = world.addHost({ ip: '10.9.0.1' }).env;
  const asked: number[] = [];
  const answers: ((answer: SwarmAnswer) => void)[] = [];
  let isHanging = false;
  const link = {
    isUp: true,
    exchange({ since }: { since: number }): Promise<SwarmAnswer> {
      asked.push(since);
      if (!isHanging) return Promise.resolve(alive(asked.length));
      return new Promise((resolve) => answers.push(resolve));
    },
  };
  const places = new LivePlaces(link, clock, { place: OWN, formerPlace: null });
  const pass = async (seconds: number): Promise<boolean> => {
    let wasSilent = false;
    for (let s = 0; s < seconds; s++) {
      places.tick();
      await sleep(clock, 1000);
      wasSilent ||= places.isSilent(OTHER);
    }
    return wasSilent;
  };
  await world.run(
    (async () => {
      places.onUp();
      expect(await pass(60)).toBe(false);
      isHanging = true;
      expect(await pass(120)).toBe(false);
      expect(answers.length).toBeGreaterThan(10);
      expect(await pass(300)).toBe(false);
      expect(answers).toHaveLength(32);
      // Where the last answer has ended says the one to the last question alone.
      for (const answer of answers) if (answer !== answers.at(-1)) answer(alive(999));
      isHanging = false;
      expect(await pass(60)).toBe(false);
      expect(asked).not.toContain(999);
      // It is heard again, but the other tracker says nothing any more.
      const before = asked.length;
      link.exchange = ({ since }) => {
        asked.push(since);
        return Promise.resolve({ ...alive(asked.length), changes: new Uint8Array(0) });
      };
      expect(await pass(40)).toBe(true);
      expect(asked.length).toBeGreaterThan(before);
    })(),
  );
});

it('takes a tracker for gone that says so, until it says that it is there; and says so of its own former life, and in the end', async () => {
  const world = newSimWorld({ seed: 7 });
  const { clock } = world.addHost({ ip: '10.9.0.1' }).env;
  const told: string[] = [];
  let kind = CHANGE_GONE;
  let isFailing = true;
  const link = {
    isUp: true,
    exchange({ changes }: { changes: Uint8Array }): Promise<SwarmAnswer> {
      const reader = new ChangeReader(changes);
      const words: string[] = [];
      while (reader.next()) words.push(`${reader.port}${reader.role === CHANGE_GONE ? ' gone' : ''}`);
      told.push(words.join(', '));
      return isFailing ? Promise.reject(new Error('busy')) : Promise.resolve(said(kind, told.length));
    },
  };
  const places = new LivePlaces(link, clock, { place: OWN, formerPlace: FORMER });
  const pass = async (seconds: number): Promise<void> => {
    for (let s = 0; s < seconds; s++) {
      await sleep(clock, 1000);
      places.tick();
    }
  };
  await world.run(
    (async () => {
      places.onUp();
      await pass(6);
      // The former life is over before anybody has been heard; another is taken for alive as long.
      expect([places.isSilent(FORMER), places.isSilent(OTHER)]).toEqual([true, false]);
      isFailing = false;
      await pass(10);
      expect(told.splice(0)).toEqual(['1, 3 gone', '1, 3 gone', '1, 3 gone', '1']);
      expect(places.isSilent(OTHER)).toBe(true);
      // What is known of its peers is of before.
      places.heard(OTHER, clock.nowMs());
      expect(places.isSilent(OTHER)).toBe(true);
      kind = CHANGE_LEECH;
      await pass(5);
      expect([places.isSilent(OTHER), places.isSilent(FORMER)]).toEqual([false, true]);
      // Another store may not know it, or have forgotten.
      places.onUp();
      await pass(5);
      await places.close();
      expect(told).toEqual(['1', '1, 3 gone', '1', '1 gone']);
      link.isUp = false;
      await places.close();
      expect(told).toHaveLength(4);
    })(),
  );
});
