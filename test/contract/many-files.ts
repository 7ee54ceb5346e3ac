// What every PieceIo does with content of very many small files, which go together where that is faster.

import { describe, expect, it } from 'vitest';
import type { Content, ContentFile, HashJob } from '../../src/ports/piece-io.ts';
import { SpanTable } from '../../src/storage/span-table.ts';
import { type ContractHost, inWorld, type MakeWorld } from './world.ts';

const FILES = 150;
const PIECE_BYTES = 6000;

/** Some are empty, some long enough for the end of a piece to lie in them; behind every tenth there is padding. */
const lengths: readonly number[] = Array.from({ length: FILES }, (_, i) => (i % 13 === 5 ? 0 : 1 + ((i * 97) % 700)));
const starts: number[] = [];
let end = 0;
for (const [i, length] of lengths.entries()) {
  starts.push(end);
  end += length + (i % 10 === 9 ? 50 : 0);
}
const table = new SpanTable(starts, lengths);
const pieceCount = Math.ceil(end / PIECE_BYTES);

const files: readonly ContentFile[] = lengths.map((lengthBytes, i) => ({
  path: [`folder ${Math.floor(i / 40)}`, ...(i % 40 < 20 ? ['déjà vu'] : []), `file ${i}`],
  lengthBytes,
  executable: i % 3 === 0,
}));

/** The whole piece space; padding is zero. */
const all: Uint8Array = new Uint8Array(end);
for (const [i, start] of starts.entries()) {
  for (let at = start; at < start + lengths[i]!; at++) all[at] = (at * 31 + i * 7 + 1) & 0xff;
}

function pieceAt(piece: number): Uint8Array {
  return all.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES);
}

function spansAt(piece: number): Float64Array {
  return table.spans(piece * PIECE_BYTES, pieceAt(piece).length);
}

function open({ env, folder }: ContractHost, writable = true): Content {
  return env.pieceIo.open({ root: `${folder}/root`, files, writable, preallocate: false });
}

async function commitAll({ env }: ContractHost, content: Content): Promise<void> {
  for (let piece = 0; piece < pieceCount; piece++) {
    const bytes = pieceAt(piece);
    const slot = env.pieceIo.acquire(bytes.length)!;
    slot.bytes.set(bytes);
    const check = { sha1: env.hashes.sha1(bytes), root: null, treeBytes: 0, leafCount: 0 };
    try {
      expect(await content.commit(slot, check, spansAt(piece))).toEqual({ good: true, root: null });
    } finally {
      env.pieceIo.release(slot);
    }
  }
}

function onDisk({ folder }: ContractHost, file: number): string {
  return `${folder}/root/${files[file]!.path.join('/')}`;
}

/** Which pieces are on disk as they should be, and what was told of the lengths of files. */
async function goodPieces({ env }: ContractHost, content: Content): Promise<{ good: boolean[]; told: Float64Array }> {
  const told = new Float64Array(FILES).fill(Number.NaN);
  const jobs = Array.from({ length: pieceCount }, (_, piece): HashJob => {
    const lengthBytes = pieceAt(piece).length;
    return { spans: spansAt(piece), lengthBytes, sha1: true, treeBytes: 0, leafCount: 0, wantLeaves: false };
  });
  const outcomes = await content.hash(jobs, told);
  const hex = (bytes: Uint8Array | null): string => (bytes === null ? '' : Buffer.from(bytes).toString('hex'));
  return { good: outcomes.map(({ sha1 }, piece) => hex(sha1) === hex(env.hashes.sha1(pieceAt(piece)))), told };
}

export function manyFilesContract(name: string, makeWorld: MakeWorld): void {
  const inHost = (body: (host: ContractHost) => Promise<void>) => () => inWorld(makeWorld, ({ a }) => body(a));

  describe(`${name}: very many small files`, () => {
    it(
      'are written, synced, looked at, hashed, read and finished',
      inHost(async (host) => {
        const content = open(host);
        const before = await content.states();
        for (let file = 0; file < FILES; file++) expect(before.at(file).exists).toBe(false);
        await commitAll(host, content);
        await content.sync();
        await content.finish([]);
        const states = await content.states();
        for (const [file, lengthBytes] of lengths.entries()) {
          const info = await host.env.files.info(onDisk(host, file));
          expect(info).toMatchObject({ kind: 'file', lengthBytes, executable: files[file]!.executable });
          const { mtimeMs } = info!;
          expect(states.at(file)).toEqual({ exists: true, lengthBytes, mtimeMs, executable: files[file]!.executable });
          const bytes = await host.env.files.read(onDisk(host, file), 1000);
          expect(Buffer.compare(bytes, all.subarray(starts[file]!, starts[file]! + lengthBytes))).toBe(0);
        }
        const { good, told } = await goodPieces(host, content);
        expect(good).toEqual(good.map(() => true));
        for (const [file, length] of lengths.entries()) expect(told[file]).toBe(length === 0 ? Number.NaN : length);
        const into = new Uint8Array(new SharedArrayBuffer(end)).fill(9);
        await content.read(table.spans(0, end), into);
        expect(Buffer.compare(into, all)).toBe(0);
        await content.close();
      }),
    );

    it(
      'that are there already are written over, and get their lengths at the end',
      inHost(async (host) => {
        for (const file of [3, 4, 20, 77]) await host.env.files.makeFolder(onDisk(host, file).replace(/\/[^/]*$/, ''));
        await host.env.files.write(onDisk(host, 3), new Uint8Array(2000).fill(1));
        await host.env.files.write(onDisk(host, 4), new Uint8Array(1));
        await host.env.files.write(onDisk(host, 77), new Uint8Array(900));
        const content = open(host);
        await commitAll(host, content);
        expect((await content.states([3])).at(3).lengthBytes).toBe(2000);
        await content.finish([]);
        const states = await content.states();
        for (const [file, lengthBytes] of lengths.entries()) expect(states.at(file)).toMatchObject({ lengthBytes });
        const { good } = await goodPieces(host, content);
        expect(good).toEqual(good.map(() => true));
        await content.close();
      }),
    );

    it(
      'of which one is missing, another short and a third longer: told of the pieces that lack bytes',
      inHost(async (host) => {
        const writing = open(host);
        await commitAll(host, writing);
        await writing.close();
        await host.env.files.remove(onDisk(host, 30));
        await host.env.files.write(onDisk(host, 60), all.subarray(starts[60]!, starts[60]! + lengths[60]! - 1));
        await host.env.files.write(onDisk(host, 90), all.subarray(starts[90]!, starts[90]! + lengths[90]! + 40));
        const content = open(host, false);
        const { good, told } = await goodPieces(host, content);
        for (const [piece, isGood] of good.entries()) {
          const spans = spansAt(piece);
          expect(isGood).toBe(!spans.some((value, i) => i % 4 === 0 && (value === 30 || value === 60)));
        }
        expect([told[30], told[90]]).toEqual([Number.NaN, lengths[90]! + 40]);
        const into = new Uint8Array(new SharedArrayBuffer(end));
        await expect(content.read(table.spans(0, end), into)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
        await content.close();
      }),
    );

    it(
      'are refused where something else is in the way of one of them',
      inHost(async (host) => {
        await host.env.files.makeFolder(onDisk(host, 2));
        const content = open(host);
        await expect(commitAll(host, content)).rejects.toMatchObject({ code: 'FILE_IN_THE_WAY' });
        await content.close();
      }),
    );
  });
}
