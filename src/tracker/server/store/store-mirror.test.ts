import { describe, expect, it } from 'vitest';
import { newSimWorld } from '../../../../test/contract/sim-world.ts';
import { writeU32 } from '../../../base/bytes.ts';
import { SimSwarmStore } from '../../../platform/sim/index.ts';
import { type Clock, sleep } from '../../../ports/clock.ts';
import { CHANGE_GONE, ChangeReader } from '../../protocol/swarm-changes.ts';
import { LEECH, SEED } from '../table/peer-runs.ts';
import { SwarmTable } from '../table/swarm-table.ts';
import { StoreMirror } from './store-mirror.ts';
import { UntoldCompletions } from './untold-completions.ts';

const MOST_USED = 4096;
const IP = Uint8Array.of(203, 0, 113, 5);
/** Longer than from one try to reach a store to the next. */
const RETRIED_MS = 10_000;
const AGE_S = 2700;

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
  /** What it has written to the log. */
  readonly lines: readonly string[];
  /** So long, with a tick a second. */
  pass(seconds: number): Promise<void>;
}

/** What a store knows of a swarm: its completions, and who is there. */
async function knownOf(store: SimSwarmStore, infoHash: Uint8Array): Promise<{ completed: number; there: number[] }> {
  const link = await store.open(() => undefined);
  const asked = { changes: new Uint8Array(0), since: 0, completed: 0, keepMs: AGE_S * 1000, isUrgent: false };
  const { completed, changes } = await link.exchange({ infoHash, ...asked });
  link.close();
  const there: number[] = [];
  const reader = new ChangeReader(changes);
  while (reader.next()) if (reader.role !== CHANGE_GONE) there.push(reader.port);
  return { completed, there: there.sort() };
}

async function withMirror(latencyMs: number, body: (setting: Setting) => Promise<void>): Promise<void> {
  const world = newSimWorld();
  const { clock, random } = world.addHost({ ip: '10.9.0.1' }).env;
  const store = new SimSwarmStore({ clock, latencyMs });
  const table = SwarmTable.local(random, { maxSwarms: 100, maxPeers: 100 });
  const lines: string[] = [];
  const log = { write: (_level: string, message: string) => lines.push(message) };
  const rest = {
    log,
    mostUsed: MOST_USED,
    places: { place: 1, formerPlace: null },
    hear: null,
    giveUp: () => false,
    ageS: () => AGE_S,
  };
  const untold = new UntoldCompletions(UntoldCompletions.memory(1, random, false), 0);
  const mirror = new StoreMirror({ store, table, untold, clock, random, ...rest });
  const pass = async (seconds: number): Promise<void> => {
    for (let s = 0; s < seconds; s++) {
      await sleep(clock, 1000);
      mirror.tick();
    }
  };
  await world.run(
    mirror
      .open()
      .then(() => body({ mirror, store, table, clock, lines, pass }))
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

  it('asks less and less often for a swarm that the store refuses, and for others as ever', async () => {
    const [good, bad] = [1, 2];
    /** Exchanges that the store does, the tracker's signs of life among them, and those that it refuses. */
    const exchangesOf = async (asked: readonly number[], isRefused: boolean): Promise<readonly [number, number]> => {
      let counts: readonly [number, number] = [0, 0];
      await withMirror(1, async ({ mirror, store, table, clock, lines, pass }) => {
        for (const n of [good, bad]) join(table, n, clock);
        await pass(1);
        const before = store.exchanges;
        store.refuse(hash(bad), isRefused);
        for (let round = 0; round < 300; round++) {
          for (const n of asked) {
            if (!mirror.isFresh(hash(n))) await new Promise<void>((goOn) => mirror.wait(hash(n), { goOn }));
            mirror.announced(hash(n), IP, 1, LEECH, false);
            mirror.announced(hash(n), IP, 2, LEECH, false);
          }
          await pass(2);
        }
        counts = [store.exchanges - before, store.refusals];
        expect(lines).toHaveLength(isRefused ? 1 : 0);
        expect(mirror.isAway).toBe(false);
        store.refuse(hash(bad), false);
        await pass(310);
        expect(await knownOf(store, hash(asked.at(-1)!))).toMatchObject({ there: [1, 2] });
      });
      return counts;
    };
    const [alone, none] = await exchangesOf([good], false);
    const [withBad, refused] = await exchangesOf([good, bad], true);
    expect([none, withBad]).toEqual([0, alone]);
    expect(refused).toBeGreaterThan(5);
    expect(refused).toBeLessThan(25);
  });

  it('ends where the store refuses what it would still tell', async () => {
    await withMirror(1, async ({ mirror, store, pass }) => {
      store.refuse(hash(1));
      mirror.announced(hash(1), IP, 1, LEECH, false);
      await pass(1);
      mirror.announced(hash(1), IP, 2, LEECH, false);
    });
  });

  it('tells after a long outage who completed, and nobody as there who was silent for too long', async () => {
    await withMirror(1, async ({ mirror, store, pass }) => {
      store.goDown();
      mirror.announced(hash(1), IP, 1, SEED, true);
      mirror.left(hash(1), IP, 2);
      await pass(AGE_S + 100);
      mirror.announced(hash(1), IP, 3, SEED, true);
      store.comeBack();
      await pass(20);
      expect(await knownOf(store, hash(1))).toEqual({ completed: 2, there: [3] });
    });
  });
});
