import { describe, expect, it } from 'vitest';
import { newSimWorld } from '../../../../test/contract/sim-world.ts';
import { writeU32 } from '../../../base/bytes.ts';
import { SimSwarmStore } from '../../../platform/sim/index.ts';
import { type Clock, sleep } from '../../../ports/clock.ts';
import { silentLog } from '../../../ports/log.ts';
import { LEECH } from '../table/peer-runs.ts';
import { SwarmTable } from '../table/swarm-table.ts';
import { StoreMirror } from './store-mirror.ts';
import { UntoldCompletions } from './untold-completions.ts';

const MOST_USED = 4096;
const IP = Uint8Array.of(203, 0, 113, 5);
/** Longer than from one try to reach a store to the next. */
const RETRIED_MS = 10_000;

function hash(n: number): Uint8Array {
  const bytes = new Uint8Array(20);
  writeU32(bytes, 0, n);
  return bytes;
}

/** A peer that only the table knows. */
function join(table: SwarmTable, swarm: number, clock: Clock): void {
  table.announce(hash(swarm), IP, 1, LEECH, false, clock.nowMs() / 1000);
  table.exit();
}

interface Setting {
  readonly mirror: StoreMirror;
  readonly store: SimSwarmStore;
  readonly table: SwarmTable;
  readonly clock: Clock;
}

async function withMirror(latencyMs: number, body: (setting: Setting) => Promise<void>): Promise<void> {
  const world = newSimWorld();
  const { clock, random } = world.addHost({ ip: '10.9.0.1' }).env;
  const store = new SimSwarmStore({ clock, latencyMs });
  const table = SwarmTable.local(random, { maxSwarms: 100, maxPeers: 100 });
  const rest = { log: silentLog, mostUsed: MOST_USED, place: 1, hear: null, ageS: () => 2700 };
  const untold = new UntoldCompletions(UntoldCompletions.memory(1, random, false), 0);
  const mirror = new StoreMirror({ store, table, untold, clock, random, ...rest });
  await world.run(
    mirror
      .open()
      .then(() => body({ mirror, store, table, clock }))
      .then(() => mirror.close()),
  );
  expect(world.leaks()).toEqual([]);
}

describe('the mirror of a store', () => {
  it('forgets soon what nobody is in, and no other', async () => {
    await withMirror(1, async ({ mirror, table, clock }) => {
      join(table, 1, clock);
      const fresh = (): boolean[] => [1, 2].map((n) => mirror.isFresh(hash(n)));
      for (const n of [1, 2]) await new Promise<void>((goOn) => mirror.wait(hash(n), { goOn }));
      expect(fresh()).toEqual([true, true]);
      mirror.tick();
      expect(fresh()).toEqual([true, false]);
    });
  });

  it('fetches what is asked for often before its copy is too old, until nobody asks any more', async () => {
    await withMirror(1, async ({ mirror, store, table, clock }) => {
      join(table, 1, clock);
      const fresh: boolean[] = [];
      for (let n = 0; n < 8; n++) {
        fresh.push(mirror.isFresh(hash(1)));
        mirror.announced(hash(1), IP, 1, LEECH, false);
        await sleep(clock, 1900);
      }
      // What came once may never come again.
      expect(fresh).toEqual([false, false, ...new Array<boolean>(6).fill(true)]);
      await sleep(clock, 5000);
      const before = store.exchanges;
      expect(mirror.isFresh(hash(1))).toBe(false);
      await sleep(clock, 60_000);
      expect(store.exchanges).toBe(before);
    });
  });

  it('has those wait longer for a slow store who would hear that nobody is there', async () => {
    await withMirror(700, async ({ mirror, table, clock }) => {
      await sleep(clock, 1000);
      join(table, 1, clock);
      const waited = (n: number): Promise<number> =>
        new Promise((resolve) => {
          const sinceMs = clock.nowMs();
          expect(mirror.isFresh(hash(n))).toBe(false);
          expect(mirror.wait(hash(n), { goOn: () => resolve(clock.nowMs() - sinceMs) })).toBe(true);
        });
      expect((await Promise.all([waited(1), waited(2)])).map(Math.round)).toEqual([300, 700]);
    });
  });

  it('asks a slow store for nobody whose patience has ended', async () => {
    await withMirror(250, async ({ mirror, store, clock }) => {
      await sleep(clock, 1000);
      const before = store.exchanges;
      const waits = Array.from({ length: 4000 }, (_, n) => new Promise<void>((goOn) => mirror.wait(hash(n), { goOn })));
      await Promise.all(waits);
      await sleep(clock, 10_000);
      // Two windows of 512: the second begins while they still wait.
      expect(store.exchanges - before).toBeGreaterThan(500);
      expect(store.exchanges - before).toBeLessThan(1100);
      // Their swarms, in which nobody is, are forgotten: there is room for others.
      mirror.tick();
      const others = Array.from({ length: 4000 }, (_, n) => mirror.wait(hash(5000 + n), { goOn: () => undefined }));
      expect(others.every(Boolean)).toBe(true);
    });
  });

  it('keeps its copies under a flood of swarms, and has those that found no room told from the table', async () => {
    await withMirror(1, async ({ mirror, store, table, clock }) => {
      join(table, 0, clock);
      store.goDown();
      for (let n = 0; n < MOST_USED; n++) mirror.announced(hash(n), IP, 1, LEECH, false);
      store.comeBack();
      await sleep(clock, RETRIED_MS);
      // One is that of the trackers.
      expect(store.swarmCount).toBe(2);
      await new Promise<void>((goOn) => mirror.wait(hash(0), { goOn }));
      expect(mirror.isFresh(hash(0))).toBe(true);
      join(table, MOST_USED, clock);
      mirror.announced(hash(MOST_USED), IP, 1, LEECH, false);
      mirror.tick();
      expect(mirror.isFresh(hash(0))).toBe(true);
      await sleep(clock, 100);
      expect(store.swarmCount).toBe(3);
    });
  });
});
