import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { canMount, mountSmallDisk } from '../../../../test/contract/small-disk.ts';
import type { ShoalError } from '../../../base/errors.ts';
import type { CommitOutcome, Content, ContentSpec, PieceIo } from '../../../ports/piece-io.ts';
import { nodeHashes } from '../hashes.ts';
import { isSha1Shared, LANES } from './hash-lanes.ts';
import { createNodePieceIo } from './piece-io.ts';

const BUDGET_BYTES = 4 << 20;

let folder: string;
let pieceIo: PieceIo;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-pieces-'));
  pieceIo = createNodePieceIo({ slotBudgetBytes: BUDGET_BYTES, workers: 2 });
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await pieceIo.close();
  await rm(folder, { recursive: true });
});

function open(path: string[], lengthBytes: number, more: Partial<ContentSpec> = {}): Content {
  const files = [{ path, lengthBytes, executable: false }];
  return pieceIo.open({ root: join(folder, 'root'), files, writable: true, preallocate: false, ...more });
}

async function commit(content: Content, piece: Uint8Array): Promise<CommitOutcome> {
  const slot = pieceIo.acquire(piece.length)!;
  slot.bytes.set(piece);
  const check = { sha1: nodeHashes.sha1(piece), root: null, treeBytes: 0, leafCount: 0 };
  try {
    return await content.commit(slot, check, Float64Array.of(0, 0, 0, piece.length));
  } finally {
    pieceIo.release(slot);
  }
}

const piece: Uint8Array = Uint8Array.from({ length: 100 }, (_, i) => i);

describe('pieces on a real disk', () => {
  it('never leave the root through a link that is there already', async () => {
    const outside = join(folder, 'outside');
    mkdirSync(outside);
    mkdirSync(join(folder, 'root'));
    writeFileSync(join(outside, 'precious'), 'precious');
    symlinkSync(outside, join(folder, 'root', 'absolute'));
    symlinkSync('../outside', join(folder, 'root', 'relative'));
    symlinkSync(join(outside, 'precious'), join(folder, 'root', 'file'));
    symlinkSync(join(outside, 'new'), join(folder, 'root', 'dangling'));
    const paths = [
      ['absolute', 'precious'],
      ['relative', 'precious'],
      ['relative', 'sub', 'x'],
      ['file'],
      ['dangling'],
    ];
    for (const path of paths) {
      const content = open(path, 100);
      await expect(commit(content, piece)).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
      await content.close();
    }
    expect(await readdir(outside)).toEqual(['precious']);
    expect(readFileSync(join(outside, 'precious'), 'utf8')).toBe('precious');
  });

  it('are not finished through a link either', async () => {
    const outside = join(folder, 'precious');
    writeFileSync(outside, 'precious');
    mkdirSync(join(folder, 'root'));
    symlinkSync(outside, join(folder, 'root', 'file'));
    for (const lengthBytes of [0, 3]) {
      const content = open(['file'], lengthBytes);
      await expect(content.finish([])).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
      await content.close();
    }
    expect(readFileSync(outside, 'utf8')).toBe('precious');
  });

  it('may have a root that the user made a link', async () => {
    mkdirSync(join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'root'));
    const content = open(['a', 'b'], 100);
    expect((await commit(content, piece)).good).toBe(true);
    expect(new Uint8Array(readFileSync(join(folder, 'elsewhere', 'a', 'b')))).toEqual(piece);
    await content.close();
  });

  it.skipIf(process.platform === 'win32')('do not wait for the other end of a pipe', async () => {
    mkdirSync(join(folder, 'root'));
    execFileSync('mkfifo', [join(folder, 'root', 'pipe')]);
    const content = open(['pipe'], 100);
    await expect(commit(content, piece)).rejects.toMatchObject({ code: 'FILE_IN_THE_WAY' });
    const job = { spans: Float64Array.of(0, 0, 0, 100), lengthBytes: 100, sha1: true, treeBytes: 0, leafCount: 0 };
    expect((await content.hash([{ ...job, wantLeaves: false }]))[0]!.present).toBe(false);
    await expect(content.read(job.spans, new Uint8Array(100))).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    await content.close();
  });

  it('keep the executable bits of who may read, and leave others alone', async () => {
    const content = open(['run'], 100, { files: [{ path: ['run'], lengthBytes: 100, executable: true }] });
    await commit(content, piece);
    const path = join(folder, 'root', 'run');
    chmodSync(path, 0o640);
    await content.finish([]);
    expect(statSync(path).mode & 0o777).toBe(0o750);
    await content.close();
  });

  it('are read anew by every recheck, also when a file was replaced', async () => {
    const content = open([], 100, { root: join(folder, 'single') });
    await commit(content, piece);
    const spans = Float64Array.of(0, 0, 0, 100);
    const job = { spans, lengthBytes: 100, sha1: true, treeBytes: 0, leafCount: 0, wantLeaves: false };
    expect((await content.hash([job]))[0]!.sha1).toEqual(nodeHashes.sha1(piece));
    await rm(join(folder, 'single'));
    expect((await content.hash([job]))[0]!.present).toBe(false);
    writeFileSync(
      join(folder, 'single'),
      piece.map((byte) => byte + 1),
    );
    expect((await content.hash([job]))[0]!.sha1).toEqual(nodeHashes.sha1(piece.map((byte) => byte + 1)));
    await content.close();
  });

  it('cannot be synced when their file is gone', async () => {
    const content = open(['a'], 100);
    await commit(content, piece);
    await rm(join(folder, 'root', 'a'));
    await expect(content.sync()).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    await content.close();
  });
});

