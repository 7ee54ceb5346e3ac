// What a client's announce says that it is, and of whom it wants to be told.

import { type AnnounceFields, EVENT_COMPLETED, EVENT_PAUSED, EVENT_STARTED } from '../protocol/announce.ts';
import { LEECH, PARTIAL_SEED, SEED } from './table/peer-runs.ts';

/** A client that announces completion without `left` has nothing left. */
export function roleOf(fields: AnnounceFields): number {
  const { left, event } = fields;
  if (left === 0 || (event === EVENT_COMPLETED && left === Number.POSITIVE_INFINITY)) return SEED;
  return event === EVENT_PAUSED ? PARTIAL_SEED : LEECH;
}

/**
 * aria2 (`A2-`) that has a magnet link and no metadata yet says that nothing is left: at its start nobody can tell it
 * from a seed, and without seeds it would wait for a whole interval.
 */
export function wantsSeeds(fields: AnnounceFields): boolean {
  if (roleOf(fields) === LEECH) return true;
  const { event, left, peerId } = fields;
  return event === EVENT_STARTED && left === 0 && peerId[0] === 0x41 && peerId[1] === 0x32 && peerId[2] === 0x2d;
}
