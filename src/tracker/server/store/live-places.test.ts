import { expect, it } from 'vitest';
import { newSimWorld } from '../../../../test/contract/sim-world.ts';
import { sleep } from '../../../ports/clock.ts';
import type { SwarmAnswer } from '../../../ports/swarm-store.ts';
import { CHANGE_LEECH, MAX_CHANGE_LENGTH, writeChange } from '../../protocol/swarm-changes.ts';
import { LivePlaces } from './live-places.ts';

const [OWN, OTHER] = [1, 2];

/** What the store answers when the other tracker has just said that it is alive. */
function alive(cursor: number): SwarmAnswer {
  const bytes = new Uint8Array(MAX_CHANGE_LENGTH);
  const length = writeChange(bytes, 0, CHANGE_LEECH, 0, new Uint8Array(20), OTHER);
  return { cursor, completed: 0, more: false, changes: bytes.subarray(0, length) };
}

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
  const places = new LivePlaces(link, clock, OWN);
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