describe('threads', () => {
  it('start while there is nothing to do yet where something will be written, and not where it is only read', () => {
    const started = vi.spyOn(Worker.prototype, 'unref');
    open(['a'], 100, { writable: false });
    expect(started).not.toHaveBeenCalled();
    open(['a'], 100);
    open(['b'], 100);
    expect(started).toHaveBeenCalledTimes(pieceIo.parallel);
  });
});

describe.skipIf(!canMount)('a disk that is full or read-only (needs root)', () => {
  it('is named, harms nothing that is there, and is taken up again when there is room', async ({ skip }) => {
    const place = join(folder, 'disk');
    const disk = mountSmallDisk(place, 1 << 20);
    if (disk === null) return skip('this machine does not let us mount');
    try {
      const openOn = (name: string, lengthBytes: number, preallocate: boolean): Content =>
        open([], lengthBytes, { root: join(place, name), preallocate });
      writeFileSync(join(place, 'filler'), new Uint8Array(900_000));
      const content = openOn('a', 500_000, false);
      const large = Buffer.alloc(500_000, 7);
      await expect(commit(content, large)).rejects.toMatchObject({ code: 'DISK_FULL' });
      expect(readFileSync(join(place, 'filler')).length).toBe(900_000);
      await rm(join(place, 'filler'));
      expect((await commit(content, large)).good).toBe(true);
      expect(large.equals(readFileSync(join(place, 'a')))).toBe(true);
      await content.close();

      const reserving = openOn('reserved', 5_000_000, true);
      await expect(commit(reserving, piece)).rejects.toMatchObject({ code: 'DISK_FULL' });
      expect(statSync(join(place, 'reserved')).size).toBe(0);
      await reserving.close();

      disk.makeReadOnly();
      for (const name of ['new', 'folder/new']) {
        const readOnly = openOn(name, 100, false);
        await expect(commit(readOnly, piece)).rejects.toMatchObject({ code: 'READ_ONLY' });
        await readOnly.close();
      }
    } finally {
      disk.unmount();
    }
  });
});

