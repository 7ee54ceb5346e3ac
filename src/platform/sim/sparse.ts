// The bytes of one simulated file: sparse, with what is on stable storage kept apart from what was only written.

import type { SeededRandom } from './random.ts';

/** Granule of memory and of syncing. */
const GRAIN_BYTES = 16384;

/** What a disk writes in one go or not at all: a power cut tears a granule at such borders. */
const SECTOR_BYTES = 4096;

/**
 * ```
 * now    [ a ][ b'][   ][ d ]     granules by number; a missing one is zeros
 * stable [ a ][ b ]               shares granules with `now`; the first write after a sync copies one
 * ```
 */
export class SparseBytes {
  #now: Map<number, Uint8Array> = new Map();
  #stable: Map<number, Uint8Array> = new Map();
  #dirty: Set<number> = new Set();
  #lengthBytes = 0;
  #stableLengthBytes = 0;
  /** Bytes of memory, as a disk would count blocks. */
  allocatedBytes = 0;

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0 || this.#lengthBytes !== this.#stableLengthBytes;
  }

  /** Bytes that a write there would newly allocate. */
  wouldAllocate(offset: number, length: number): number {
    let out = 0;
    for (const { grain, at, count } of grains(offset, length)) {
      out += Math.max(0, roundUp(at + count) - (this.#now.get(grain)?.length ?? 0));
    }
    return out;
  }

  write(offset: number, bytes: Uint8Array): void {
    let from = 0;
    for (const { grain, at, count } of grains(offset, bytes.length)) {
      this.#own(grain, at + count).set(bytes.subarray(from, from + count), at);
      from += count;
    }
    this.#lengthBytes = Math.max(this.#lengthBytes, offset + bytes.length);
  }

  /** Fills `into` from `offset`; false where the file is too short for it. */
  read(offset: number, into: Uint8Array): boolean {
    if (offset + into.length > this.#lengthBytes) return false;
    let from = 0;
    for (const { grain, at, count } of grains(offset, into.length)) {
      const there = this.#now.get(grain)?.subarray(at, at + count);
      if (there) into.set(there, from);
      into.fill(0, from + (there?.length ?? 0), from + count);
      from += count;
    }
    return true;
  }

  setLength(lengthBytes: number): void {
    for (const [grain, bytes] of this.#now) {
      const kept = lengthBytes - grain * GRAIN_BYTES;
      if (kept >= bytes.length) continue;
      if (kept > 0) {
        this.#own(grain, kept).fill(0, kept);
        continue;
      }
      this.#now.delete(grain);
      this.#dirty.add(grain);
      this.allocatedBytes -= bytes.length;
    }
    this.#lengthBytes = lengthBytes;
  }

  sync(): void {
    for (const grain of this.#dirty) {
      const bytes = this.#now.get(grain);
      if (bytes) this.#stable.set(grain, bytes);
      else this.#stable.delete(grain);
    }
    this.#dirty.clear();
    this.#stableLengthBytes = this.#lengthBytes;
  }

  /** What a crash leaves: of each granule written since the last sync the new, the old, or a mix of sectors. */
  tear(random: SeededRandom): void {
    for (const grain of this.#dirty) {
      const choice = random.below(3);
      const old = this.#stable.get(grain);
      if (choice === 0) this.#replace(grain, old);
      else if (choice === 1) this.#replace(grain, mixed(old, this.#now.get(grain), random));
    }
    if (this.#lengthBytes !== this.#stableLengthBytes && random.below(2) === 0) {
      this.setLength(this.#stableLengthBytes);
    }
    this.sync();
  }

  /** A granule that is not shared with the stable copy, at least `length` long. */
  #own(grain: number, length: number): Uint8Array {
    const old = this.#now.get(grain);
    const isShared = old !== undefined && old === this.#stable.get(grain);
    this.#dirty.add(grain);
    if (old !== undefined && old.length >= length && !isShared) return old;
    const own = new Uint8Array(Math.max(old?.length ?? 0, roundUp(length)));
    if (old) own.set(old);
    this.#replace(grain, own);
    return own;
  }

  #replace(grain: number, bytes: Uint8Array | undefined): void {
    this.allocatedBytes += (bytes?.length ?? 0) - (this.#now.get(grain)?.length ?? 0);
    if (bytes) this.#now.set(grain, bytes);
    else this.#now.delete(grain);
  }
}

function* grains(offset: number, length: number): Generator<{ grain: number; at: number; count: number }> {
  const end = offset + length;
  for (let position = offset; position < end; ) {
    const grain = Math.floor(position / GRAIN_BYTES);
    const at = position - grain * GRAIN_BYTES;
    const count = Math.min(GRAIN_BYTES - at, end - position);
    yield { grain, at, count };
    position += count;
  }
}

/** Small files take little memory: granules grow by doubling. */
function roundUp(length: number): number {
  let out = 512;
  while (out < length) out *= 2;
  return out;
}

function mixed(old: Uint8Array | undefined, now: Uint8Array | undefined, random: SeededRandom): Uint8Array {
  const out = new Uint8Array(Math.max(old?.length ?? 0, now?.length ?? 0));
  for (let at = 0; at < out.length; at += SECTOR_BYTES) {
    const sector = (random.below(2) === 0 ? old : now)?.subarray(at, at + SECTOR_BYTES);
    if (sector) out.set(sector, at);
  }
  return out;
}
