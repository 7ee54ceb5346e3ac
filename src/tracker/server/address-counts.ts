// How many peers an address has, in all swarms and in one: two tables of counters by keyed hash. Addresses that share a
// counter are counted together, which matters little beside limits of hundreds, and cannot be brought about on purpose.
// For IPv6 an address is a /64, which is what a subscriber has.

import { finish, mix } from './table/mixing.ts';
import { ADDRESSES_LOG2, PAIRS_LOG2, type TableMemory } from './table/table-memory.ts';

/** Peers that one address may have: in one swarm, and in all. */
export interface AddressLimits {
  readonly perSwarm: number;
  readonly overall: number;
}

export class AddressCounts {
  readonly #memory: TableMemory;
  readonly #at: number;

  constructor(memory: TableMemory, at: number) {
    this.#memory = memory;
    this.#at = at;
  }

  /** Whether an address (by its hash) may have one more peer in a swarm, of whose info hash `word` is the first. */
  allow(address: number, word: number, limits: AddressLimits): boolean {
    const { control } = this.#memory;
    return (
      control[this.#addressAt(address)]! < limits.overall && control[this.#pairAt(address, word)]! < limits.perSwarm
    );
  }

  change(address: number, word: number, by: 1 | -1): void {
    this.#change(this.#addressAt(address), by);
    this.#change(this.#pairAt(address, word), by);
  }

  /** Forgets all: counts that are too low let a few too many in, too high ones would lock some out for good. */
  reset(): void {
    this.#memory.control.fill(0, this.#at, this.#at + 2 ** ADDRESSES_LOG2 + 2 ** PAIRS_LOG2);
  }

  #change(at: number, by: 1 | -1): void {
    // After a reset those that leave were not counted.
    if (by > 0 || this.#memory.control[at]! > 0) this.#memory.count(at, by);
  }

  #addressAt(address: number): number {
    return this.#at + (address >>> (32 - ADDRESSES_LOG2));
  }

  #pairAt(address: number, word: number): number {
    return this.#at + 2 ** ADDRESSES_LOG2 + (finish(mix(address, word)) >>> (32 - PAIRS_LOG2));
  }
}
