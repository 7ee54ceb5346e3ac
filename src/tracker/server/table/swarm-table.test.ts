import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dumpSwarms } from '../../../../test/support/swarm-dump.ts';
import { Address } from '../../../base/address.ts';
import { toHex } from '../../../base/bytes.ts';
import { SeededRandom } from '../../../platform/sim/index.ts';
import { LEECH, PARTIAL_SEED, SEED } from './peer-runs.ts';
import { SwarmTable } from './swarm-table.ts';
import { Sweep } from './sweep.ts';

const LIMITS = { maxSwarms: 1000, maxPeers: 100_000 };
const newTable = (seed = 1, limits = LIMITS): SwarmTable => SwarmTable.local(new SeededRandom(seed, 'table'), limits);
const hashOf = (n: number): Uint8Array => new Uint8Array(20).fill(n);
const peerOf = (n: number, family: 4 | 6 = 4): Address => {
  const ip = new Uint8Array(family === 4 ? 4 : 16).fill(7);
  ip[2] = n >> 8;
  ip[3] = n;
  return new Address(ip, 1 + (n % 3));
};

function pick(
  table: SwarmTable,
  hash: number,
  family: 4 | 6,
  asker: Address,
  wanted: number,
  seedsToo = true,
): string[] {
  const into = new Uint8Array(wanted * (family === 4 ? 6 : 18));
  const count = table.pick(
    table.find(hashOf(hash)),
    family,
    asker.ip,
    asker.port,
    wanted,
    seedsToo,
    null,
    new DataView(into.buffer),
    0,
    null,
  );
  table.exit();
  return Address.listFromCompact(into.subarray(0, (count * into.length) / wanted), family).map(String);
}

interface ModelPeer {
  address: Address;
  role: number;
  heardS: number;
}

const MAX_AGE_S = 96;

const command = fc.oneof(
  fc.record({
    kind: fc.constant('announce' as const),
    hash: fc.nat(4),
    peer: fc.nat(40),
    family: fc.constantFrom(4 as const, 6 as const),
    role: fc.constantFrom(LEECH, PARTIAL_SEED, SEED),
    completes: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('leave' as const),
    hash: fc.nat(4),
    peer: fc.nat(40),
    family: fc.constantFrom(4 as const, 6 as const),
  }),
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.constantFrom(8, 40, 200) }),
);

/** The table must hold exactly what a map of maps holds. */
function check(table: SwarmTable, model: ReadonlyMap<number, Map<string, ModelPeer>>, nowS: number): void {
  let [peers, seeds] = [0, 0];
  const found = dumpSwarms(table, nowS);
  for (const [hash, swarm] of model) {
    const expected = [...swarm.values()].map((each) => {
      const ageS = (Math.floor(nowS / 8) - Math.floor(each.heardS / 8)) * 8;
      return `${each.address} ${each.role} ${ageS}`;
    });
    expect(found.get(toHex(hashOf(hash))) ?? []).toEqual(expected.sort());
    const roles = [...swarm.values()].map((each) => each.role);
    peers += roles.length;
    seeds += roles.filter((role) => role === SEED).length;
    const number = table.find(hashOf(hash));
    if (number >= 0) {
      expect(table.seeds(number)).toBe(roles.filter((role) => role === SEED).length);
      expect(table.leeches(number)).toBe(roles.filter((role) => role !== SEED).length);
      expect(table.partialSeeds(number)).toBe(roles.filter((role) => role === PARTIAL_SEED).length);
    }
    table.exit();
  }
  expect([table.peerCount, table.seedCount]).toEqual([peers, seeds]);
}

