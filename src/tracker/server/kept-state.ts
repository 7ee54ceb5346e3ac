// The swarms that a tracker keeps from one life to the next: whose they are, and how they come back.

import { describeError, isShoalError } from '../../base/errors.ts';
import type { Env } from '../../ports/env.ts';
import type { StoreLock } from '../../ports/store.ts';
import { loadSwarms } from './table/snapshot.ts';
import type { SwarmTable } from './table/swarm-table.ts';

type StateEnv = Pick<Env, 'clock' | 'store' | 'log'>;

export interface HeldState {
  /** Null: the swarms are not kept. */
  readonly stateKey: string | null;
  readonly lock: StoreLock | null;
}

/**
 * What the swarms are kept under: nothing where another tracker keeps its own there, which would be lost. Where that cannot be
 * known, they cannot be saved either, and whoever runs the tracker should hear it before they are to be.
 */
export async function holdState(env: StateEnv, key: string | null): Promise<HeldState> {
  if (key === null) return { stateKey: null, lock: null };
  try {
    const lock = await env.store.lock(key);
    if (lock === null) env.log.write('warn', 'the swarms are not kept: another tracker keeps its own there', { key });
    return { stateKey: lock === null ? null : key, lock };
  } catch (error) {
    if (!isShoalError(error)) throw error;
    env.log.write('warn', 'the swarms could not be saved', { error: describeError(error) });
    return { stateKey: key, lock: null };
  }
}

/** A broken or foreign record is a warning: the swarms come back with their announces. */
export async function loadState(env: StateEnv, table: SwarmTable, key: string, ageS: number): Promise<void> {
  try {
    await loadSwarms({ store: env.store, clock: env.clock, key }, table, ageS);
  } catch (error) {
    if (!isShoalError(error)) throw error;
    env.log.write('warn', 'saved swarms could not be read', { error: describeError(error) });
  }
}
