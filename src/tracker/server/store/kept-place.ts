// The place of a tracker, a number for each of its lives, kept in its state: so the next one knows which has ended.
//
//   KEY.place     "SHPL" | place 4

import { readU32, writeU32 } from '../../../base/bytes.ts';
import { describeError, isShoalError } from '../../../base/errors.ts';
import type { Env } from '../../../ports/env.ts';

const MAGIC = 0x5348504c;
const LENGTH = 8;

export interface Places {
  /** Where other trackers that have the store send what is for connections of this one. */
  readonly place: number;
  /** Of the life before, whose connections are gone. Null: it is not known. */
  readonly formerPlace: number | null;
}

/** A new place. `key`: of the tracker's state; null: it has none. What cannot be read or kept is a warning. */
export async function newPlace(
  { store, random, log }: Pick<Env, 'store' | 'random' | 'log'>,
  key: string | null,
): Promise<Places> {
  const place = random.below(2 ** 32);
  if (key === null) return { place, formerPlace: null };
  const at = `${key}.place`;
  let formerPlace: number | null = null;
  try {
    const before = await store.read(at);
    if (before?.length === LENGTH && readU32(before, 0) === MAGIC) formerPlace = readU32(before, 4);
    const record = new Uint8Array(LENGTH);
    writeU32(record, 0, MAGIC);
    writeU32(record, 4, place);
    await store.write(at, record);
  } catch (error) {
    if (!isShoalError(error)) throw error;
    log.write('warn', 'the place of this tracker could not be kept', { error: describeError(error) });
  }
  return { place, formerPlace };
}
