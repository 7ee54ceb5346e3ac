// The swarm table when it is large: the memory it takes and gives back, and the work of a single call.

import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/platform/sim/index.ts';
import { type Clock, sleep } from '../../src/ports/clock.ts';
import { TrackerServer } from '../../src/tracker/server/server.ts';
import { CensusTaker } from '../../src/tracker/server/table/census.ts';
import { LEECH, SEED } from '../../src/tracker/server/table/peer-runs.ts';
import { saveSwarms } from '../../src/tracker/server/table/snapshot.ts';
import { StateWriter } from '../../src/tracker/server/table/state.ts';
import { SwarmTable } from '../../src/tracker/server/table/swarm-table.ts';
import { Sweep } from '../../src/tracker/server/table/sweep.ts';
import { newSimWorld } from '../contract/sim-world.ts';
import { dumpSwarms } from '../support/swarm-dump.ts';

const newTable = (keepsIds = false): SwarmTable =>
  SwarmTable.local(new SeededRandom(1, 'table'), { maxSwarms: 2e6, maxPeers: 2e6, keepsIds });

/** Of the budget of a call of the sweep each costs 8, and 1 for its slot; a run more may be looked at. */
const FORGOTTEN_A_TURN = 20_000 / 9 + 1024;

const hash = new Uint8Array(20);
const hashView = new DataView(hash.buffer);
const ip4 = new Uint8Array(4);
const ip6 = new Uint8Array(16);

/** Peer `n` of swarm `swarm` announces, or leaves. */
function announce(table: SwarmTable, swarm: number, n: number, nowS: number, ip: Uint8Array = ip4): void {
  hashView.setUint32(4, swarm);
  ip[0] = n >>> 24;
  ip[1] = n >>> 16;
  ip[2] = n >>> 8;
  ip[3] = n;
  table.announce(hash, ip, 6881, n % 4 === 0 ? SEED : LEECH, false, nowS);
}

function sweepFor(sweep: Sweep, fromS: number, seconds: number): number {
  let most = 0;
  for (let nowS = fromS; nowS < fromS + seconds; ) {
    nowS += sweep.run(nowS, 100);
    most = Math.max(most, sweep.looked);
  }
  return most;
}

