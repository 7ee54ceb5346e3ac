// All that a swarm table holds, as text, for comparing.

import { Address } from '../../src/base/address.ts';
import { toHex } from '../../src/base/bytes.ts';
import { ageIn, roleIn, timeOf } from '../../src/tracker/server/table/peer-runs.ts';
import { ROOT } from '../../src/tracker/server/table/swarm-records.ts';
import type { SwarmTable } from '../../src/tracker/server/table/swarm-table.ts';
import { SEGMENT_WORDS } from '../../src/tracker/server/table/table-memory.ts';

/** `address role ageS` of every peer by the info hash of its swarm, sorted. */
export function dumpSwarms(table: SwarmTable, nowS: number): Map<string, string[]> {
  const out = new Map<string, string[]>();
  for (let shard = 0; shard < table.shardCount; shard++) {
    table.enterShard(shard);
    const { records } = table.shard;
    for (let swarm = 0; swarm < records.end; swarm++) {
      if (records.isFree(swarm)) continue;
      const hash = new Uint8Array(20);
      records.readHash(swarm, hash);
      out.set(toHex(hash), [...peersOf(table, swarm, 0, nowS), ...peersOf(table, swarm, 1, nowS)].sort());
    }
    table.exit();
  }
  return out;
}

function peersOf(table: SwarmTable, swarm: number, family: 0 | 1, nowS: number): string[] {
  const { shard } = table;
  const set = shard.sets[family];
  const root = shard.records.get(swarm, ROOT + family);
  const shape = shard.records.shape(swarm, family);
  const { runs } = set;
  const out: string[] = [];
  const compact = new Uint8Array(runs.keyLength + 2);
  const numbers = new DataView(compact.buffer);
  for (let slot = 0; slot < shard.slots(swarm, family); slot++) {
    const run = set.runAt(root, shape, slot);
    if (run === 0) continue;
    const tail = runs.tailOf(run, set.slotIn(shape, slot));
    if (tail === 0) continue;
    runs.write(table.memory.view(run), (run % SEGMENT_WORDS) + set.slotIn(shape, slot) * runs.words, numbers, 0);
    const [address] = Address.listFromCompact(compact, family === 0 ? 4 : 6);
    out.push(`${address} ${roleIn(tail)} ${ageIn(tail, timeOf(nowS))}`);
  }
  return out;
}
