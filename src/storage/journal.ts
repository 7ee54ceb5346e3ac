// The record of a torrent's verified pieces, so that no run needs to hash again what an earlier one has verified.
//
//   pieceVerified -> pending --flush--> look at the files, sync the content, append to the log
//                       ^-- at most one flush a second, or 64 MiB; the next batch collects while one runs

import { Bitfield } from '../base/bitfield.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Content } from '../ports/piece-io.ts';
import type { Store } from '../ports/store.ts';
import { filesOfPieces, recordFiles } from './file-records.ts';
import { encodeBatch, encodeWriting, type JournalIdentity } from './journal-format.ts';
import { JournalLog } from './journal-log.ts';
import type { FileRecord, JournalState } from './journal-state.ts';
import type { Layout } from './layout.ts';
import { compareFiles, LATE_WRITE_MS, type ResumeState } from './resume.ts';

export type { ResumeState } from './resume.ts';

/** What a power cut may cost at most: pieces of this time, or of this many bytes, whichever comes first. */
const FLUSH_INTERVAL_MS = 1000;
const FLUSH_BYTES = 64 * 1024 * 1024;
/** Upload totals alone are worth no more than one write a minute. */
const COUNTERS_INTERVAL_MS = 60_000;
/** A full state folder is tried again after this: often enough for a person who made room, rare enough for the log. */
const RETRY_MS = 10_000;

export interface JournalOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Called when a flush fails, once until one succeeds again. The content could not be synced: its pieces stay
   * unjournaled. The log could not be written: it is tried again.
   */
  onFault(error: unknown): void;
  /** Key of the log in the store. */
  readonly key: string;
  readonly infoHash: Uint8Array;
  readonly pieceCount: number;
  readonly layout: Layout;
  /** Where the content is: for people who read the log. */
  readonly contentPath: string;
  readonly content: Content;
}

interface Pending {
  /** True: verified; false: lost. The last word counts. */
  readonly pieces: Map<number, boolean>;
  bytes: number;
}