describe('a large swarm table', () => {
  it('takes at most 32 bytes for an IPv4 peer and 64 for an IPv6 peer in swarms of fifty', () => {
    for (const [ip, bytes] of [
      [ip4, 32],
      [ip6, 64],
    ] as const) {
      const table = newTable();
      for (let swarm = 0; swarm < 2000; swarm++) for (let n = 0; n < 50; n++) announce(table, swarm, n, 0, ip);
      expect(table.peerCount).toBe(100_000);
      expect(table.memoryBytes / table.peerCount).toBeLessThan(bytes);
    }
  });

  it('forgets the half that falls silent within an age and a round, and gives their memory back', () => {
    const table = newTable();
    const sweep = new Sweep(table);
    for (let swarm = 0; swarm < 4000; swarm++) for (let n = 0; n < 100; n++) announce(table, swarm, n, 0);
    const full = table.memoryBytes;
    for (let swarm = 0; swarm < 4000; swarm++) for (let n = 0; n < 50; n++) announce(table, swarm, n, 80);
    const most = sweepFor(sweep, 110, 40);
    expect(most).toBeLessThan(21_000);
    expect([table.peerCount, table.seedCount]).toEqual([200_000, 52_000]);
    // Once round to shrink the sets, once more to move them together.
    sweepFor(sweep, 145, 33);
    expect(table.memoryBytes).toBeLessThan(full * 0.8);
    for (let swarm = 0; swarm < 4000; swarm++) {
      hashView.setUint32(4, swarm);
      const number = table.find(hash);
      if (table.seeds(number) !== 13 || table.leeches(number) !== 37) expect.fail(`swarm ${swarm} is not right`);
    }
    sweepFor(sweep, 300, 120);
    expect([table.peerCount, table.swarmCount, table.seedCount]).toEqual([0, 0, 0]);
    expect(table.memoryBytes).toBeLessThan(full * 0.2);
  });

  it('keeps a swarm of many thousands right while it grows, shrinks and ends', () => {
    const table = newTable();
    const sweep = new Sweep(table);
    for (let n = 0; n < 50_000; n++) announce(table, 1, n, n % 2 === 0 ? 80 : 0);
    expect([...dumpSwarms(table, 80).values()][0]).toHaveLength(50_000);
    const most = sweepFor(sweep, 110, 60);
    // A budget, and the run with which it was used up.
    expect(most).toBeLessThan(20_000 + 9 * 1024);
    expect([...dumpSwarms(table, 80).values()][0]).toHaveLength(25_000);
    expect(table.leeches(table.find(hash))).toBe(12_500);
    for (let n = 0; n < 50_000; n += 2) if (n > 100) table.leave(hash, setIp(n), 6881, 200);
    expect([...dumpSwarms(table, 80).values()][0]).toHaveLength(51);
    for (let round = 0; round < 20; round++) sweep.run(150, 100, 1e6);
    expect(table.memoryBytes).toBeLessThan(4 * 65_536);
    sweepFor(sweep, 400, 70);
    expect([table.swarmCount, table.memoryBytes]).toEqual([0, 0]);
  });

  it('forgets all that are silent in a large swarm within one round, however few are left', () => {
    for (const left of [0, 1, 4, 40]) {
      const table = newTable();
      const sweep = new Sweep(table);
      for (let n = 0; n < 50_000; n++) announce(table, 1, n, left > 0 && n % left === 0 ? 80 : 0);
      while (sweep.run(110, 100) < 1);
      expect(table.peerCount).toBe(left === 0 ? 0 : 50_000 / left);
    }
  });

  it('hands out the peers of a large swarm alike, each once', () => {
    const table = newTable();
    const peers = 3000;
    for (let n = 0; n < peers; n++) announce(table, 1, n, 0);
    const times = new Uint32Array(peers);
    const into = new DataView(new ArrayBuffer(300));
    for (let i = 0; i < 6000; i++) {
      const count = table.pick(table.find(hash), 4, ip4, 1, 50, true, null, into, 0, null);
      const seen = new Set<number>();
      for (let at = 0; at < 300; at += 6) seen.add(into.getUint32(at));
      if (count !== 50 || seen.size !== 50) expect([count, seen.size]).toEqual([50, 50]);
      for (const n of seen) times[n]!++;
    }
    for (const count of times) expect(Math.abs(count - 100)).toBeLessThan(60);
  });

  it('does no more in one call than a run has peers, however it grows', () => {
    // Calls that allocate a block copy at most one run: seen from outside, memory grows by no more than that and a page.
    const table = newTable();
    let before = 0;
    let most = 0;
    for (let n = 0; n < 100_000; n++) {
      announce(table, n % 3 === 0 ? n : 1, n, 0);
      most = Math.max(most, table.memoryBytes - before);
      before = table.memoryBytes;
    }
    expect(most).toBeLessThanOrEqual(3 * 65_536);
  });
});

