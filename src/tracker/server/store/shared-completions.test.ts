// Threads of one tracker over one table, each with a mirror of its own, and a store that goes away and comes back.

import { describe, expect, it } from 'vitest';
import { newSimWorld } from '../../../../test/contract/sim-world.ts';
import { writeU32 } from '../../../base/bytes.ts';
import { SeededRandom, SimSwarmStore } from '../../../platform/sim/index.ts';
import { type Clock, sleep } from '../../../ports/clock.ts';
import { silentLog } from '../../../ports/log.ts';
import type { Random } from '../../../ports/random.ts';
import { LEECH, SEED } from '../table/peer-runs.ts';
import { SwarmTable } from '../table/swarm-table.ts';
import { StoreMirror } from './store-mirror.ts';
import { UntoldCompletions } from './untold-completions.ts';

const HASH = new Uint8Array(20).fill(5);
const LIMITS = { maxSwarms: 100, maxPeers: 10_000 };
const TABLE_SEED = 4;

/** One thread of a tracker. */
class Thread {
  readonly mirror: StoreMirror;
  readonly #table: SwarmTable;
  readonly #clock: Clock;

  constructor(table: SwarmTable, untold: UntoldCompletions, store: SimSwarmStore, clock: Clock, random: Random) {
    const rest = {
      log: silentLog,
      mostUsed: 1024,
      places: { place: 1, formerPlace: null },
      hear: null,
      giveUp: () => false,
      ageS: () => 2700,
    };
    this.mirror = new StoreMirror({ store, table, untold, clock, random, ...rest });
    this.#table = table;
    this.#clock = clock;
  }

