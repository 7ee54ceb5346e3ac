import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleTorrent, testHashes } from '../../test/support/sample-torrents.ts';
import { concatBytes } from '../base/bytes.ts';
import { ShoalError } from '../base/errors.ts';
import { Geometry } from '../metainfo/geometry.ts';
import { parseInfo } from '../metainfo/info.ts';
import { Schedule } from '../platform/sim/schedule.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import { type ContentFileState, ContentStates } from '../ports/content-states.ts';
import { silentLog } from '../ports/log.ts';
import type { Content } from '../ports/piece-io.ts';
import type { Store, StoreLog } from '../ports/store.ts';
import { Journal, type ResumeState } from './journal.ts';
import { Layout } from './layout.ts';

const MISSING: ContentFileState = { exists: false, lengthBytes: 0, mtimeMs: 0, executable: false };
/** Virtual time, which passes in `run`, event by event. */
class TestClock implements Clock {
  readonly #schedule = new Schedule();

  constructor(nowMs = 0) {
    this.#schedule.skipTo(nowMs);
  }

  nowMs = (): number => this.#schedule.nowMs;
  wallMs = (): number => 1_700_000_000_000 + this.nowMs();
  defer = (callback: () => void): void => void this.after(0, callback);
  sleep = (delayMs: number): Promise<void> => new Promise((resolve) => this.after(delayMs, resolve));

  after = (delayMs: number, callback: () => void): Timer => {
    const event = this.#schedule.at(this.nowMs() + delayMs, null, callback);
    return { cancel: () => this.#schedule.cancel(event) };
  };

  get pendingCount(): number {
    return this.#schedule.pending;
  }

  async run(untilMs: number): Promise<void> {
    do await new Promise(setImmediate);
    while (this.#schedule.step(untilMs));
    this.#schedule.skipTo(Math.max(untilMs, this.nowMs()));
  }

  /** Lets time pass until `work` is done. */
  async until<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const watched = work.finally(() => (isDone = true));
    watched.catch(() => undefined);
    for (let i = 0; !isDone && i < 10_000; i++) await this.run(this.nowMs() + 10);
    return watched;
  }
}

interface Disk {
  readonly pieces: Set<number>;
  readonly files: ContentFileState[];
}

/** Files that forget what was not synced when the power goes, and a log whose last bytes may be torn. */
class TestMachine {
  clock = new TestClock();
  readonly layout: Layout;
  readonly geometry: Geometry;
  readonly infoHash: Uint8Array;
  now: Disk;
  stable: Disk;
  log: Uint8Array = new Uint8Array(0);
  /** Bytes of an append that was under way. */
  torn: Uint8Array = new Uint8Array(0);
  appends = 0;
  replaces = 0;
  syncs = 0;
  asked: readonly number[] = [];
  syncMs = 30;
  appendMs = 5;
  fault: 'sync' | 'append' | null = null;

  constructor(lengths: readonly number[]) {
    const files = lengths.map((length, i) => ({ path: [`f${i}`], bytes: new Uint8Array(length) }));
    const info = parseInfo(sampleTorrent(files, { kind: 'v1', pieceLengthBytes: 16384 }).info, testHashes);
    this.infoHash = info.infoHashV1!;
    this.geometry = new Geometry(info);
    this.layout = new Layout(info, this.geometry);
    this.now = { pieces: new Set(), files: lengths.map(() => MISSING) };
    this.stable = copy(this.now);
  }

  readonly store: Pick<Store, 'openLog'> = {
    openLog: async (_key, maxBytes): Promise<StoreLog> => {
      const append = async (bytes: Uint8Array): Promise<void> => {
        this.appends++;
        this.torn = bytes;
        await this.clock.sleep(this.appendMs);
        this.torn = new Uint8Array(0);
        if (this.fault === 'append') {
          this.log = concatBytes([this.log, bytes.subarray(0, 3)]);
          throw new ShoalError('DISK_FULL', 'the disk is full');
        }
        this.log = concatBytes([this.log, bytes]);
      };
      const replace = async (bytes: Uint8Array): Promise<void> => {
        this.replaces++;
        await this.clock.sleep(this.appendMs);
        if (this.fault === 'append') throw new ShoalError('DISK_FULL', 'the disk is full');
        this.log = bytes.slice();
      };
      return { initial: this.log.slice(0, maxBytes), append, replace, close: async () => undefined };
    },
  };

