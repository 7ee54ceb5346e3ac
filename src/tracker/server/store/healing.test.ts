import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../platform/sim/index.ts';
import { ChangeReader, MAX_STORED_AGE_S } from '../../protocol/swarm-changes.ts';
import { LEECH } from '../table/peer-runs.ts';
import { SwarmTable } from '../table/swarm-table.ts';
import { Healing } from './healing.ts';

const NOW_S = 20_000;
const HASH: Uint8Array = new Uint8Array(20).fill(1);

/** Ages of the peers that are told, by port; peers of these ages are in the table, with ports from 1 on. */
function toldOf(agesS: readonly number[]): ReadonlyMap<number, number> {
  const table = SwarmTable.local(new SeededRandom(1, 'table'), { maxSwarms: 10, maxPeers: 100 });
  for (const [i, ageS] of agesS.entries()) {
    table.announce(HASH, Uint8Array.of(203, 0, 113, 5), i + 1, LEECH, false, NOW_S - ageS);
    table.exit();
  }
  const told = new Map<number, number>();
  const healing = new Healing(table, 1);
  for (let request = healing.next(NOW_S, 30_000_000); request; request = healing.next(NOW_S, 30_000_000)) {
    const reader = new ChangeReader(request.changes);
    while (reader.next()) told.set(reader.port, reader.ageS);
  }
  return told;
}

describe('what a store is told after an outage', () => {
  it('is never newer than it is', () => {
    const ages = [0, 1, 7, 8, 100, 8000];
    const told = toldOf(ages);
    for (const [i, ageS] of ages.entries()) expect(told.get(i + 1)).toBeGreaterThanOrEqual(ageS);
  });

  it('is not what is older than a store can say', () => {
    expect([...toldOf([100, MAX_STORED_AGE_S + 1, 15_000, 8000]).keys()].sort()).toEqual([1, 4]);
  });
});
