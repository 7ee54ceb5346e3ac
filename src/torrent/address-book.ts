// Peer addresses that a torrent knows: which to dial next, nearest first, and which never again.

import { type Address, type LocalNetwork, type Nearness, nearness } from '../base/address.ts';
import { Bans } from './bans.ts';

/** Addresses kept at most: a tracker sends 50 to 200 at a time, and a swarm's living ones fit many times. */
const MAX_KNOWN = 2000;
/**
 * A seed dials in vain no more often than this: nothing is missing, and who wants something dials, too. One more time is
 * granted whenever somebody names the address again.
 */
const SEED_PATIENCE = 4;
/** Wait after the first failed dial; doubles with each further one. */
const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 600_000;
const NEAR_ORDER: Readonly<Record<Nearness, number>> = { machine: 0, network: 1, internet: 2 };

export type AddressSource = 'tracker' | 'magnet' | 'user' | 'incoming';

export interface KnownAddress {
  readonly address: Address;
  readonly source: AddressSource;
  readonly nearness: Nearness;
  /** It was found in the swarm of the v2 info hash. */
  readonly v2: boolean;
  state: 'idle' | 'dialling' | 'connected';
  /** Dials that failed, or led to nothing, since the last one that did not. */
  failures: number;
  /** Dials that a seed has left for it; a leech has no end of them. */
  triesOfSeed: number;
  /** It had all, or wanted nothing, when we parted: of no use to another seed. */
  isSeed: boolean;
  /** Not to be dialled before. */
  notBeforeMs: number;
}

export class AddressBook {
  readonly #known: Map<string, KnownAddress> = new Map();
  readonly #own: readonly LocalNetwork[];
  readonly #bans: Bans = new Bans();

  constructor(own: readonly LocalNetwork[]) {
    this.#own = own;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Learns an address; false where it was known or is banned, or the book is full of better ones. */
  add(address: Address, source: AddressSource, v2: boolean): boolean {
    const known = this.#known.get(address.key);
    if (known) known.triesOfSeed = Math.max(known.triesOfSeed, 1);
    if (address.port === 0 || known || this.#bans.has(address)) return false;
    if (this.#known.size >= MAX_KNOWN && !this.#forgetWorst()) return false;
    this.#known.set(address.key, {
      address,
      source,
      nearness: nearness(address, this.#own),
      v2,
      state: 'idle',
      failures: 0,
      triesOfSeed: SEED_PATIENCE,
      isSeed: false,
      notBeforeMs: 0,
    });
    return true;
  }

  get(address: Address): KnownAddress | null {
    return this.#known.get(address.key) ?? null;
  }

  isBanned(address: Address): boolean {
    return this.#bans.has(address);
  }

  /**
   * The best address to dial now: machine before network before internet, then fewest failures, then longest known.
   * `leeching` false: those that are known to be seeds are passed over, and those that a seed has dialled in vain.
   */
  next(nowMs: number, leeching = true): KnownAddress | null {
    let best: KnownAddress | null = null;
    for (const known of this.#known.values()) {
      if (known.notBeforeMs > nowMs || !isDialable(known, leeching)) continue;
      if (best === null || rank(known) < rank(best)) best = known;
    }
    return best;
  }

  /** Milliseconds until `next` may find one; null where nothing waits. */
  nextDueMs(nowMs: number, leeching = true): number | null {
    let due: number | null = null;
    for (const known of this.#known.values()) {
      if (isDialable(known, leeching))
        due = Math.min(due ?? Number.POSITIVE_INFINITY, Math.max(0, known.notBeforeMs - nowMs));
    }
    return due;
  }

  dialling(address: Address): void {
    this.#set(address, 'dialling');
  }

  connected(address: Address): void {
    this.#set(address, 'connected');
  }

  /** A dial failed, a connection led to nothing (`failed`), or it ended: later, and after failures later each time. */
  ended(address: Address, nowMs: number, failed: boolean, isSeed = false): void {
    const known = this.#set(address, 'idle');
    if (!known) return;
    known.isSeed = isSeed;
    known.failures = failed ? known.failures + 1 : 0;
    known.triesOfSeed = failed ? known.triesOfSeed - 1 : SEED_PATIENCE;
    known.notBeforeMs = nowMs + Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.max(0, known.failures - 1));
  }

  /** Never again: it lied, or it is ourselves. */
  ban(address: Address): void {
    this.#bans.add(address);
    this.#known.delete(address.key);
  }

  /** Everything known may be tried at once: the network has changed, or a user asked. */
  forgiveFailures(): void {
    for (const known of this.#known.values()) known.notBeforeMs = 0;
  }

  #set(address: Address, state: KnownAddress['state']): KnownAddress | null {
    const known = this.#known.get(address.key) ?? null;
    if (known) known.state = state;
    return known;
  }

  #forgetWorst(): boolean {
    let worst: KnownAddress | null = null;
    for (const known of this.#known.values()) {
      if (known.state === 'idle' && known.failures > 0 && (worst === null || known.failures > worst.failures))
        worst = known;
    }
    return worst !== null && this.#known.delete(worst.address.key);
  }
}

function isDialable(known: KnownAddress, leeching: boolean): boolean {
  return known.state === 'idle' && (leeching || (!known.isSeed && known.triesOfSeed > 0));
}

function rank(known: KnownAddress): number {
  return NEAR_ORDER[known.nearness] * 1000 + Math.min(known.failures, 999);
}
