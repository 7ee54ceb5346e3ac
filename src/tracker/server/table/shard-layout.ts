// How the control words of a table are divided over its shards.
//
//   shard   lock | arena | records, with their pages | lookup, with its buckets

import type { AddressCounts } from '../address-counts.ts';
import { ARENA_WORDS, Arena } from './arena.ts';
import { type FamilySets, Shard } from './shard.ts';
import { bucketsLog2For, lookupWords, SwarmLookup } from './swarm-lookup.ts';
import { pagesFor, recordWords, SwarmRecords } from './swarm-records.ts';
import type { TableMemory } from './table-memory.ts';

/** A lock, with a cache line for itself: the first word of a shard. */
const LOCK_WORDS = 16;

/** Control words of one of 2^`shardLog2` shards of a table for `maxSwarms` swarms. */
export function shardWords(maxSwarms: number, shardLog2: number): number {
  const share = Math.ceil(maxSwarms / (1 << shardLog2));
  const words = LOCK_WORDS + ARENA_WORDS + recordWords(pagesFor(share)) + lookupWords(bucketsLog2For(share));
  return Math.ceil(words / LOCK_WORDS) * LOCK_WORDS;
}

/** The shard whose words begin at `at`; `owner`: its name on its segments; `lost`: threads that are no more. */
export function makeShard(
  memory: TableMemory,
  maxSwarms: number,
  shardLog2: number,
  at: number,
  owner: number,
  sets: FamilySets,
  counts: AddressCounts,
  lost: ReadonlySet<number>,
): Shard {
  const share = Math.ceil(maxSwarms / (1 << shardLog2));
  const pages = pagesFor(share);
  const recordsAt = at + LOCK_WORDS + ARENA_WORDS;
  const arena = new Arena(memory, at + LOCK_WORDS, owner);
  const records = new SwarmRecords(memory, arena, recordsAt, pages);
  const lookup = new SwarmLookup(memory, arena, records, recordsAt + recordWords(pages), bucketsLog2For(share));
  return new Shard(memory, arena, records, lookup, sets, counts, lost);
}