  announce(peer: number, role: number, completes = false): void {
    const ip = ipOf(peer);
    const table = this.#table;
    const swarm = table.announce(HASH, ip, 6881, role, completes, this.#clock.nowMs() / 1000);
    expect(swarm).toBeGreaterThanOrEqual(0);
    this.mirror.announced(HASH, ip, 6881, role, completes && table.shard.counted);
    table.exit();
  }

  leave(peer: number): void {
    this.mirror.left(HASH, ipOf(peer), 6881);
    this.#table.leave(HASH, ipOf(peer), 6881, this.#clock.nowMs() / 1000);
    this.#table.exit();
  }

  get completed(): number {
    const swarm = this.#table.find(HASH);
    const completed = swarm < 0 ? 0 : this.#table.completed(swarm);
    this.#table.exit();
    return completed;
  }
}

function ipOf(peer: number): Uint8Array {
  const ip = new Uint8Array(4);
  writeU32(ip, 0, 0x0a000001 + peer);
  return ip;
}

interface Setting {
  readonly threads: readonly Thread[];
  /** Of another tracker with the store. */
  readonly other: Thread;
  readonly store: SimSwarmStore;
  /** So long, with a tick of all threads a second. */
  pass(seconds: number): Promise<void>;
}

async function withThreads(seed: number, body: (setting: Setting) => Promise<void>): Promise<void> {
  const world = newSimWorld({ seed });
  const { clock, random } = world.addHost({ ip: '10.9.0.1' }).env;
  const store = new SimSwarmStore({ clock });
  const first = SwarmTable.newShared(random, LIMITS);
  const memory = UntoldCompletions.memory(2, random, true);
  const tables = [first, SwarmTable.open(first.memory.shared!, random, LIMITS)];
  const threads = tables.map(
    (table, row) => new Thread(table, new UntoldCompletions(memory, row), store, clock, random),
  );
  const own = new UntoldCompletions(UntoldCompletions.memory(1, random, false), 0);
  const other = new Thread(SwarmTable.local(random, LIMITS), own, store, clock, random);
  const all = [...threads, other];
  await world.run(
    (async () => {
      for (const { mirror } of all) await mirror.open();
      await body({
        threads,
        other,
        store,
        async pass(seconds) {
          for (let s = 0; s < seconds; s++) {
            await sleep(clock, 1000);
            for (const { mirror } of all) mirror.tick();
          }
        },
      });
      for (const { mirror } of all) await mirror.close();
    })(),
  );
  expect(world.leaks()).toEqual([]);
}

/** What the store counts, as a tracker hears that has just come. */
async function countOf(store: SimSwarmStore): Promise<number> {
  const link = await store.open(() => undefined);
  const nothing = { changes: new Uint8Array(0), since: -1, completed: 0, keepMs: 60_000, isUrgent: false };
  const { completed } = await link.exchange({ infoHash: HASH, ...nothing });
  link.close();
  return completed;
}

describe('completions of several threads and trackers', () => {
  // Which of the threads reaches the store first is the seed's.
  /** The first three had news of one second in another order. */
  const chances = [210, 264, 272, 100, 101, 102, 103, 104];
  const seeds = Array.from({ length: 12 }, (_, n) => n + TABLE_SEED);

  it.each(seeds)('count once each when the store was away, seed %i', (seed) =>
    withThreads(seed, async ({ threads, other, store, pass }) => {
      for (let peer = 0; peer < 9; peer++) [...threads, other][peer % 3]!.announce(peer, LEECH);
      threads[0]!.announce(0, SEED, true);
      await pass(3);
      store.goDown();
      await pass(2);
      // At each two that complete, of which one leaves.
      for (const [at, peer] of [
        [1, 1],
        [1, 4],
        [0, 3],
        [0, 6],
      ] as const)
        threads[at]!.announce(peer, SEED, true);
      other.announce(2, SEED, true);
      // At two trackers, and without its event at another thread.
      other.announce(1, SEED, true);
      threads[0]!.announce(4, SEED);
      threads[1]!.leave(4);
      threads[0]!.leave(6);
      await pass(2);
      store.comeBack();
      await pass(20);
      // Who asks brings the copies up to date.
      for (const thread of [...threads, other]) thread.announce(8, LEECH);
      await pass(3);
      for (const thread of [...threads, other]) thread.announce(8, LEECH);
      await pass(3);
      expect(await countOf(store)).toBe(6);
      expect([...threads, other].map(({ completed }) => completed)).toEqual([6, 6, 6]);
    }),
  );

  it.each(seeds.slice(0, 4))('count once each when the store has forgotten everything, seed %i', (seed) =>
    withThreads(seed, async ({ threads, store, pass }) => {
      for (let peer = 0; peer < 6; peer++) threads[peer % 2]!.announce(peer, SEED, true);
      await pass(3);
      expect(await countOf(store)).toBe(6);
      store.goDown();
      store.forgetAll();
      await pass(1);
      for (let peer = 6; peer < 10; peer++) threads[peer % 2]!.announce(peer, SEED, true);
      store.comeBack();
      await pass(20);
      expect(await countOf(store)).toBe(10);
      expect(threads.map(({ completed }) => completed)).toEqual([10, 10]);
    }),
  );

  it('are right at any time while they are told', () =>
    withThreads(TABLE_SEED, async ({ threads, other, pass }) => {
      other.announce(1000, SEED, true);
      for (let peer = 0; peer < 40; peer++) {
        threads[peer % 2]!.announce(peer, SEED, true);
        expect(threads[0]!.completed).toBeGreaterThan(peer);
        expect(threads[0]!.completed).toBeLessThan(peer + 3);
        if (peer % 3 === 0) await pass(1);
      }
      await pass(3);
      expect(threads[0]!.completed).toBe(41);
    }));

  it.each(chances)('count once each whatever happens, seed %i', (seed) =>
    withThreads(seed, async ({ threads, other, store, pass }) => {
      const random = new SeededRandom(seed, 'what happens');
      const all = [...threads, other];
      const any = (): Thread => all[random.below(3)]!;
      const done = new Set<number>();
      for (let n = 0; n < 150; n++) {
        const peer = random.below(40);
        const what = random.below(20);
        if (what < 5) done.has(peer) ? any().announce(peer, SEED) : any().announce(peer, LEECH);
        else if (what < 12 && !done.has(peer)) {
          any().announce(peer, SEED, true);
          if (random.below(3) === 0) any().announce(peer, SEED, true);
          done.add(peer);
        } else if (what < 13) any().leave(peer);
        else if (what < 15) await pass(random.below(4));
        else if (what === 15) store.goDown();
        else if (what === 16) store.fallSilent();
        else if (what < 19) store.comeBack();
      }
      store.comeBack();
      await pass(30);
      for (let n = 0; n < 2; n++) {
        for (const thread of all) thread.announce(1000, LEECH);
        await pass(3);
      }
      expect(await countOf(store)).toBe(done.size);
      expect(all.map(({ completed }) => completed)).toEqual([done.size, done.size, done.size]);
    }),
  );
});
