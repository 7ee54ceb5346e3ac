import { describe, expect, it } from 'vitest';
import { dumpSwarms } from '../../../../test/support/swarm-dump.ts';
import { SeededRandom } from '../../../platform/sim/index.ts';
import { LEECH, SEED } from './peer-runs.ts';
import { restorePart, StateWriter } from './state.ts';
import { SwarmTable } from './swarm-table.ts';
import { Sweep } from './sweep.ts';

const newTable = (seed = 1, keepsIds = false): SwarmTable =>
  SwarmTable.local(new SeededRandom(seed, 'table'), { maxSwarms: 100_000, maxPeers: 100_000, keepsIds });
const hashOf = (n: number): Uint8Array => new Uint8Array(20).fill(n);

function filled(keepsIds = false): SwarmTable {
  const table = newTable(1, keepsIds);
  for (let n = 0; n < 20; n++) {
    for (const length of [4, 16]) {
      const ip = new Uint8Array(length).fill(n + 1);
      table.announce(
        hashOf(n % 3),
        ip,
        6881,
        n % 2 === 0 ? SEED : LEECH,
        n % 2 === 0,
        10 * n,
        new Uint8Array(20).fill(n),
      );
    }
  }
  return table;
}

function save(table: SwarmTable, nowS: number, wallS: number): Uint8Array[] {
  const writer = new StateWriter(table);
  const parts: Uint8Array[] = [];
  for (let part = writer.next(nowS, wallS); part !== null; part = writer.next(nowS, wallS)) parts.push(part);
  return parts;
}

describe('the saved state', () => {
  it('brings all swarms back, with and without peer ids, also into a table that has none', () => {
    for (const [from, to] of [
      [false, false],
      [true, true],
      [true, false],
      [false, true],
    ] as const) {
      const table = filled(from);
      const again = newTable(2, to);
      for (const part of save(table, 200, 5000)) restorePart(part, again, 7, 5010, 1000);
      const withoutAges = (lines: Map<string, string[]>): unknown =>
        [...lines].map(([hash, peers]) => [hash, peers.map((line) => line.replace(/ \d+$/, ''))]).sort();
      expect(withoutAges(dumpSwarms(again, 7))).toEqual(withoutAges(dumpSwarms(table, 200)));
      for (let n = 0; n < 3; n++)
        expect(again.completed(again.find(hashOf(n)))).toBe(table.completed(table.find(hashOf(n))));
    }
  });

  it('is written in parts of bounded length, whatever the swarms are like', () => {
    const table = newTable();
    const [ip, hash] = [new Uint8Array(4), new Uint8Array(20)];
    for (let n = 0; n < 10_000; n++) {
      new DataView(ip.buffer).setUint32(0, n);
      new DataView(hash.buffer).setUint32(0, n < 8_000 ? 0 : n);
      table.announce(hash, ip, 1, LEECH, false, 0);
    }
    const parts = save(table, 0, 0);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(part.length).toBeLessThan(100_000);
    const again = newTable(2);
    for (const part of parts) restorePart(part, again, 0, 0, 1000);
    const lines = (each: SwarmTable): string => JSON.stringify([...dumpSwarms(each, 0)].sort());
    expect(lines(again) === lines(table)).toBe(true);
  });

  it('leaves out those that have been silent too long meanwhile', () => {
    const again = newTable(2);
    for (const part of save(filled(), 200, 5000)) restorePart(part, again, 0, 5060, 160);
    expect(again.peerCount).toBeGreaterThan(0);
    expect(again.peerCount).toBeLessThan(40);
    new Sweep(again).run(1000, 160);
    expect(again.peerCount).toBe(0);
  });

  it('that is cut off anywhere, of another version or garbage is a ShoalError', () => {
    const [bytes] = save(filled(), 200, 5000) as [Uint8Array];
    const table = newTable();
    let whole = 0;
    for (let length = 0; length < bytes.length; length++) {
      try {
        restorePart(bytes.subarray(0, length), table, 0, 5000, 1000);
        whole++;
      } catch (error) {
        expect(error).toMatchObject({ code: 'STATE_INVALID' });
      }
    }
    // The head alone, and the begin of each of six pieces but the first, are whole records.
    expect(whole).toBe(6);
    expect(() => restorePart(bytes.with(7, 9), newTable(), 0, 0, 1)).toThrowError(
      expect.objectContaining({ code: 'STATE_VERSION' }),
    );
  });
});
