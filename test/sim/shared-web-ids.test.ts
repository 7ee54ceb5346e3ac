// One WebTorrent client at two trackers that share their swarms by a store, in virtual time: it stays a member of one.

import { describe, expect, it } from 'vitest';
import { latin1 } from '../../src/base/bytes.ts';
import { type Setting, withTrackers } from '../support/sim-shared-trackers.ts';
import { hash } from '../support/sim-tracker.ts';
import type { SimWebClient } from '../support/sim-web-client.ts';
import { id, type Message } from '../support/web-messages.ts';

const HASH = latin1(hash);
/** What one tracker was told, the other knows by then, and what it gave up for it is known too. */
const SETTLED_MS = 3000;
const A = id(0x61);
const TAKEN = 'another connection has this peer id';

const announce = (client: SimWebClient, change: Message = {}): void =>
  client.announce({ info_hash: HASH, peer_id: A, ...change });

const failures = ({ heard }: SimWebClient): unknown[] =>
  heard.splice(0).flatMap((message) => ('failure reason' in message ? [message] : []));

/** Both ends of a client that has two trackers. */
async function bothEnds({ newWebClient }: Setting): Promise<readonly [SimWebClient, SimWebClient]> {
  return [await newWebClient(0), await newWebClient(1)];
}

const scrapes = async ({ scrape, pass }: Setting): Promise<string[]> => {
  await pass(SETTLED_MS);
  for (const tracker of [0, 1]) scrape(tracker);
  await pass(300);
  return [scrape(0), scrape(1)];
};

describe('a WebTorrent client that announces the same peer id at two trackers at once', () => {
  for (const afterMs of [0, 20, 200, 480, 499, 500, 501, 520, 700, 1500])
    it(`is one member, which completes once, where one hears of it ${afterMs} ms after the other`, () =>
      withTrackers(async (setting) => {
        const { pass } = setting;
        const ends = await bothEnds(setting);
        for (const [round, [first, second]] of [ends, [ends[1], ends[0]] as const].entries()) {
          announce(first, { event: 'started' });
          await pass(afterMs);
          announce(second, { event: 'started' });
          await pass(SETTLED_MS);
          const told = ends.map(failures);
          expect(told.flat()).toMatchObject([{ 'failure reason': TAKEN, info_hash: HASH, 'retry in': 2 }]);
          const [kept, other] = told[0]!.length === 0 ? ends : [ends[1], ends[0]];
          if (afterMs > 0) expect(kept).toBe(first);
          for (const end of ends) announce(end, { event: 'completed', left: 0 });
          expect(await scrapes(setting)).toEqual(Array(2).fill(`1 0 ${round + 1}`));
          expect([failures(kept), failures(other)]).toMatchObject([[], [{ 'failure reason': TAKEN }]]);
          // Where it was refused it may come once it has left the other.
          announce(kept, { event: 'stopped' });
          await pass(SETTLED_MS);
          announce(other);
          await pass(SETTLED_MS);
          expect(failures(other)).toEqual([]);
          announce(other, { event: 'stopped' });
          await pass(62_000);
        }
      }));

  it.each([0, 100, 490])('completes once also where it does so %i ms after it has come', (afterMs) =>
    withTrackers(async (setting) => {
      const ends = await bothEnds(setting);
      for (const end of ends) announce(end, { event: 'started' });
      await setting.pass(afterMs);
      for (const end of ends) announce(end, { event: 'completed', left: 0 });
      expect(await scrapes(setting)).toEqual(['1 0 1', '1 0 1']);
      expect(ends.map((end) => failures(end).length).sort()).toEqual([0, 1]);
    }),
  );

  it('stays where it was first, though the other tracker was told late of that', () =>
    withTrackers(async (setting) => {
      const [first, second] = await bothEnds(setting);
      announce(first);
      await setting.pass(100_000);
      setting.store.latencyMs = 1200;
      announce(second);
      await setting.pass(1150);
      expect(second.heard).toMatchObject([{ incomplete: 1 }]);
      await setting.pass(2 * SETTLED_MS);
      expect([failures(first), failures(second)]).toMatchObject([[], [{ 'failure reason': TAKEN }]]);
      setting.store.latencyMs = 1;
      expect(await scrapes(setting)).toEqual(['0 1 0', '0 1 0']);
    }));

  it('is taken out of neither while the store is away, nor later: by then others have its peer id', () =>
    withTrackers(async (setting) => {
      const { store, pass } = setting;
      const ends = await bothEnds(setting);
      store.goDown();
      await pass(100);
      for (const end of ends) announce(end, { event: 'started' });
      await pass(30_000);
      store.comeBack();
      await pass(30_000);
      for (const end of ends) announce(end);
      expect(await scrapes(setting)).toEqual(['0 1 0', '0 1 0']);
      expect(ends.map(failures)).toEqual([[], []]);
    }));
});

describe('WebTorrent clients of a tracker that is started again', () => {
  const KEPT = { stateKey: 'tracker/6969' };

  for (const [ends, more, isKnown] of [
    ['restart', {}, true],
    ['crash', KEPT, true],
    ['crash', {}, false],
  ] as const)
    it(`${isKnown ? 'are' : 'are not'} taken in there at once after a ${ends} ${'stateKey' in more ? 'with' : 'without'} a state`, () =>
      withTrackers(async (setting) => {
        const { newWebClient, pass } = setting;
        const before = await newWebClient(0);
        announce(before);
        await pass(60_000);
        await setting[ends](0);
        const [here, there] = [await newWebClient(0), await newWebClient(0)];
        announce(here);
        expect((await here.take()).some((message) => 'failure reason' in message)).toBe(!isKnown);
        if (!isKnown) await pass(25_000);
        announce(here);
        expect((await here.take()).some((message) => 'failure reason' in message)).toBe(false);
        announce(there);
        expect((await there.take()).some((message) => 'failure reason' in message)).toBe(true);
        await pass(60_000);
        announce(here, { left: 0 });
        expect(await scrapes(setting)).toEqual(['1 0 0', '1 0 0']);
      }, more));

  it('are taken in by the other one within the five seconds between two signs of life', () =>
    withTrackers(async (setting) => {
      const { newWebClient, pass, crash } = setting;
      for (let n = 0; n < 2; n++) {
        const before = await newWebClient(0);
        announce(before);
        await pass(60_000);
        await crash(0);
        await pass(5000);
        const there = await newWebClient(1);
        announce(there);
        expect(await there.take()).toMatchObject([{ incomplete: 1 }]);
        expect(await scrapes(setting)).toEqual(['0 1 0', '0 1 0']);
        announce(there, { event: 'stopped' });
        await pass(SETTLED_MS);
      }
    }, KEPT));
});