describe.each([
  ['in one call', '1'],
  ['one by one', '0'],
])('pieces of very many small files, %s', (_name, native) => {
  // The threads, which write and read, load the native module or do without.
  beforeEach(() => vi.stubEnv('SHOAL_NATIVE', native));

  const FILES = 200;
  const many: Uint8Array = Uint8Array.from({ length: 2 * FILES }, (_, i) => i);
  const spans: Float64Array = Float64Array.from(
    { length: 4 * FILES },
    (_, i) => [Math.floor(i / 4), 0, 2 * Math.floor(i / 4), 2].at(i % 4)!,
  );

  async function commitAll(content: Content): Promise<CommitOutcome> {
    const slot = pieceIo.acquire(many.length)!;
    slot.bytes.set(many);
    try {
      return await content.commit(slot, { sha1: nodeHashes.sha1(many), root: null, treeBytes: 0, leafCount: 0 }, spans);
    } finally {
      pieceIo.release(slot);
    }
  }

  function openMany(): Content {
    const files = Array.from({ length: FILES }, (_, i) => ({
      path: [`folder ${Math.floor(i / 50)}`, `file ${i}`],
      lengthBytes: 2,
      executable: false,
    }));
    return open([], 0, { files });
  }

  it('are written, looked at, synced and read', async () => {
    const content = openMany();
    expect(await commitAll(content)).toEqual({ good: true, root: null });
    await content.sync();
    const wanted = [3, ...Array.from({ length: 100 }, (_, i) => 100 + i)];
    const states = await content.states(wanted);
    for (const file of wanted) expect(states.at(file)).toMatchObject({ exists: true, lengthBytes: 2 });
    const into = new Uint8Array(new SharedArrayBuffer(many.length + 3)).fill(9);
    await content.read(spans, into);
    expect([...into]).toEqual([...many, 0, 0, 0]);
    await rm(join(folder, 'root', 'folder 2', 'file 120'));
    await expect(content.read(spans, into)).rejects.toMatchObject({
      code: 'FILE_CHANGED',
      message: expect.stringContaining('file 120') as string,
    });
    await content.close();
  });

  it('cannot be synced when one of them is gone', async () => {
    const content = openMany();
    await commitAll(content);
    await rm(join(folder, 'root', 'folder 0', 'file 7'));
    await expect(content.sync()).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    await content.close();
  });

  it('do not go through a link that takes the place of a folder between two pieces', async () => {
    const outside = join(folder, 'outside');
    mkdirSync(outside);
    const content = openMany();
    await commitAll(content);
    await rm(join(folder, 'root', 'folder 1'), { recursive: true });
    symlinkSync(outside, join(folder, 'root', 'folder 1'));
    await expect(commitAll(content)).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
    expect(await readdir(outside)).toEqual([]);
    await content.close();
  });
});

