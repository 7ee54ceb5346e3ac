// A lock in a word of shared memory, between threads: spin a little, then sleep. The word says who has it, so that the
// lock of a thread that died can be told and freed.

/** The lower half of the word is the owner; this bit says that somebody sleeps. */
const SLEEPERS = 0x10000;
/** Tries before sleeping: the work under a lock takes a few microseconds. */
const SPINS = 400;
/** Sleeps are short, in case a wake-up is missed. */
const SLEEP_MS = 5;
/** Whoever waits longer gives up: the owner is dead, and is being cleared away. */
const PATIENCE_SLEEPS = 200;
/**
 * The first thread clears away after the dead, so it does not sleep so long; but longer than a busy machine keeps a
 * living owner from running.
 */
const FIRST_PATIENCE_SLEEPS = 40;

/** Who takes locks on this thread; 1 is the first thread. */
let self = 1;

/** Gives this thread another number, 1 to 65535, before it takes any lock. */
export function setLockOwner(owner: number): void {
  self = owner;
}

export class Lock {
  readonly #ints: Int32Array;
  readonly #at: number;

  /** `ints` in shared memory; in memory of one thread no lock is needed, and none may be taken. */
  constructor(ints: Int32Array, at: number) {
    this.#ints = ints;
    this.#at = at;
  }

  /** False where it cannot be had: its owner is dead or hangs; without patience, perhaps just at work. */
  acquire(isPatient = true): boolean {
    const ints = this.#ints;
    const at = this.#at;
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.compareExchange(ints, at, 0, self) === 0) return true;
    }
    if (!isPatient) return false;
    const sleeps = self === 1 ? FIRST_PATIENCE_SLEEPS : PATIENCE_SLEEPS;
    for (let slept = 0; slept < sleeps; slept++) {
      const seen = Atomics.compareExchange(ints, at, 0, self | SLEEPERS);
      if (seen === 0) return true;
      if ((seen & SLEEPERS) === 0 && Atomics.compareExchange(ints, at, seen, seen | SLEEPERS) !== seen) continue;
      Atomics.wait(ints, at, seen | SLEEPERS, SLEEP_MS);
    }
    return false;
  }

  release(): void {
    const before = Atomics.exchange(this.#ints, this.#at, 0);
    if ((before & SLEEPERS) !== 0) Atomics.notify(this.#ints, this.#at);
  }

  ownedBy(owner: number): boolean {
    return (Atomics.load(this.#ints, this.#at) & (SLEEPERS - 1)) === owner;
  }
}
