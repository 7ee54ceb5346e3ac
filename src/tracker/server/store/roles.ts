// A peer's role, as the table has it and as trackers tell each other.

import { CHANGE_LEECH, CHANGE_PARTIAL, CHANGE_SEED } from '../../protocol/swarm-changes.ts';
import { LEECH, PARTIAL_SEED, SEED } from '../table/peer-runs.ts';

export function roleChange(role: number): number {
  return role === SEED ? CHANGE_SEED : role === PARTIAL_SEED ? CHANGE_PARTIAL : CHANGE_LEECH;
}

export function roleOfChange(change: number): number {
  return change === CHANGE_SEED ? SEED : change === CHANGE_PARTIAL ? PARTIAL_SEED : LEECH;
}
