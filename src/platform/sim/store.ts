// The Store port on a simulated disk: values and logs by key.

import { assert } from '../../base/assert.ts';
import { concatBytes } from '../../base/bytes.ts';
import type { Store, StoreLock, StoreLog } from '../../ports/store.ts';
import type { SimDisk } from './disk.ts';
import type { SimProgram } from './program.ts';
import type { SeededRandom } from './random.ts';

const KEY = /^[a-z0-9._-]+(\/[a-z0-9._-]+)*$/;

export class SimStore implements Store {
  readonly #program: SimProgram;
  readonly #disk: SimDisk;
  readonly #openLogs: Set<string> = new Set();

  constructor(program: SimProgram, disk: SimDisk) {
    this.#program = program;
    this.#disk = disk;
  }

  async read(key: string): Promise<Uint8Array | null> {
    checkKey(key);
    const bytes = this.#lengthOf(key);
    return this.#disk.submit(this.#program, {
      action: 'read',
      what: 'reading a record',
      bytes,
      work: () => {
        const record = this.#disk.records.get(key);
        return record ? concatBytes(record.parts) : null;
      },
    });
  }

  async write(key: string, value: Uint8Array): Promise<void> {
    checkKey(key);
    const copy = value.slice();
    return this.#change(key, 'writing a record', copy.length, () => this.#disk.setRecord(key, [copy]));
  }

  async remove(key: string): Promise<void> {
    checkKey(key);
    return this.#change(key, 'removing a record', 0, () => this.#disk.setRecord(key, null));
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.#disk.submit(this.#program, {
      action: 'read',
      what: 'listing records',
      bytes: 0,
      work: () =>
        Array.from(this.#disk.records.keys())
          .filter((key) => key.startsWith(prefix))
          .sort(),
    });
  }

  async openLog(key: string, maxBytes: number): Promise<StoreLog> {
    checkKey(key);
    assert(!this.#openLogs.has(key), 'a log is open once');
    this.#openLogs.add(key);
    try {
      const initial = await this.#disk.submit(this.#program, {
        action: 'read',
        what: 'opening a log',
        bytes: Math.min(maxBytes, this.#lengthOf(key)),
        work: () => {
          return concatBytes(this.#disk.records.get(key)?.parts ?? []).slice(0, maxBytes);
        },
      });
      return new SimLog(this.#program, this.#disk, key, initial, () => this.#openLogs.delete(key));
    } catch (error) {
      this.#openLogs.delete(key);
      throw error;
    }
  }

  async lock(key: string): Promise<StoreLock | null> {
    checkKey(key);
    const { locks } = this.#disk;
    return this.#disk.submit(this.#program, {
      action: 'write',
      what: 'taking a lock',
      bytes: 0,
      work: () => {
        if (locks.has(key)) return null;
        locks.set(key, this.#program);
        return this.#lockOf(key);
      },
    });
  }

  #lockOf(key: string): StoreLock {
    let isHeld = true;
    const lock: StoreLock = {
      release: () => {
        if (isHeld && this.#program.canAct()) {
          isHeld = false;
          this.#disk.locks.delete(key);
          this.#program.closed(lock);
        }
        return this.#program.answer(0, 'releasing a lock', () => undefined);
      },
    };
    this.#program.opened(lock, 'lock');
    return lock;
  }

  #change(lane: string, what: string, bytes: number, work: () => void): Promise<void> {
    return this.#disk.submit(this.#program, {
      action: 'write',
      what,
      bytes,
      isDurable: true,
      lane,
      work,
      // In one step: the old or the new.
      tear: (random) => {
        if (random.below(2) === 0) work();
      },
    });
  }

  #lengthOf(key: string): number {
    let out = 0;
    for (const part of this.#disk.records.get(key)?.parts ?? []) out += part.length;
    return out;
  }
}

class SimLog implements StoreLog {
  readonly initial: Uint8Array;
  readonly #program: SimProgram;
  readonly #disk: SimDisk;
  readonly #key: string;
  readonly #forget: () => void;
  #tail: Promise<void> = Promise.resolve();
  #closing: Promise<void> | null = null;

  constructor(program: SimProgram, disk: SimDisk, key: string, initial: Uint8Array, forget: () => void) {
    this.#program = program;
    this.#disk = disk;
    this.#key = key;
    this.initial = initial;
    this.#forget = forget;
    program.opened(this, 'log');
  }

  append(bytes: Uint8Array): Promise<void> {
    const copy = bytes.slice();
    return this.#inOrder('appending to a log', copy.length, {
      work: () => this.#disk.appendRecord(this.#key, copy),
      // A torn end: a part of it, now and then with rubbish where the rest should be.
      tear: (random) => {
        const torn = copy.slice(0, random.below(copy.length + 1));
        const rubbish = random.below(4) === 0 ? random.below(copy.length - torn.length + 1) : 0;
        const tail = new Uint8Array(rubbish);
        random.fill(tail);
        this.#disk.appendRecord(this.#key, concatBytes([torn, tail]));
      },
    });
  }

  replace(bytes: Uint8Array): Promise<void> {
    const copy = bytes.slice();
    const work = (): void => this.#disk.setRecord(this.#key, [copy]);
    return this.#inOrder('replacing a log', copy.length, {
      work,
      tear: (random) => {
        if (random.below(2) === 0) work();
      },
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#tail.then(() => {
      this.#forget();
      this.#program.closed(this);
    });
    return this.#closing;
  }

  /** The disk works in order; the tail tells when the last one is done, well or not. */
  #inOrder(
    what: string,
    bytes: number,
    job: { work: () => void; tear: (random: SeededRandom) => void },
  ): Promise<void> {
    assert(this.#closing === null, 'the log is open');
    const done = this.#disk.submit(this.#program, {
      action: 'write',
      what,
      bytes,
      isDurable: true,
      lane: this.#key,
      ...job,
    });
    this.#tail = done.catch(() => undefined);
    return done;
  }
}

function checkKey(key: string): void {
  const words = key.split('/');
  assert(KEY.test(key) && !words.includes('.') && !words.includes('..'), `a key of the store, not "${key}"`);
}