export class Journal {
  readonly #options: JournalOptions;
  readonly #log: JournalLog;
  /** What the log says, or will say when it is written again after a failure. */
  readonly #state: JournalState;
  #pending: Pending = { pieces: new Map(), bytes: 0 };
  #uploaded: number;
  #downloaded: number;
  /** Content files that got pieces in this run. */
  readonly #touched: Bitfield;
  #isFailing = false;
  #running: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  #timer: Timer | null = null;
  #lastFlushMs = Number.NEGATIVE_INFINITY;
  /** When the log was last told that files are being written. */
  #lastRecordMs = Number.NEGATIVE_INFINITY;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  private constructor(options: JournalOptions, log: JournalLog, state: JournalState) {
    this.#options = options;
    this.#log = log;
    this.#state = state;
    this.#touched = new Bitfield(options.layout.files.length);
    this.#uploaded = state.uploaded;
    this.#downloaded = state.downloaded;
  }

  /**
   * Opens or begins the journal of one torrent and compares it with the files on disk. Call it before anything is
   * written to the content. STATE_VERSION, and what the store and the content throw.
   */
  static async open(options: JournalOptions): Promise<{ journal: Journal; resume: ResumeState }> {
    const { log, state, condition } = await JournalLog.open(options.store, options.key, identityOf(options));
    try {
      if (condition === 'damaged') {
        const { contentPath, key } = options;
        options.log.write('warn', 'the journal cannot be read: all pieces are checked again', { contentPath, key });
      }
      const unclean = !state.clean;
      const { doubtful, trusted } = await compareFiles(state, options.layout, options.content);
      state.applyFiles(trusted);
      doubtful.forEach((piece) => {
        state.verified.clear(piece);
        state.doubtful.set(piece);
      });
      const journal = new Journal(options, log, state);
      await journal.#begin(condition === 'whole' && doubtful.isEmpty);
      const { uploaded, downloaded } = state;
      const [verified, recheck] = [state.verified.copy(), state.doubtful.copy()];
      return { journal, resume: { verified, recheck, unclean, uploaded, downloaded, fresh: condition === 'fresh' } };
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  /**
   * Pieces are under way that will be written when they are complete: call it when one is begun, and every second while
   * there are any. Where the journal has been silent for long, it says now that files may be newer from here on, so that
   * a crash does not cost a recheck of the files being written.
   */
  willWrite(): void {
    const { clock } = this.#options;
    if (this.#closing || clock.nowMs() - this.#lastRecordMs < LATE_WRITE_MS / 2) return;
    this.#lastRecordMs = clock.nowMs();
    this.#state.clean = false;
    this.#state.wallMs = clock.wallMs();
    this.#log.write(encodeWriting(this.#state.wallMs), this.#state).catch((error: unknown) => this.#fail(error));
  }

  /** A piece was verified and written. `lengthBytes`: what was written for it, 0 where a recheck found it. */
  pieceVerified(piece: number, lengthBytes: number): void {
    if (this.#closing) return;
    this.#pending.pieces.set(piece, true);
    this.#pending.bytes += lengthBytes;
    this.#schedule();
  }

  /** A piece is not on disk any more as it was verified, or a recheck found it bad or missing. */
  pieceLost(piece: number): void {
    if (this.#closing) return;
    this.#pending.pieces.set(piece, false);
    this.#schedule();
  }

  /** Totals over all runs, saved with the next flush. */
  counters(uploaded: number, downloaded: number): void {
    this.#uploaded = uploaded;
    this.#downloaded = downloaded;
    this.#schedule();
  }

  /** Puts all that was told so far on stable storage. Never rejects: what fails goes to `onFault`. */
  async flush(): Promise<void> {
    await this.#running;
    // A flush that began meanwhile took all that was pending at the call.
    await (this.#running ?? (this.#hasNews() ? this.#start(() => this.#flushPending()) : null));
  }

  /**
   * Flushes, and records that the content is as it shall stay: call it when no write is under way, after the torrent
   * is complete and its files are finished. Afterwards every file must be exactly as it is now to be trusted.
   */
  async checkpoint(): Promise<void> {
    await this.flush();
    while (this.#running) await this.#running;
    if (!this.#state.clean || !this.#touched.isEmpty) await this.#start(() => this.#writeCheckpoint());
  }

  /** Ends the journal; `clean` makes a checkpoint first. Idempotent; never rejects. What is told afterwards is dropped. */
  close(clean: boolean): Promise<void> {
    this.#closing ??= this.#close(clean);
    return this.#closing;
  }

  async #close(clean: boolean): Promise<void> {
    this.#timer?.cancel();
    if (clean) await this.checkpoint();
    while (this.#running) await this.#running;
    await this.#log.close().catch((error: unknown) => this.#fail(error));
  }

  /** The first record of a run. A complete torrent that is intact needs none: nothing will be written to it. */
  async #begin(intact: boolean): Promise<void> {
    if (intact && this.#state.verified.isFull) return;
    this.#lastRecordMs = this.#options.clock.nowMs();
    this.#state.clean = false;
    this.#state.wallMs = this.#options.clock.wallMs();
    if (intact) await this.#log.write(encodeWriting(this.#state.wallMs), this.#state);
    else await this.#log.replace(this.#state);
  }

  #hasNews(): boolean {
    return this.#pending.pieces.size > 0 || this.#countersChanged();
  }

  #countersChanged(): boolean {
    return this.#uploaded !== this.#state.uploaded || this.#downloaded !== this.#state.downloaded;
  }

  #schedule(): void {
    if (this.#running || this.#closing || !this.#hasNews()) return;
    const nowMs = this.#options.clock.nowMs();
    const delayMs = this.#dueMs() - nowMs;
    if (delayMs <= 0) {
      void this.#start(() => this.#flushPending());
    } else if (this.#timer === null) {
      this.#timer = this.#options.clock.after(delayMs, () => {
        this.#timer = null;
        this.#schedule();
      });
    }
  }

  #dueMs(): number {
    const intervalMs = this.#pending.pieces.size > 0 ? FLUSH_INTERVAL_MS : COUNTERS_INTERVAL_MS;
    const dueMs = this.#pending.bytes >= FLUSH_BYTES ? Number.NEGATIVE_INFINITY : this.#lastFlushMs + intervalMs;
    return Math.max(dueMs, this.#notBeforeMs);
  }

  /** Runs one act on the log; none may be running. */
  #start(act: () => Promise<void>): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    this.#running = act().then(() => {
      this.#running = null;
      this.#lastFlushMs = this.#options.clock.nowMs();
      this.#schedule();
    });
    return this.#running;
  }

  async #flushPending(): Promise<void> {
    const pending = this.#pending;
    this.#pending = { pieces: new Map(), bytes: 0 };
    const won: number[] = [];
    const lost: number[] = [];
    for (const [piece, isVerified] of pending.pieces) (isVerified ? won : lost).push(piece);
    let files: readonly FileRecord[] = [];
    let isSecured = true;
    try {
      files = await this.#secure(won);
    } catch (error) {
      // After a failed sync nobody knows what is on disk: these pieces are not journaled in this run.
      won.length = 0;
      isSecured = false;
      this.#fail(error);
    }
    this.#lastRecordMs = this.#options.clock.nowMs();
    const [uploaded, downloaded, wallMs] = [this.#uploaded, this.#downloaded, this.#options.clock.wallMs()];
    const batch = { wallMs, uploaded, downloaded, won, lost, files };
    try {
      this.#state.apply(batch);
      await this.#log.write(encodeBatch(batch), this.#state);
      if (isSecured) this.#isFailing = false;
    } catch (error) {
      this.#notBeforeMs = this.#options.clock.nowMs() + RETRY_MS;
      // The state has the batch already, so that the next write, a replacement, carries it; keep a reason to write.
      for (const piece of won) if (!this.#pending.pieces.has(piece)) this.#pending.pieces.set(piece, true);
      for (const piece of lost) if (!this.#pending.pieces.has(piece)) this.#pending.pieces.set(piece, false);
      this.#fail(error);
    }
  }

  /** Notes the files of verified pieces as they are, then syncs: what a crash leaves is never older than the note. */
  async #secure(won: readonly number[]): Promise<readonly FileRecord[]> {
    if (won.length === 0) return [];
    const { layout, content } = this.#options;
    const files = filesOfPieces(layout, won);
    const records = await recordFiles(content, files);
    await content.sync();
    for (const file of files) this.#touched.set(file);
    return records;
  }

  async #writeCheckpoint(): Promise<void> {
    try {
      await this.#options.content.sync();
      const files: number[] = [];
      this.#touched.forEach((file) => {
        files.push(file);
      });
      this.#state.applyFiles(await recordFiles(this.#options.content, files));
      this.#state.clean = true;
      this.#state.wallMs = this.#options.clock.wallMs();
      await this.#log.replace(this.#state);
      this.#touched.clearAll();
    } catch (error) {
      this.#state.clean = false;
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#options.onFault(error);
  }
}

function identityOf(options: JournalOptions): JournalIdentity {
  const { infoHash, pieceCount, layout } = options;
  return { infoHash, pieceCount, fileCount: layout.files.length };
}
