// Who may announce what, decided for every announce at once: from tables in shared memory, which the site's thread keeps
// in step with the database. Any number of threads may have a gate of their own.

import { KeyTable } from './key-table.ts';

/**
 * `open`: every info hash. `allow-list`: those that are listed or published. `private`: the same, and only with the passkey
 * of a user. The deny-list holds in all of them.
 */
export type AccessMode = 'open' | 'allow-list' | 'private';

/** Why an announce is refused; has the shape that the tracker wants. */
export interface Verdict {
  /** One line for the client's user. */
  readonly reason: string;
  /** When to ask again (BEP 31). */
  readonly retryInMinutes: number | 'never' | null;
}

/** Tables of info hashes (20 bytes; of v2 the first 20), and of passkeys (16 bytes) with the users' numbers. */
export interface AccessMemory {
  readonly published: SharedArrayBuffer;
  readonly allow: SharedArrayBuffer;
  readonly deny: SharedArrayBuffer;
  readonly passkeys: SharedArrayBuffer;
}

export const PASSKEY_BYTES = 16;

const DENIED: Verdict = { reason: 'this tracker does not serve this torrent', retryInMinutes: 'never' };
/** It may be published later. */
const UNKNOWN_TORRENT: Verdict = { reason: 'this torrent is not registered at this tracker', retryInMinutes: 30 };
const NO_PASSKEY: Verdict = {
  reason: 'this tracker is private: ask with a passkey, as in the torrent file fetched here',
  retryInMinutes: 'never',
};
const UNKNOWN_PASSKEY: Verdict = {
  reason: 'unknown passkey: fetch the torrent file from this tracker again',
  retryInMinutes: 'never',
};

export class AccessGate {
  readonly #mode: AccessMode;
  readonly #passkey = new Uint8Array(PASSKEY_BYTES);
  #published: KeyTable;
  #allow: KeyTable;
  #deny: KeyTable;
  #passkeys: KeyTable;

  constructor(mode: AccessMode, memory: AccessMemory) {
    this.#mode = mode;
    this.#published = new KeyTable(memory.published);
    this.#allow = new KeyTable(memory.allow);
    this.#deny = new KeyTable(memory.deny);
    this.#passkeys = new KeyTable(memory.passkeys);
  }

  /** Goes over to other tables: these have grown, or were read anew. */
  adopt(memory: AccessMemory): void {
    if (memory.published !== this.#published.memory) this.#published = new KeyTable(memory.published);
    if (memory.allow !== this.#allow.memory) this.#allow = new KeyTable(memory.allow);
    if (memory.deny !== this.#deny.memory) this.#deny = new KeyTable(memory.deny);
    if (memory.passkeys !== this.#passkeys.memory) this.#passkeys = new KeyTable(memory.passkeys);
  }

  /**
   * Null allows it. The passkey is the text `bytes[start..end)`, none where both are equal; all lent for the call. Who has
   * none is told that first, and so learns nothing of what is registered.
   */
  check(infoHash: Uint8Array, bytes: Uint8Array, start: number, end: number): Verdict | null {
    const verdict = this.checkScrape(bytes, start, end);
    if (verdict !== null) return verdict;
    if (this.#deny.get(infoHash) !== 0) return DENIED;
    return this.serves(infoHash, 0) ? null : UNKNOWN_TORRENT;
  }

  /** Whether whoever has this passkey may ask at all. Null allows it. */
  checkScrape(bytes: Uint8Array, start: number, end: number): Verdict | null {
    if (this.#mode !== 'private') return null;
    if (start === end) return NO_PASSKEY;
    return this.userOf(bytes, start, end) === 0 ? UNKNOWN_PASSKEY : null;
  }

  /** Whether the torrent whose info hash begins at byte `at` is served, to whomever. */
  serves(infoHash: Uint8Array, at: number): boolean {
    if (this.#deny.get(infoHash, at) !== 0) return false;
    return this.#mode === 'open' || this.#published.get(infoHash, at) !== 0 || this.#allow.get(infoHash, at) !== 0;
  }

  /** Number of the user whose passkey is written at `bytes[start..end)`; 0: nobody's. */
  userOf(bytes: Uint8Array, start: number, end: number): number {
    if (end - start !== 2 * PASSKEY_BYTES) return 0;
    for (let i = 0; i < PASSKEY_BYTES; i++) {
      const high = nibble(bytes[start + 2 * i]!);
      const low = nibble(bytes[start + 2 * i + 1]!);
      if (high < 0 || low < 0) return 0;
      this.#passkey[i] = (high << 4) | low;
    }
    return this.#passkeys.get(this.#passkey);
  }
}

/** Value of a hex digit's character, either case; -1 for any other. */
function nibble(character: number): number {
  if (character >= 0x30 && character <= 0x39) return character - 0x30;
  const lower = character | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
