// The swarms in the store. Parts are written one after the other, then the head that names them, in one step: a crash at
// any time leaves the parts of before, whole. Parts that no head names are removed.
//
//   KEY             "SHTH" | version 4 | generation 4 | parts 4
//   KEY.parts/G-N   see state.ts

import { readU32, writeU32 } from '../../../base/bytes.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Store } from '../../../ports/store.ts';
import { brokenState, restorePart, StateWriter } from './state.ts';
import type { SwarmTable } from './swarm-table.ts';

const MAGIC = 0x53485448;
const VERSION = 2;
const HEAD_LENGTH = 16;
/** 50 million peers have fewer. */
const MAX_PARTS = 100_000;

export interface SnapshotPlace {
  readonly store: Store;
  readonly clock: Clock;
  readonly key: string;
}

/** Writes all swarms. Rejects as the store does. */
export async function saveSwarms(place: SnapshotPlace, table: SwarmTable): Promise<void> {
  const { store, clock, key } = place;
  const before = await readHead(place).catch(() => null);
  const generation = ((before?.generation ?? 0) + 1) >>> 0;
  const writer = new StateWriter(table);
  let parts = 0;
  for (;;) {
    const part = writer.next(clock.nowMs() / 1000, clock.wallMs() / 1000);
    if (part === null) break;
    await store.write(partKey(key, generation, parts++), part);
  }
  const head = new Uint8Array(HEAD_LENGTH);
  for (const [i, word] of [MAGIC, VERSION, generation, parts].entries()) writeU32(head, 4 * i, word);
  await store.write(key, head);
  await removeOthers(place, generation);
}

/** Reads them back; those not heard for `maxAgeS` seconds are left out. STATE_VERSION, STATE_INVALID, or as the store. */
export async function loadSwarms(place: SnapshotPlace, table: SwarmTable, maxAgeS: number): Promise<void> {
  const { store, clock, key } = place;
  const head = await readHead(place);
  if (head === null) return;
  for (let i = 0; i < head.parts; i++) {
    const part = await store.read(partKey(key, head.generation, i));
    if (part === null) throw brokenState();
    restorePart(part, table, clock.nowMs() / 1000, clock.wallMs() / 1000, maxAgeS);
  }
}

async function readHead({ store, key }: SnapshotPlace): Promise<{ generation: number; parts: number } | null> {
  const bytes = await store.read(key);
  if (bytes === null) return null;
  if (bytes.length < HEAD_LENGTH || readU32(bytes, 0) !== MAGIC || readU32(bytes, 12) > MAX_PARTS) throw brokenState();
  if (readU32(bytes, 4) !== VERSION) {
    throw new ShoalError('STATE_VERSION', `the tracker's state has version ${readU32(bytes, 4)}, not ${VERSION}`);
  }
  return { generation: readU32(bytes, 8), parts: readU32(bytes, 12) };
}

async function removeOthers({ store, key }: SnapshotPlace, generation: number): Promise<void> {
  for (const part of await store.list(`${key}.parts/`)) {
    if (!part.startsWith(`${key}.parts/${generation}-`)) await store.remove(part);
  }
}

function partKey(key: string, generation: number, part: number): string {
  return `${key}.parts/${generation}-${part}`;
}
