// The log of a journal in the store: opened and read, appended to, and replaced by a snapshot when it has grown.

import type { Store, StoreLog } from '../ports/store.ts';
import {
  type DecodedJournal,
  decodeJournal,
  encodeSnapshot,
  type JournalIdentity,
  snapshotBytes,
} from './journal-format.ts';
import { JournalState } from './journal-state.ts';

/** A log is replaced when what was appended is longer than this and than a snapshot: rewriting stays rare. */
const COMPACT_BYTES = 64 * 1024;

/**
 * `fresh`: there was none. `torn`: the end was lost in a crash. `damaged`: it cannot be read; then every piece is
 * doubtful, for it may have been verified.
 */
export type LogCondition = 'fresh' | 'whole' | 'torn' | 'damaged';

export interface OpenedLog {
  readonly log: JournalLog;
  readonly state: JournalState;
  readonly condition: LogCondition;
}

export class JournalLog {
  readonly #log: StoreLog;
  readonly #identity: JournalIdentity;
  #appendedBytes: number;
  /** The end of the log may be unreadable: nothing can be appended before it is replaced. */
  #isTorn: boolean;
  #last: Promise<void> = Promise.resolve();

  private constructor(log: StoreLog, identity: JournalIdentity, isTorn: boolean) {
    this.#log = log;
    this.#identity = identity;
    this.#appendedBytes = log.initial.length;
    this.#isTorn = isTorn;
  }

  /** STATE_VERSION where a newer Shoal wrote it, and what the store throws. */
  static async open(store: Store, key: string, identity: JournalIdentity): Promise<OpenedLog> {
    const maxBytes = snapshotBytes(identity, identity.fileCount) + mostAppended(identity);
    const log = await store.openLog(key, maxBytes + 1);
    try {
      const isTooLong = log.initial.length > maxBytes; // nothing that was written here is
      const decoded: DecodedJournal = isTooLong ? { kind: 'damaged' } : decodeJournal(log.initial, identity);
      const condition = conditionOf(decoded);
      return {
        log: new JournalLog(log, identity, condition !== 'whole'),
        state: decoded.kind === 'read' ? decoded.state : emptyState(identity, condition),
        condition,
      };
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  /**
   * Adds a record; `state` has it applied already, and is written as a whole where that is shorter or needed. Calls are
   * carried out one after the other.
   */
  write(record: Uint8Array, state: JournalState): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#isTorn || this.#appendedBytes + record.length > mostAppended(this.#identity)) {
        await this.#replace(state);
        return;
      }
      this.#appendedBytes += record.length;
      this.#isTorn = true;
      await this.#log.append(record);
      this.#isTorn = false;
    });
  }

  /** Makes the log say what `state` says, and no more. */
  replace(state: JournalState): Promise<void> {
    return this.#inOrder(() => this.#replace(state));
  }

  close(): Promise<void> {
    return this.#inOrder(() => this.#log.close());
  }

  async #replace(state: JournalState): Promise<void> {
    await this.#log.replace(encodeSnapshot(this.#identity, state));
    this.#appendedBytes = 0;
    this.#isTorn = false;
  }

  #inOrder(act: () => Promise<void>): Promise<void> {
    const done = this.#last.then(act);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

function conditionOf(decoded: DecodedJournal): LogCondition {
  if (decoded.kind !== 'read') return decoded.kind;
  return decoded.torn ? 'torn' : 'whole';
}

function emptyState(identity: JournalIdentity, condition: LogCondition): JournalState {
  const state = new JournalState(identity.pieceCount, identity.fileCount);
  if (condition === 'damaged') {
    state.doubtful.setAll();
    state.clean = false;
  }
  return state;
}

/** How much may follow the snapshot. */
function mostAppended(identity: JournalIdentity): number {
  return Math.max(COMPACT_BYTES, snapshotBytes(identity, identity.fileCount));
}
