import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../platform/sim/random.ts';
import { LEECH, SEED } from '../table/peer-runs.ts';
import { NO_ROOM, SwarmTable, TOO_MANY } from '../table/swarm-table.ts';
import { Sweep } from '../table/sweep.ts';
import { TAKEN, WebPeers } from './web-peers.ts';

const HASH = new Uint8Array(20).fill(7);
const IP = Uint8Array.of(203, 0, 113, 5);
const id = (n: number): Uint8Array =>
  new Uint8Array(20)
    .fill(0x41)
    .fill(n >>> 8, 18, 19)
    .fill(n & 255, 19);
const newTable = (): SwarmTable =>
  SwarmTable.newShared(new SeededRandom(1, 'table'), { maxSwarms: 10_000, maxPeers: 5000 });

function announce(
  table: SwarmTable,
  peers: WebPeers,
  n: number,
  connection: number,
  role: number = LEECH,
  { completes = false, nowS = 0, hash = HASH }: { completes?: boolean; nowS?: number; hash?: Uint8Array } = {},
): number {
  const limits = { perSwarm: 3000, overall: 4000 };
  const swarm = peers.announce(hash, id(n), connection, table.addressHash(IP), role, completes, nowS, limits);
  table.exit();
  return swarm;
}

/** Connections of all that are chosen. */
function pick(table: SwarmTable, peers: WebPeers, n: number, wanted: number, seedsToo = true): number[] {
  const count = peers.pick(table.find(HASH), id(n), wanted, seedsToo);
  table.exit();
  return [...peers.connections.subarray(0, count)];
}

describe('web peers', () => {
  it('count like others, and are chosen for each other alone', () => {
    const table = newTable();
    const peers = new WebPeers(table, 1, 10);
    announce(table, peers, 1, 101);
    announce(table, peers, 2, 102, SEED);
    table.announce(HASH, IP, 6881, LEECH, false, 0);
    table.exit();
    const swarm = table.find(HASH);
    expect([table.seeds(swarm), table.leeches(swarm)]).toEqual([1, 2]);
    const into = new DataView(new ArrayBuffer(200));
    expect(table.pick(swarm, 4, Uint8Array.of(1, 2, 3, 4), 1, 10, true, null, into, 0, null)).toBe(1);
    table.exit();
    expect(pick(table, peers, 1, 10)).toEqual([102]);
    expect(pick(table, peers, 2, 10, false)).toEqual([101]);
    expect(pick(table, peers, 1, 10, false)).toEqual([]);
    expect(table.peerCount).toBe(3);
  });

  it('hold their peer id against other connections and other threads, and leave by themselves alone', () => {
    const table = newTable();
    const peers = new WebPeers(table, 1, 10);
    const others = new WebPeers(table, 2, 10);
    announce(table, peers, 1, 101);
    expect(announce(table, peers, 1, 102)).toBe(TAKEN);
    expect(announce(table, others, 1, 101)).toBe(TAKEN);
    others.leave(HASH, id(1), 101, 0);
    table.exit();
    expect(others.find(HASH, id(1))).toBe(true);
    expect([others.threads[0], others.connections[0]]).toEqual([1, 101]);
    expect(announce(table, peers, 1, 102, LEECH, { hash: new Uint8Array(20) })).toBeGreaterThanOrEqual(0);
    peers.leave(HASH, id(1), 101, 0);
    table.exit();
    expect(announce(table, others, 1, 101)).toBeGreaterThanOrEqual(0);
    expect(table.peerCount).toBe(2);
  });

  it('count as completed once, and fall under the limits of their address', () => {
    const table = newTable();
    const peers = new WebPeers(table, 1, 10);
    announce(table, peers, 1, 101);
    for (let i = 0; i < 3; i++) announce(table, peers, 1, 101, SEED, { completes: true });
    expect(table.completed(table.find(HASH))).toBe(1);
    table.exit();
    for (let n = 2; n <= 3000; n++) announce(table, peers, n, n);
    expect(announce(table, peers, 3001, 3001)).toBe(TOO_MANY);
    peers.leave(HASH, id(2), 2, 0);
    table.exit();
    expect(announce(table, peers, 3001, 3001)).toBeGreaterThanOrEqual(0);
    // Others of this address, of all kinds, count with them.
    for (let port = 1; port <= 1000; port++) {
      table.announce(new Uint8Array(20), IP, port, LEECH, false, 0);
      table.exit();
    }
    expect(announce(table, peers, 9, 9, LEECH, { hash: new Uint8Array(20).fill(9) })).toBe(TOO_MANY);
    for (let port = 1; port <= 1000; port++) {
      table.announce(new Uint8Array(20), Uint8Array.of(9, 9, 9, 9), port, LEECH, false, 0);
      table.exit();
    }
    expect(table.peerCount).toBe(5000);
    expect(table.announce(HASH, Uint8Array.of(9, 9, 9, 8), 1, LEECH, false, 0)).toBe(NO_ROOM);
  });

  it('are forgotten when they fall silent, or with their thread, and the swarm with them', () => {
    const table = newTable();
    const peers = new WebPeers(table, 1, 10);
    const others = new WebPeers(table, 2, 10);
    for (let n = 1; n <= 1500; n++) announce(table, n % 2 ? peers : others, n, n);
    const lost: string[] = [];
    const sweep = (nowS: number): void => {
      const each = new Sweep(table, {
        isSilent: () => true,
        lost: (infoHash, peerId) => lost.push(`${infoHash} ${peerId}`),
      });
      while (each.run(nowS, 100) < 1);
    };
    table.recover(2);
    sweep(40);
    expect(table.peerCount).toBe(750);
    const even = Array.from({ length: 750 }, (_, i) => `${HASH} ${id(2 * i + 2)}`);
    expect(lost.splice(0).sort()).toEqual(even.sort());
    expect(pick(table, peers, 1, 10).every((connection) => connection % 2 === 1)).toBe(true);
    for (let nowS = 200; table.swarmCount > 0 && nowS < 2000; nowS += 40) sweep(nowS);
    expect([table.peerCount, table.swarmCount, lost]).toEqual([0, 0, []]);
  });
});
