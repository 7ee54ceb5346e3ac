// The swarm table when it is large: the memory it takes and gives back, and the work of a single call.

import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/platform/sim/index.ts';
import { sleep } from '../../src/ports/clock.ts';
import { LEECH, SEED } from '../../src/tracker/server/peer-runs.ts';
import { TrackerServer } from '../../src/tracker/server/server.ts';
import { saveSwarms } from '../../src/tracker/server/snapshot.ts';
import { SwarmTable } from '../../src/tracker/server/swarm-table.ts';
import { Sweep } from '../../src/tracker/server/sweep.ts';
import { newSimWorld } from '../contract/sim-world.ts';
import { dumpSwarms } from '../support/swarm-dump.ts';

const newTable = (keepsIds = false): SwarmTable =>
  SwarmTable.local(new SeededRandom(1, 'table'), { maxSwarms: 2e6, maxPeers: 2e6, keepsIds });

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

  it('hands out the peers of a large swarm alike, each once', () => {
    const table = newTable();
    const peers = 3000;
    for (let n = 0; n < peers; n++) announce(table, 1, n, 0);
    const times = new Uint32Array(peers);
    const into = new Uint8Array(300);
    for (let i = 0; i < 6000; i++) {
      const count = table.pick(table.find(hash), 4, ip4, 1, 50, true, null, into, 0, null);
      const seen = new Set<number>();
      for (let at = 0; at < 300; at += 6) seen.add(new DataView(into.buffer).getUint32(at));
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
        await sleep(clock, 60_000 + 33_000);
        expect(tracker.stats()).toMatchObject({ peers: 500_000, seeds: 120_000, swarms });
        for (let swarm = 0; swarm < swarms; swarm++) {
          hashView.setUint32(4, swarm);
          const { seeds, leeches } = tracker.counts(hash);
          if (seeds !== 12 || leeches !== 38) expect.fail(`swarm ${swarm} is not right: ${seeds} and ${leeches}`);
        }
        await sleep(clock, 33_000);
        expect(tracker.stats().memoryBytes).toBeLessThan(full * 0.7);
        await sleep(clock, 120_000);
        expect(tracker.stats()).toMatchObject({ peers: 0, seeds: 0, swarms: 0, memoryBytes: 0 });
        await tracker.close();
      })(),
    );
    expect(world.leaks()).toEqual([]);
  });

  it('of as many torrents fits in 256 MiB', () => {
    const table = newTable();
    for (let swarm = 0; swarm < 1_000_000; swarm++) announce(table, swarm, 1, 0);
    expect([table.swarmCount, table.peerCount]).toEqual([1_000_000, 1_000_000]);
    expect(table.memoryBytes + table.memory.control.byteLength).toBeLessThan(256 * 1024 * 1024);
  });
});

function setIp(n: number): Uint8Array {
  new DataView(ip4.buffer).setUint32(0, n);
  return ip4;
}