// Seconds each; a machine that has much else to do needs longer.
describe('a tracker of a million peers', { timeout: 120_000 }, () => {
  it('counts right one interval after half of them have left without a word, and gives their memory back', async () => {
    const world = newSimWorld();
    const host = world.addHost({ name: 'tracker' });
    const stateKey = 'tracker/large';
    const [swarms, peers] = [10_000, 100];
    // As a tracker has saved it: half of the peers were heard 96 seconds before the others.
    const table = newTable();
    for (let swarm = 0; swarm < swarms; swarm++) {
      for (let n = 0; n < peers; n++) announce(table, swarm, n, n < peers / 2 ? 904 : 1000);
    }
    await world.run(
      (async () => {
        const { clock, store } = host.env;
        const before = { nowMs: () => 1_000_000, wallMs: () => clock.wallMs() };
        await saveSwarms({ store, clock: { ...clock, ...before }, key: stateKey }, table);
        const tracker = await TrackerServer.open(host.env, {
          listen: [{ ip: null, port: 0 }],
          stateKey,
          intervalS: 60,
        });
        expect(tracker.stats()).toMatchObject({ peers: 1_000_000, seeds: 250_000, swarms });
        const full = tracker.stats().memoryBytes;
        expect(full / 1_000_000).toBeLessThan(32);
        // Whoever misses an announce by half an interval is forgotten; a round of the sweep comes on top.
        const most = await mostForgotten(tracker, clock, 60_000 + 33_000);
        expect(most).toBeGreaterThan(0);
        expect(most).toBeLessThan(2 * FORGOTTEN_A_TURN);
        expect(tracker.stats()).toMatchObject({ peers: 500_000, seeds: 120_000, swarms });
        for (let swarm = 0; swarm < swarms; swarm++) {
          hashView.setUint32(4, swarm);
          const { seeds, leeches } = tracker.counts(hash);
          if (seeds !== 12 || leeches !== 38) expect.fail(`swarm ${swarm} is not right: ${seeds} and ${leeches}`);
        }
        await sleep(clock, 33_000);
        expect(tracker.stats().memoryBytes).toBeLessThan(full * 0.7);
        expect(await mostForgotten(tracker, clock, 120_000)).toBeLessThan(2 * FORGOTTEN_A_TURN);
        expect(tracker.stats()).toMatchObject({ peers: 0, seeds: 0, swarms: 0, memoryBytes: 0 });
        await tracker.close();
      })(),
    );
    expect(world.leaks()).toEqual([]);
  });

  it('does as much in a turn as a small one, whatever there is to do: expiry, moving house, saving, a census', () => {
    const table = newTable();
    const sweep = new Sweep(table);
    // Swarms of ninety, and a very large one.
    const fill = (every: number, nowS: number): void => {
      for (let swarm = 0; swarm < 10_000; swarm++) for (let n = 0; n < 90; n += every) announce(table, swarm, n, nowS);
      for (let n = 0; n < 100_000; n += every) announce(table, 10_000, n, nowS);
    };
    fill(1, 0);
    expect(table.peerCount).toBe(1_000_000);
    const most = { looked: 0, forgotten: 0, moved: 0 };
    const rounds = (fromS: number, seconds: number): void => {
      for (let nowS = fromS; nowS < fromS + seconds; ) {
        const { peerCount, memoryBytes } = table;
        nowS += sweep.run(nowS, 100);
        most.looked = Math.max(most.looked, sweep.looked);
        most.forgotten = Math.max(most.forgotten, peerCount - table.peerCount);
        most.moved = Math.max(most.moved, Math.abs(memoryBytes - table.memoryBytes));
      }
    };
    const full = table.memoryBytes;
    fill(2, 80);
    rounds(110, 68);
    expect([table.peerCount, table.swarmCount]).toEqual([500_000, 10_001]);
    expect(table.memoryBytes).toBeLessThan(full * 0.75);

    const writer = new StateWriter(table);
    let longest = 0;
    for (let part = writer.next(230, 230); part !== null; part = writer.next(230, 230)) {
      longest = Math.max(longest, part.length);
    }
    // Peers of eight bytes: 64 KiB, and the run with which they were reached.
    expect(longest).toBeGreaterThan(64 * 1024);
    expect(longest).toBeLessThan(64 * 1024 + 9 * 1024);
    const taker = new CensusTaker(table, null);
    let steps = 1;
    let census = taker.step();
    for (; census === null; census = taker.step()) steps++;
    expect(steps).toBeGreaterThanOrEqual(table.swarmCount / 1024);
    expect(Math.max(...census.runs.map((run) => run.length / 9))).toBeLessThanOrEqual(1024);

    rounds(400, 33);
    expect([table.peerCount, table.swarmCount]).toEqual([0, 1]);
    // The directory of the large one goes by a half a round.
    rounds(434, 300);
    expect([table.swarmCount, table.memoryBytes]).toEqual([0, 0]);
    // A budget, and the run with which it was used up; memory comes and goes a few segments at a time.
    expect(most.looked).toBeLessThan(20_000 + 9 * 1024);
    expect(most.forgotten).toBeLessThanOrEqual(FORGOTTEN_A_TURN);
    expect(most.moved).toBeLessThanOrEqual(64 * 65_536);
  });

  it('of as many torrents fits in 256 MiB', () => {
    const table = newTable();
    for (let swarm = 0; swarm < 1_000_000; swarm++) announce(table, swarm, 1, 0);
    expect([table.swarmCount, table.peerCount]).toEqual([1_000_000, 1_000_000]);
    expect(table.memoryBytes + table.memory.control.byteLength).toBeLessThan(256 * 1024 * 1024);
  });
});

/** Peers that the tracker forgot between two looks, which are as far apart as the calls of its sweep, at most. */
async function mostForgotten(tracker: TrackerServer, clock: Clock, ms: number): Promise<number> {
  let most = 0;
  for (const endMs = clock.nowMs() + ms; clock.nowMs() < endMs; ) {
    const { peers } = tracker.stats();
    await sleep(clock, 30);
    most = Math.max(most, peers - tracker.stats().peers);
  }
  return most;
}

function setIp(n: number): Uint8Array {
  new DataView(ip4.buffer).setUint32(0, n);
  return ip4;
}