  readonly content: Pick<Content, 'states' | 'sync'> = {
    states: async (files = [...this.now.files.keys()]) => {
      this.asked = files;
      const states = ContentStates.of(this.now.files.map((state, file) => (files.includes(file) ? state : MISSING)));
      await this.clock.sleep(1);
      return states;
    },
    sync: async () => {
      this.syncs++;
      const before = copy(this.now);
      await this.clock.sleep(this.syncMs);
      if (this.fault === 'sync') throw new ShoalError('IO', 'the disk reports an error');
      this.stable = before;
    },
  };

  allPieces = (): number[] => Array.from({ length: this.geometry.pieceCount }, (_, i) => i);

  write(piece: number): void {
    for (let file = this.layout.firstFileOf(piece); file <= this.layout.lastFileOf(piece); file++) {
      const lengthBytes = Math.max(this.now.files[file]!.lengthBytes, this.layout.endInFile(piece, file));
      this.now.files[file] = { exists: true, lengthBytes, mtimeMs: this.clock.wallMs(), executable: false };
    }
    this.now.pieces.add(piece);
  }

  open(faults: unknown[] = []): Promise<{ journal: Journal; resume: ResumeState }> {
    return Journal.open({
      store: this.store as Store,
      clock: this.clock,
      log: silentLog,
      onFault: (error) => faults.push(error),
      key: 'torrents/x/journal',
      infoHash: this.infoHash,
      pieceCount: this.geometry.pieceCount,
      layout: this.layout,
      contentPath: '/x',
      content: this.content as Content,
    });
  }

  /** Nothing that was under way ends; `random` (0 to 1) decides what of the unsynced survives a power cut. */
  crash(isPowerCut: boolean, random: () => number): void {
    this.clock = new TestClock(this.clock.nowMs());
    this.log = concatBytes([this.log, this.torn.subarray(0, Math.floor(random() * this.torn.length))]);
    this.torn = new Uint8Array(0);
    if (!isPowerCut) return;
    for (const piece of this.now.pieces) {
      if (!this.stable.pieces.has(piece) && random() < 0.5) this.now.pieces.delete(piece);
    }
    for (const [i, file] of this.stable.files.entries()) if (random() < 0.5) this.now.files[i] = file;
    this.stable = copy(this.now);
  }
}

function copy(disk: Disk): Disk {
  return { pieces: new Set(disk.pieces), files: [...disk.files] };
}

function indices(field: { forEach(visit: (piece: number) => void): void }): number[] {
  const out: number[] = [];
  field.forEach((piece) => {
    out.push(piece);
  });
  return out;
}

/** Writes pieces one after another as a torrent does, until it is stopped by a crash. */
async function download(machine: TestMachine, journal: Journal, todo: number[], gapMs: () => number): Promise<void> {
  const { clock } = machine;
  for (const piece of todo) {
    for (let leftMs = 60 + gapMs(); leftMs > 0; leftMs -= 1000) {
      journal.willWrite();
      await clock.sleep(Math.min(1000, leftMs));
    }
    machine.write(piece);
    await clock.sleep(2);
    journal.pieceVerified(piece, 16384);
  }
}

describe('the journal over crashes', () => {
  const crash = fc.record({ afterMs: fc.nat(4000), isPowerCut: fc.boolean() });
  const runs = fc.record({
    lengths: fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 6 }),
    crashes: fc.array(crash, { minLength: 1, maxLength: 4 }),
    syncMs: fc.integer({ min: 1, max: 900 }),
    appendMs: fc.integer({ min: 1, max: 25 }),
    slowMs: fc.constantFrom(0, 100, 30_000),
    seed: fc.integer(),
  });