describe('the threads of pieces', () => {
  it('are not started before there is work', async () => {
    const post = vi.spyOn(Worker.prototype, 'postMessage');
    const content = open(['a'], 100);
    pieceIo.release(pieceIo.acquire(100)!);
    await content.close();
    expect(post).not.toHaveBeenCalled();
    expect(existsSync(join(folder, 'root'))).toBe(false);
  });

  it('reject the work of one that dies, and a new one takes over', async () => {
    const content = open(['a'], 100);
    const seen = new Set<Worker>();
    const real = Worker.prototype.postMessage;
    vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker, message: unknown) {
      seen.add(this);
      real.call(this, message);
    });
    const work = commit(content, piece);
    for (const worker of seen) void worker.terminate();
    await expect(work).rejects.toMatchObject({ code: 'IO' });
    expect((await commit(content, piece)).good).toBe(true);
    expect(seen.size).toBe(2);
    await content.close();
  });

  it('get pieces in quick succession together, each of which is told its own, also when all is closed meanwhile', async () => {
    mkdirSync(join(folder, 'root', 'file 5'), { recursive: true });
    const post = vi.spyOn(Worker.prototype, 'postMessage');
    const files = Array.from({ length: 12 }, (_, i) => ({ path: [`file ${i}`], lengthBytes: 1000, executable: false }));
    const content = open([], 0, { files });
    const pieces = files.map((_, i) => new Uint8Array(1000).fill(i + 1));
    const works = pieces.map(async (bytes, i) => {
      const slot = pieceIo.acquire(1000)!;
      slot.bytes.set(bytes);
      const sha1 = nodeHashes.sha1(i === 7 ? piece : bytes);
      // Hybrid ones among them, of which one has a wrong tree.
      const root = i === 3 ? nodeHashes.sha256(bytes) : i === 4 ? new Uint8Array(32) : null;
      const check = { sha1, root, treeBytes: 1000, leafCount: 1 };
      try {
        return (await content.commit(slot, check, Float64Array.of(i, 0, 0, 1000))).good;
      } finally {
        pieceIo.release(slot);
      }
    });
    const closed = content.close();
    const told = await Promise.all(works.map((work) => work.catch((error: ShoalError) => error.code)));
    await closed;
    expect(told).toEqual(pieces.map((_, i) => (i === 5 ? 'FILE_IN_THE_WAY' : i !== 4 && i !== 7)));
    for (const [i, good] of told.entries()) {
      const path = join(folder, 'root', `file ${i}`);
      if (good === true) expect(new Uint8Array(readFileSync(path))).toEqual(pieces[i]);
      else expect(existsSync(path)).toBe(i === 5);
    }
    const kinds = post.mock.calls.map(([message]) => (message as { kind: string }).kind);
    expect(kinds.includes('together')).toBe(isSha1Shared(LANES));
  });

  it('get the hash of the piece alone, not those of the whole torrent that lie in the same memory', async () => {
    const post = vi.spyOn(Worker.prototype, 'postMessage');
    const content = open(['a'], 100);
    const slot = pieceIo.acquire(100)!;
    const all = new Uint8Array(1 << 20);
    all.set(nodeHashes.sha1(slot.bytes), 20);
    const check = { sha1: all.subarray(20, 40), root: all.subarray(40, 72), treeBytes: 100, leafCount: 1 };
    expect((await content.commit(slot, check, Float64Array.of(0, 0, 0, 100))).good).toBe(false);
    pieceIo.release(slot);
    type Sent = { kind: string; sha1: Uint8Array; root: Uint8Array };
    const sent = post.mock.calls.map(([message]) => message as Sent).find(({ kind }) => kind === 'commit')!;
    expect(sent.sha1.buffer.byteLength + sent.root.buffer.byteLength).toBe(52);
    await content.close();
  });

  it('get the memory of a slot once, however often it is used', async () => {
    const post = vi.spyOn(Worker.prototype, 'postMessage');
    const content = open(['a'], 100);
    for (let i = 0; i < 5; i++) await commit(content, piece);
    const slots = post.mock.calls.filter(([message]) => (message as { kind: string }).kind === 'slot');
    expect(slots.length).toBe(1);
    await content.close();
  });
});

describe('slots', () => {
  it('give up free memory of other sizes for a new size', () => {
    const small = Array.from({ length: BUDGET_BYTES / (1 << 20) }, () => pieceIo.acquire(1 << 20)!);
    expect(pieceIo.acquire(1 << 20)).toBeNull();
    for (const slot of small) pieceIo.release(slot);
    const others = Array.from({ length: 8 }, () => pieceIo.acquire(1 << 19)!);
    expect(pieceIo.acquire(16384)).toBeNull();
    for (const slot of others) pieceIo.release(slot);
  });

  it('have twice the budget while pieces are fetched of which not even four fit it', () => {
    const long = Array.from({ length: 4 }, () => pieceIo.acquire(2 << 20)!);
    expect(pieceIo.acquire(16384)).toBeNull();
    pieceIo.release(long.pop()!);
    const short = pieceIo.acquire(1 << 20)!;
    for (const slot of long) pieceIo.release(slot);
    const more = Array.from({ length: 3 }, () => pieceIo.acquire(1 << 20)!);
    expect(pieceIo.acquire(16384)).toBeNull();
    for (const slot of [short, ...more]) pieceIo.release(slot);
  });

  it('are released once, and not during their commit', async () => {
    const slot = pieceIo.acquire(100)!;
    const content = open(['a'], 100);
    const check = { sha1: new Uint8Array(20), root: null, treeBytes: 0, leafCount: 0 };
    const work = content.commit(slot, check, Float64Array.of(0, 0, 0, 100));
    expect(() => pieceIo.release(slot)).toThrow('during its commit');
    expect((await work).good).toBe(false);
    pieceIo.release(slot);
    expect(() => pieceIo.release(slot)).toThrow('released once');
    await content.close();
  });
});
