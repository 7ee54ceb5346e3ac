// What a swarm table consists of, made over its memory: shards, locks, runs of peers, the walk that chooses among them.

import type { Random } from '../../../ports/random.ts';
import { AddressCounts } from '../address-counts.ts';
import type { Lock } from './lock.ts';
import { PeerRuns } from './peer-runs.ts';
import { PeerSets } from './peer-sets.ts';
import { PeerWalk } from './peer-walk.ts';
import type { Shard } from './shard.ts';
import { makeShard, shardWords } from './shard-layout.ts';
import { HASH_SEED, TableMemory } from './table-memory.ts';

/** One thread needs shards only so that memory moves in parts; of several two seldom meet in one of 64. */
const SHARDS_LOG2 = 4;
const SHARED_SHARDS_LOG2 = 6;

export interface TableLimits {
  /** More info hashes are refused: anyone may announce any, and memory ends. */
  readonly maxSwarms: number;
  readonly maxPeers: number;
  /** Peers of one answer at most. Default: 200. */
  readonly maxPicked?: number;
  /** Peer ids are kept with the peers: 20 bytes each. Default: false. */
  readonly keepsIds?: boolean;
}

/** Memory for a table of this thread alone, or of several; the table's hashes are keyed from now on. */
export function newTableMemory(random: Random, limits: TableLimits, isShared: boolean): TableMemory {
  const log2 = isShared ? SHARED_SHARDS_LOG2 : SHARDS_LOG2;
  const words = shardWords(limits.maxSwarms, log2) << log2;
  const memory = isShared ? TableMemory.newShared(words) : TableMemory.local(words);
  memory.control[HASH_SEED] = random.below(2 ** 32);
  return memory;
}

export class TableParts {
  readonly shardLog2: number;
  readonly shards: readonly Shard[];
  /** None on one thread. */
  readonly locks: readonly Lock[];
  /** Of the families, in their order. */
  readonly runs: readonly [PeerRuns, PeerRuns, PeerRuns];
  readonly walk: PeerWalk;
  readonly counts: AddressCounts;
  /** Threads that are no more. */
  readonly lost: Set<number> = new Set();

  constructor(memory: TableMemory, random: Random, limits: TableLimits) {
    const isShared = memory.shared !== null;
    const keepsIds = limits.keepsIds ?? false;
    const seed = memory.control[HASH_SEED]!;
    const runs = ([4, 16, 20] as const).map((keyLength) => new PeerRuns(memory, keyLength, keepsIds, seed));
    const sets = runs.map((each) => new PeerSets(memory, each));
    this.runs = [runs[0]!, runs[1]!, runs[2]!];
    this.walk = new PeerWalk(memory, random, limits.maxPicked ?? 200);
    this.counts = new AddressCounts(memory, memory.addressesAt);
    const shardLog2 = isShared ? SHARED_SHARDS_LOG2 : SHARDS_LOG2;
    const words = shardWords(limits.maxSwarms, shardLog2);
    const starts = Array.from({ length: 1 << shardLog2 }, (_, i) => memory.shardsAt + i * words);
    this.shardLog2 = shardLog2;
    this.shards = starts.map((at, i) =>
      makeShard(memory, limits.maxSwarms, shardLog2, at, i + 1, [sets[0]!, sets[1]!, sets[2]!], this.counts, this.lost),
    );
    this.locks = isShared ? starts.map((at) => memory.lock(at)) : [];
  }
}