  it('never trusts a piece that is not on disk, and loses no more than the last interval', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async ({ lengths, crashes, syncMs, appendMs, slowMs, seed }) => {
        let state = seed >>> 0;
        const random = (): number => {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          return state / 2 ** 32;
        };
        const machine = new TestMachine(lengths);
        Object.assign(machine, { syncMs, appendMs });
        for (const { afterMs, isPowerCut } of crashes) {
          const { journal, resume } = await machine.clock.until(machine.open());
          for (const piece of indices(resume.verified)) expect(machine.now.pieces).toContain(piece);
          expect(indices(resume.recheck)).toEqual([]);
          const told = new Map<number, number>();
          const spy = (piece: number): void => {
            told.set(piece, machine.clock.nowMs());
            journal.pieceVerified(piece, 16384);
          };
          const watched = { willWrite: () => journal.willWrite(), pieceVerified: spy } as unknown as Journal;
          const rest = machine
            .allPieces()
            .filter((piece) => !resume.verified.has(piece))
            .sort(() => random() - 0.5);
          void download(machine, watched, rest, () => random() * slowMs);
          await machine.clock.run(machine.clock.nowMs() + afterMs + (slowMs > 100 ? random() * 60_000 : 0));
          const crashedMs = machine.clock.nowMs();
          machine.crash(isPowerCut, random);
          const again = await machine.clock.until(machine.open());
          // One interval, and two syncs: one that was under way, and one that the piece had to wait for.
          const safeMs = crashedMs - 1000 - 2 * (syncMs + 3 * appendMs + 5);
          for (const [piece, toldMs] of told) {
            if (toldMs < safeMs) expect(again.resume.verified.has(piece)).toBe(true);
          }
          expect(again.resume.verified.count).toBeGreaterThanOrEqual(resume.verified.count);
          await machine.clock.until(again.journal.close(random() < 0.5));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('trusts everything after a clean stop, and writes nothing for a complete torrent that stays as it is', async () => {
    const machine = new TestMachine([100_000, 50_000]);
    const first = await machine.clock.until(machine.open());
    expect(first.resume.fresh).toBe(true);
    first.journal.counters(2 ** 40 + 1, 7);
    await machine.clock.until(download(machine, first.journal, machine.allPieces(), () => 0));
    await machine.clock.until(first.journal.close(true));
    const { replaces, appends } = machine;
    const second = await machine.clock.until(machine.open());
    expect(second.resume).toMatchObject({ fresh: false, unclean: false, uploaded: 2 ** 40 + 1, downloaded: 7 });
    expect(second.resume.verified.isFull).toBe(true);
    await machine.clock.until(second.journal.close(true));
    expect([machine.replaces, machine.appends]).toEqual([replaces, appends]);
    expect(machine.clock.pendingCount).toBe(0);
  });

  it('doubts the pieces of a changed file over all runs until they are seen again', async () => {
    const machine = new TestMachine([32768, 32768, 32768]);
    const first = await machine.clock.until(machine.open());
    await machine.clock.until(download(machine, first.journal, [0, 1, 2, 3, 4, 5], () => 0));
    await machine.clock.until(first.journal.close(true));
    machine.now.files[1] = { ...machine.now.files[1]!, mtimeMs: 5 };
    const second = await machine.clock.until(machine.open());
    expect(indices(second.resume.recheck)).toEqual([2, 3]);
    expect(indices(second.resume.verified)).toEqual([0, 1, 4, 5]);
    second.journal.pieceVerified(2, 0);
    await machine.clock.until(second.journal.close(true));
    const third = await machine.clock.until(machine.open());
    expect(indices(third.resume.recheck)).toEqual([3]);
    expect(third.resume.verified.has(2)).toBe(true);
    third.journal.pieceLost(3);
    await machine.clock.until(third.journal.close(true));
    const fourth = await machine.clock.until(machine.open());
    expect(fourth.resume.recheck.isEmpty).toBe(true);
    expect(fourth.resume.verified.has(3)).toBe(false);
  });

  it('is not misled by a write after a long silence', async () => {
    const machine = new TestMachine([65536]);
    const { journal } = await machine.clock.until(machine.open());
    await machine.clock.until(download(machine, journal, [0], () => 0));
    await machine.clock.run(machine.clock.nowMs() + 60_000);
    journal.willWrite();
    await machine.clock.run(machine.clock.nowMs() + 100);
    machine.write(1);
    machine.crash(false, () => 0);
    const { resume } = await machine.clock.until(machine.open());
    expect([indices(resume.verified), indices(resume.recheck)]).toEqual([[0], []]);
  });
});

describe('the journal at work', () => {
  it('flushes the first piece at once, then once a second, and has no timer while nothing is pending', async () => {
    const machine = new TestMachine([16384 * 8]);
    const { journal } = await machine.clock.until(machine.open());
    expect(machine.clock.pendingCount).toBe(0);
    journal.pieceVerified(0, 16384);
    await machine.clock.run(machine.clock.nowMs() + 100);
    expect([machine.syncs, machine.appends]).toEqual([1, 1]);
    for (const piece of [1, 2, 3]) journal.pieceVerified(piece, 16384);
    await machine.clock.run(machine.clock.nowMs() + 800);
    expect(machine.syncs).toBe(1);
    await machine.clock.run(machine.clock.nowMs() + 300);
    expect([machine.syncs, machine.appends]).toEqual([2, 2]);
    expect(machine.clock.pendingCount).toBe(0);
  });

  it('flushes at 64 MiB before the second is over', async () => {
    const machine = new TestMachine([16384 * 8]);
    const { journal } = await machine.clock.until(machine.open());
    journal.pieceVerified(0, 16384);
    await machine.clock.run(100);
    journal.pieceVerified(1, 63 * 1024 * 1024);
    await machine.clock.run(machine.clock.nowMs() + 100);
    expect(machine.syncs).toBe(1);
    journal.pieceVerified(2, 1024 * 1024);
    await machine.clock.run(machine.clock.nowMs() + 100);
    expect(machine.syncs).toBe(2);
  });

  it('looks only at the files that a flush touched', async () => {
    const machine = new TestMachine([32768, 32768, 32768]);
    const { journal } = await machine.clock.until(machine.open());
    journal.pieceVerified(2, 16384);
    await machine.clock.until(journal.flush());
    expect(machine.asked).toEqual([1]);
  });

  it('never journals pieces whose sync failed, and says so once', async () => {
    const machine = new TestMachine([65536]);
    const faults: unknown[] = [];
    const { journal } = await machine.clock.until(machine.open(faults));
    machine.fault = 'sync';
    for (const piece of [0, 1]) {
      machine.write(piece);
      journal.pieceVerified(piece, 16384);
      await machine.clock.until(journal.flush());
    }
    expect(faults).toHaveLength(1);
    machine.fault = null;
    machine.write(2);
    journal.pieceVerified(2, 16384);
    await machine.clock.until(journal.close(true));
    const { resume } = await machine.clock.until(machine.open());
    expect(indices(resume.verified)).toEqual([2]);
  });

  it('tries again when the state folder was full, past what a failed append left behind', async () => {
    const machine = new TestMachine([65536]);
    const faults: unknown[] = [];
    const { journal } = await machine.clock.until(machine.open(faults));
    machine.fault = 'append';
    machine.write(0);
    journal.pieceVerified(0, 16384);
    await machine.clock.run(machine.clock.nowMs() + 25_000);
    expect(faults).toHaveLength(1);
    machine.fault = null;
    await machine.clock.run(machine.clock.nowMs() + 15_000);
    machine.crash(true, () => 0);
    const { resume } = await machine.clock.until(machine.open());
    expect(indices(resume.verified)).toEqual([0]);
  });

  it('stays small however often pieces come and go', async () => {
    const machine = new TestMachine([65536]);
    machine.syncMs = 1;
    const { journal } = await machine.clock.until(machine.open());
    let longest = 0;
    for (let i = 0; i < 1200; i++) {
      journal.pieceVerified(i % 4, 16384);
      if (i % 3 === 0) journal.pieceLost(i % 4);
      const flushed = journal.flush();
      await machine.clock.run(machine.clock.nowMs() + 20);
      await flushed;
      longest = Math.max(longest, machine.log.length);
    }
    expect(longest).toBeLessThan(70_000);
    await machine.clock.until(journal.close(true));
    expect(machine.log.length).toBeLessThan(200);
  });

  it('checks everything again when the journal belongs to another torrent or cannot be read', async () => {
    const machine = new TestMachine([65536]);
    await machine.clock.until(machine.open());
    const whole = machine.log;
    const spoilt = [whole.slice(0, 20), whole.map((byte, i) => (i === 12 ? byte ^ 1 : byte)), new Uint8Array(500_000)];
    for (const log of spoilt) {
      machine.log = log;
      const again = await machine.clock.until(machine.open());
      expect(again.resume).toMatchObject({ unclean: true, fresh: false, recheck: { isFull: true } });
      await machine.clock.until(again.journal.close(false));
    }
  });
});