describe('the swarm table', () => {
  it.each(['one thread', 'several'])(
    'of %s holds what a map of maps holds, whatever comes, goes and falls silent',
    (threads) => {
      fc.assert(
        fc.property(fc.array(command, { maxLength: 120 }), fc.nat(), (commands, seed) => {
          const table =
            threads === 'one thread' ? newTable(seed) : SwarmTable.newShared(new SeededRandom(seed, 'table'), LIMITS);
          const sweep = new Sweep(table);
          const model = new Map<number, Map<string, ModelPeer>>();
          let nowS = 1000;
          for (const each of commands) {
            if (each.kind === 'wait') {
              nowS += each.seconds;
              for (const swarm of model.values()) {
                for (const [key, peer] of swarm) {
                  if ((Math.floor(nowS / 8) - Math.floor(peer.heardS / 8)) * 8 > MAX_AGE_S) swarm.delete(key);
                }
              }
              // Removing moves peers across the sweep's place, so a second round may be needed to see them all.
              for (let i = 0; i < 40; i++) sweep.run(nowS, MAX_AGE_S, 25);
              continue;
            }
            const swarm = model.get(each.hash) ?? new Map<string, ModelPeer>();
            model.set(each.hash, swarm);
            const address = peerOf(each.peer, each.family);
            if (each.kind === 'leave') {
              table.leave(hashOf(each.hash), address.ip, address.port, nowS);
              table.exit();
              swarm.delete(address.key);
            } else {
              table.announce(hashOf(each.hash), address.ip, address.port, each.role, each.completes, nowS);
              table.exit();
              swarm.set(address.key, { address, role: each.role, heardS: nowS });
            }
          }
          check(table, model, nowS);
        }),
        { numRuns: 100 },
      );
    },
  );

  it('hands out each peer once, never the asker, and all of them when there are few', () => {
    const table = newTable();
    for (let n = 0; n < 30; n++) table.announce(hashOf(1), peerOf(n).ip, peerOf(n).port, LEECH, false, 0);
    const others = Array.from({ length: 29 }, (_, n) => peerOf(n + 1).key).sort();
    expect(pick(table, 1, 4, peerOf(0), 50).sort()).toEqual(others);
    for (let i = 0; i < 100; i++) {
      const some = pick(table, 1, 4, peerOf(0), 10);
      expect(new Set(some).size).toBe(10);
      expect(some).not.toContain(peerOf(0).key);
    }
  });

  it('hands out all peers about equally often, in sparse and in crowded runs', () => {
    for (const peers of [20, 70, 200]) {
      const table = newTable(peers);
      for (let n = 0; n < peers; n++) table.announce(hashOf(1), peerOf(n).ip, peerOf(n).port, LEECH, false, 0);
      const times = new Map<string, number>();
      const rounds = 100 * peers;
      for (let i = 0; i < rounds; i++) {
        for (const key of pick(table, 1, 4, peerOf(9999), 5)) times.set(key, (times.get(key) ?? 0) + 1);
      }
      expect(times.size).toBe(peers);
      // 500 expected each; gaps in a run favour those behind them a little.
      for (const count of times.values()) expect(Math.abs(count - 500)).toBeLessThan(200);
    }
  });

  it('puts each first about equally often where all are wanted, and leaves each out where one must be', () => {
    const table = newTable(3);
    const peers = [1, 2, 3, 4, 5].map((n) => peerOf(n, 6));
    for (const { ip, port } of peers) {
      table.announce(hashOf(1), ip, port, LEECH, false, 0);
      table.exit();
    }
    const [first, out] = [new Map<string, number>(), new Map<string, number>()];
    const asker = peerOf(9, 4);
    const count = (map: Map<string, number>, key: string): unknown => map.set(key, (map.get(key) ?? 0) + 1);
    for (let i = 0; i < 5000; i++) {
      const four = pick(table, 1, 6, asker, 4);
      expect(four).toHaveLength(4);
      const left = peers.map(String).filter((peer) => !four.includes(peer));
      count(out, left[0]!);
      count(first, pick(table, 1, 6, asker, 5)[0]!);
    }
    for (const map of [first, out]) {
      expect(map.size).toBe(5);
      for (const times of map.values()) expect(Math.abs(times - 1000)).toBeLessThan(350);
    }
  });

  it('hands leeches only to those that download no more', () => {
    const table = newTable();
    for (const [n, role] of [SEED, PARTIAL_SEED, LEECH, SEED].entries()) {
      table.announce(hashOf(1), peerOf(n).ip, peerOf(n).port, role, false, 0);
    }
    expect(pick(table, 1, 4, peerOf(0), 50, false)).toEqual([peerOf(2).key]);
    expect(pick(table, 1, 4, peerOf(2), 50, true)).toHaveLength(3);
  });

  it('counts a completion once, also when the seed says so again', () => {
    const table = newTable();
    const { ip, port } = peerOf(1);
    table.announce(hashOf(1), ip, port, LEECH, false, 0);
    for (let i = 0; i < 3; i++) table.announce(hashOf(1), ip, port, SEED, true, 0);
    expect(table.completed(table.find(hashOf(1)))).toBe(1);
  });

  it('forgets an empty swarm, but the count of completions only after a day', () => {
    const table = newTable();
    const { ip, port } = peerOf(1);
    table.announce(hashOf(1), ip, port, LEECH, false, 100);
    table.announce(hashOf(2), ip, port, SEED, true, 100);
    for (const hash of [1, 2]) table.leave(hashOf(hash), ip, port, 200);
    const sweep = new Sweep(table);
    sweep.run(300, 1000);
    expect(table.find(hashOf(1))).toBe(-1);
    expect(table.completed(table.find(hashOf(2)))).toBe(1);
    sweep.run(200 + 25 * 3600, 1000);
    expect(table.find(hashOf(2))).toBe(-1);
    expect(table.swarmCount).toBe(0);
  });

  it('refuses more swarms and peers than it may hold', () => {
    const table = newTable(1, { maxSwarms: 2, maxPeers: 3 });
    const announce = (hash: number, n: number): number =>
      table.announce(hashOf(hash), peerOf(n).ip, peerOf(n).port, LEECH, false, 0);
    expect(announce(1, 1)).toBeGreaterThanOrEqual(0);
    expect(announce(2, 1)).toBeGreaterThanOrEqual(0);
    expect(announce(3, 1)).toBe(-1);
    expect(announce(2, 2)).toBeGreaterThanOrEqual(0);
    expect(announce(2, 3)).toBe(-1);
    expect(announce(2, 2)).toBeGreaterThanOrEqual(0);
    expect(table.peerCount).toBe(3);
  });
});
