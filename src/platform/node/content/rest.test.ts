import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CommitOutcome, Content, PieceIo, PieceSlot } from '../../../ports/piece-io.ts';
import { nodeHashes } from '../hashes.ts';
import { createNodePieceIo } from './piece-io.ts';
import { Rest } from './rest.ts';

const REST_MS = 30_000;
const LENGTH = 100;

let folder: string;
let pieceIo: PieceIo;
let content: Content;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-rest-'));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  pieceIo = createNodePieceIo({ slotBudgetBytes: 1 << 20, workers: 1 });
  const files = [{ path: ['a'], lengthBytes: LENGTH, executable: false }];
  content = pieceIo.open({ root: folder, files, writable: true, preallocate: false });
});

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await pieceIo.close();
  await rm(folder, { recursive: true });
});

/** By its tree: pieces with SHA-1 hashes might wait for each other. */
function commit(slot: PieceSlot, value: number): Promise<CommitOutcome> {
  slot.bytes.fill(value);
  const check = { sha1: null, root: nodeHashes.sha256(slot.bytes), treeBytes: LENGTH, leafCount: 1 };
  return content.commit(slot, check, Float64Array.of(0, 0, 0, LENGTH));
}

async function write(value: number): Promise<boolean> {
  const slot = pieceIo.acquire(LENGTH)!;
  try {
    return (await commit(slot, value)).good;
  } finally {
    pieceIo.release(slot);
  }
}

describe('After half a minute without work', () => {
  it('threads end and free memory goes, and both come again when they are needed', async () => {
    const end = vi.spyOn(Worker.prototype, 'terminate');
    const post = vi.spyOn(Worker.prototype, 'postMessage');
    const kinds = () => post.mock.calls.map(([message]) => (message as { kind: string }).kind);
    expect(await write(1)).toBe(true);
    vi.advanceTimersByTime(REST_MS - 1);
    expect(await write(2)).toBe(true);
    vi.advanceTimersByTime(REST_MS - 1);
    expect(end).not.toHaveBeenCalled();
    expect(kinds()).toEqual(['content', 'slot', 'commit', 'commit']);
    vi.advanceTimersByTime(1);
    expect(end).toHaveBeenCalledTimes(1);
    post.mockClear();
    expect(await write(3)).toBe(true);
    expect(kinds()).toEqual(['content', 'slot', 'commit']);
    await content.close();
    expect(new Uint8Array(readFileSync(join(folder, 'a')))).toEqual(new Uint8Array(LENGTH).fill(3));
  });

  it('a thread that works, and a slot that is held, stay', async () => {
    const end = vi.spyOn(Worker.prototype, 'terminate');
    const slot = pieceIo.acquire(LENGTH)!;
    const done = commit(slot, 4);
    vi.advanceTimersByTime(2 * REST_MS);
    expect(end).not.toHaveBeenCalled();
    expect((await done).good).toBe(true);
    vi.advanceTimersByTime(REST_MS);
    expect(end).toHaveBeenCalledTimes(1);
    expect((await commit(slot, 5)).good).toBe(true);
    pieceIo.release(slot);
  });
});

describe('A rest', () => {
  it('is told once it has lasted, however often it was broken before, and not after the end', () => {
    let told = 0;
    const rest = new Rest(() => told++);
    rest.begin();
    vi.advanceTimersByTime(REST_MS - 1);
    rest.end();
    rest.begin();
    vi.advanceTimersByTime(REST_MS - 1);
    expect(told).toBe(0);
    vi.advanceTimersByTime(1);
    expect(told).toBe(1);
    rest.begin();
    rest.end();
    vi.advanceTimersByTime(REST_MS);
    rest.begin();
    rest.stop();
    vi.advanceTimersByTime(REST_MS);
    expect(told).toBe(1);
  });
});
