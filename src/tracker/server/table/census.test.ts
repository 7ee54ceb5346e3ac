import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes, toHex } from '../../../base/bytes.ts';
import { SeededRandom } from '../../../platform/sim/index.ts';
import { Census, CensusReader, CensusTaker } from './census.ts';
import { LEECH, PARTIAL_SEED, SEED } from './peer-runs.ts';
import { SwarmTable } from './swarm-table.ts';

const ip = Uint8Array.of(192, 0, 2, 1);

function take(table: SwarmTable, shows: ((hash: Uint8Array) => boolean) | null = null): Census {
  const access = shows === null ? null : { check: () => null, checkScrape: () => null, shows };
  const taker = new CensusTaker(table, access);
  for (;;) {
    const census = taker.step();
    if (census !== null) return census;
  }
}

function read(census: Census): string[] {
  const reader = new CensusReader(census);
  const out: string[] = [];
  while (reader.next()) {
    const { infoHash, seeds, leeches, downloaders, completed } = reader;
    out.push(`${toHex(infoHash)} ${seeds} ${leeches} ${downloaders} ${completed}`);
  }
  return out;
}

describe('a census', () => {
  it('has every swarm once, with its counts, in the order of the info hashes', () => {
    const table = SwarmTable.local(new SeededRandom(1, 'table'), { maxSwarms: 20_000, maxPeers: 100_000 });
    const random = new SeededRandom(2, 'hashes');
    const hashes = Array.from({ length: 2500 }, () => {
      const hash = new Uint8Array(20);
      random.fill(hash);
      // Long beginnings in common, as somebody might choose them.
      if (random.below(2) === 0) hash.fill(7, 0, 18);
      return hash;
    });
    for (const [n, hash] of hashes.entries()) {
      for (let port = 1; port <= 1 + (n % 3); port++) {
        const role = [SEED, LEECH, PARTIAL_SEED][port - 1]!;
        table.announce(hash, ip, port, role, port === 1 && n % 2 === 0, 0);
        table.exit();
      }
    }
    const census = take(table);
    expect(census.runs.length).toBeGreaterThan(2);
    const unique = new Map(hashes.map((hash) => [toHex(hash), hash]));
    const expected = [...unique.values()].sort(compareBytes).map((hash) => {
      const swarm = table.find(hash);
      const [seeds, leeches] = [table.seeds(swarm), table.leeches(swarm)];
      return `${toHex(hash)} ${seeds} ${leeches} ${leeches - table.partialSeeds(swarm)} ${table.completed(swarm)}`;
    });
    expect(read(census)).toEqual(expected);
    const some = read(take(table, (hash) => hash[19]! < 128));
    expect(some).toEqual(expected.filter((line) => Number.parseInt(line.slice(38, 40), 16) < 128));
  });

  it('tells of a swarm once that was found twice, and merges any runs', () => {
    const record = fc.nat(20).map((n) => Uint32Array.of(0x80000000 * (n % 2), 0, 0, 0, n, 1, n, n, 3));
    fc.assert(
      fc.property(fc.array(fc.array(record, { minLength: 1, maxLength: 20 }), { maxLength: 12 }), (lists) => {
        const key = (each: Uint32Array): string =>
          toHex(new Uint8Array(20).map((_, i) => (each[i >> 2]! >>> (24 - 8 * (i & 3))) & 255));
        const runs = lists.map((list) => {
          const sorted = [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1));
          return Uint32Array.from(sorted.flatMap((each) => [...each]));
        });
        const expected = [...new Set(lists.flat().map((each) => `${key(each)} 1 ${each[6]} ${each[7]} 3`))].sort();
        expect(read(new Census(runs))).toEqual(expected);
      }),
    );
  });

  it('of nothing is empty', () => {
    const table = SwarmTable.local(new SeededRandom(1, 'table'), { maxSwarms: 10, maxPeers: 10 });
    table.announce(new Uint8Array(20), ip, 1, LEECH, false, 0);
    table.exit();
    table.leave(new Uint8Array(20), ip, 1, 0);
    table.exit();
    expect(read(take(table))).toEqual([]);
  });
});
