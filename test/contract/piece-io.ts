// What every PieceIo does, in the real world and in the simulated one.

import { describe, expect, it } from 'vitest';
import { concatBytes, equalBytes } from '../../src/base/bytes.ts';
import type { ErrorCode } from '../../src/base/errors.ts';
import type { Hashes } from '../../src/ports/hashes.ts';
import type { Content, ContentFile, HashJob, PieceCheck } from '../../src/ports/piece-io.ts';
import { type ContractHost, inWorld, type MakeWorld } from './world.ts';

const LEAF_BYTES = 16384;

export function pieceIoContract(name: string, makeWorld: MakeWorld): void {
  const inHost = (body: (host: ContractHost) => Promise<void>) => () => inWorld(makeWorld, ({ a }) => body(a));

  describe(`${name}: slots of pieces`, () => {
    it(
      'gives memory of exactly the length asked for, zero also when it was used before',
      inHost(async ({ env: { pieceIo } }) => {
        for (const length of [1, 16384, 100_000, 1 << 20, 100_000]) {
          const slot = pieceIo.acquire(length)!;
          expect(slot.bytes.length).toBe(length);
          expect(slot.bytes.every((byte) => byte === 0)).toBe(true);
          slot.bytes.fill(0xff);
          pieceIo.release(slot);
        }
      }),
    );

    it(
      'gives nothing while the budget is used up, and again after a release',
      inHost(async ({ env: { pieceIo } }) => {
        const slots = [];
        for (let slot = pieceIo.acquire(4 << 20); slot; slot = pieceIo.acquire(4 << 20)) {
          slots.push(slot);
          expect(slots.length).toBeLessThan(1000);
        }
        expect(slots.length).toBeGreaterThan(0);
        pieceIo.release(slots.pop()!);
        const again = pieceIo.acquire(4 << 20);
        expect(again).not.toBeNull();
        for (const slot of [...slots, again!]) pieceIo.release(slot);
      }),
    );

    it(
      'gives one slot larger than the budget to an empty pool',
      inHost(async ({ env: { pieceIo } }) => {
        const small = pieceIo.acquire(16384)!;
        expect(pieceIo.acquire(512 << 20)).toBeNull();
        pieceIo.release(small);
        const large = pieceIo.acquire(512 << 20)!;
        expect(large.bytes.length).toBe(512 << 20);
        expect(pieceIo.acquire(16384)).toBeNull();
        pieceIo.release(large);
        pieceIo.release(pieceIo.acquire(16384)!);
      }),
    );
  });

  describe(`${name}: committing pieces`, () => {
    it(
      'writes a good piece to its files and leaves padding out',
      inHost(async (host) => {
        const files = [file('a', 10), file('folder/deeper/b', 20)];
        const content = open(host, 'root', files);
        const piece = pattern(40);
        piece.fill(0, 10, 20);
        const spans = Float64Array.of(0, 0, 0, 10, 1, 0, 20, 20);
        const outcome = await commit(host, content, piece, sha1Check(host.env.hashes, piece), spans);
        expect(outcome).toEqual({ good: true, root: null });
        expect(await read(host, 'root/a')).toEqual(piece.subarray(0, 10));
        expect(await read(host, 'root/folder/deeper/b')).toEqual(piece.subarray(20));
        await content.close();
      }),
    );

    it(
      'writes a bad piece nowhere, and makes no file or folder for it',
      inHost(async (host) => {
        const content = open(host, 'root', [file('a', 1000), file('b/c', 1000)]);
        const good = pattern(1000);
        await commit(host, content, good, sha1Check(host.env.hashes, good), Float64Array.of(0, 0, 0, 1000));
        const bad = pattern(1000, 1);
        const check = sha1Check(host.env.hashes, good);
        for (const index of [0, 1]) {
          const outcome = await commit(host, content, bad, check, Float64Array.of(index, 0, 0, 1000));
          expect(outcome).toEqual({ good: false, leaves: null });
        }
        expect(await read(host, 'root/a')).toEqual(good);
        expect(await host.env.files.info(`${host.folder}/root/b`)).toBeNull();
        await content.close();
      }),
    );

    it(
      'wants both hashes of a hybrid piece to match, and tells the leaves of a bad one',
      inHost(async (host) => {
        const { hashes } = host.env;
        const length = 2 * LEAF_BYTES + 77;
        const content = open(host, 'root', [file('a', length)]);
        const piece = pattern(length);
        const good = { ...treeCheck(hashes, piece, 4), sha1: hashes.sha1(piece) };
        const spans = Float64Array.of(0, 0, 0, length);
        const leaves = leavesOf(hashes, piece);
        for (const wrong of [
          { ...good, sha1: new Uint8Array(20) },
          { ...good, root: new Uint8Array(32) },
        ]) {
          expect(await commit(host, content, piece, wrong, spans)).toEqual({ good: false, leaves });
          expect(await host.env.files.info(`${host.folder}/root/a`)).toBeNull();
        }
        expect(await commit(host, content, piece, good, spans)).toEqual({ good: true, root: good.root });
        expect(equalBytes(await read(host, 'root/a'), piece)).toBe(true);
        await content.close();
      }),
    );

    it(
      'covers by the tree what is data and takes zero leaves for the rest',
      inHost(async (host) => {
        const { hashes } = host.env;
        for (const [dataBytes, leafCount] of [
          [1, 1],
          [LEAF_BYTES, 1],
          [LEAF_BYTES + 1, 2],
          [3 * LEAF_BYTES, 4],
          [3 * LEAF_BYTES, 64],
          [5 * LEAF_BYTES + 5, 8],
        ] as const) {
          const content = open(host, `root${dataBytes}-${leafCount}`, [file('a', dataBytes)]);
          const piece = pattern(dataBytes);
          // A slot with padding behind the data, as a hybrid piece at the end of a file has.
          const padded = concatBytes([piece, new Uint8Array(leafCount * LEAF_BYTES - dataBytes)]);
          const check = treeCheck(hashes, piece, leafCount);
          const spans = Float64Array.of(0, 0, 0, dataBytes);
          expect(await commit(host, content, padded, check, spans)).toEqual({ good: true, root: check.root });
          await content.close();
        }
      }),
    );

    it(
      'keeps many commits to many files apart',
      inHost(async (host) => {
        const count = 300;
        const files = Array.from({ length: count }, (_, i) => file(`f${i % 7}/${i}`, 1000));
        const content = open(host, 'root', files);
        const pieces = files.map((_, i) => pattern(1000, i));
        const commits = pieces.map((piece, i) =>
          commit(host, content, piece, sha1Check(host.env.hashes, piece), Float64Array.of(i, 0, 0, 1000)),
        );
        for (const outcome of await Promise.all(commits)) expect(outcome.good).toBe(true);
        await content.sync();
        for (const [i, piece] of pieces.entries()) {
          expect(equalBytes(await read(host, `root/f${i % 7}/${i}`), piece)).toBe(true);
        }
        await content.close();
      }),
    );

    it(
      'reserves the whole file at the first write where that is asked for, without harm to what is there',
      inHost(async (host) => {
        const length = 3 << 20;
        const root = `${host.folder}/root`;
        await host.env.files.write(root, pattern(1000, 5));
        const spec = { root, files: [{ path: [], lengthBytes: length, executable: false }] };
        const content = host.env.pieceIo.open({ ...spec, writable: true, preallocate: true });
        const commits = [1, 2, 3, 4].map((i) => {
          const piece = pattern(1000, i);
          return commit(
            host,
            content,
            piece,
            sha1Check(host.env.hashes, piece),
            Float64Array.of(0, i * 500_000, 0, 1000),
          );
        });
        await Promise.all(commits);
        const bytes = await host.env.files.read(root, length);
        expect(bytes.length).toBe(length);
        expect(bytes.subarray(0, 1000)).toEqual(pattern(1000, 5));
        for (const i of [1, 2, 3, 4]) {
          expect(bytes.subarray(i * 500_000, i * 500_000 + 1000)).toEqual(pattern(1000, i));
        }
        await content.close();
      }),
    );

    it(
      'refuses to write through a symbolic link below the root, be it a folder or the file',
      inHost(async (host) => {
        await host.env.files.makeFolder(`${host.folder}/root/real`);
        await host.env.files.write(`${host.folder}/root/real/file`, pattern(10, 9));
        const linker = open(host, 'root', []);
        await linker.finish([
          { path: ['link'], target: ['real'] },
          { path: ['filelink'], target: ['real', 'file'] },
        ]);
        await linker.close();
        const content = open(host, 'root', [file('link/file', 10), file('filelink', 10), file('link/sub/new', 10)]);
        const piece = pattern(10);
        for (const index of [0, 1, 2]) {
          const work = commit(
            host,
            content,
            piece,
            sha1Check(host.env.hashes, piece),
            Float64Array.of(index, 0, 0, 10),
          );
          await fails(work, 'UNSAFE_PATH');
        }
        expect(await read(host, 'root/real/file')).toEqual(pattern(10, 9));
        expect(await host.env.files.info(`${host.folder}/root/real/sub`)).toBeNull();
        await content.close();
      }),
    );

    it(
      'says that a folder or a file is in the way',
      inHost(async (host) => {
        await host.env.files.makeFolder(`${host.folder}/root/folder`);
        await host.env.files.write(`${host.folder}/root/file`, pattern(1));
        const content = open(host, 'root', [file('folder', 10), file('file/below', 10)]);
        const piece = pattern(10);
        for (const index of [0, 1]) {
          const work = commit(
            host,
            content,
            piece,
            sha1Check(host.env.hashes, piece),
            Float64Array.of(index, 0, 0, 10),
          );
          await fails(work, 'FILE_IN_THE_WAY');
        }
        await content.close();
      }),
    );
  });

  describe(`${name}: hashing and reading`, () => {
    it(
      'hashes many jobs and tells the outcomes in their order',
      inHost(async (host) => {
        const { hashes } = host.env;
        const bytes = pattern(40 * 20_000);
        await host.env.files.makeFolder(`${host.folder}/root`);
        await host.env.files.write(`${host.folder}/root/a`, bytes);
        const content = open(host, 'root', [file('a', bytes.length)], false);
        const jobs: HashJob[] = Array.from({ length: 40 }, (_, i) => ({
          spans: Float64Array.of(0, i * 20_000, 0, 20_000),
          lengthBytes: 20_000,
          sha1: i % 2 === 0,
          treeBytes: i % 3 === 0 ? 20_000 : 0,
          leafCount: i % 3 === 0 ? 2 : 0,
          wantLeaves: i % 6 === 0,
        }));
        const outcomes = await content.hash(jobs);
        expect(outcomes.length).toBe(40);
        for (const [i, outcome] of outcomes.entries()) {
          const piece = bytes.subarray(i * 20_000, (i + 1) * 20_000);
          expect(outcome).toEqual({
            present: true,
            sha1: i % 2 === 0 ? hashes.sha1(piece) : null,
            root: i % 3 === 0 ? treeCheck(hashes, piece, 2).root : null,
            leaves: i % 6 === 0 ? leavesOf(hashes, piece) : null,
          });
        }
        expect(await content.hash([])).toEqual([]);
        await content.close();
      }),
    );

    it(
      'hashes long pieces over several files, with padding between and behind',
      inHost(async (host) => {
        const { files, hashes } = host.env;
        await files.makeFolder(`${host.folder}/root`);
        const [first, second] = [pattern(700_001, 1), pattern(600_003, 2)];
        await files.write(`${host.folder}/root/a`, first);
        await files.write(`${host.folder}/root/b`, second);
        const content = open(host, 'root', [file('a', first.length), file('b', second.length)], false);
        const piece = new Uint8Array(2_000_000);
        piece.set(first);
        piece.set(second, 900_000);
        const spans = Float64Array.of(0, 0, 0, first.length, 1, 0, 900_000, second.length);
        const job = { spans, lengthBytes: piece.length, sha1: true, treeBytes: 0, leafCount: 0, wantLeaves: false };
        const [outcome] = await content.hash([job]);
        expect(outcome!.sha1).toEqual(hashes.sha1(piece));
        await content.close();
      }),
    );

    it(
      'tells that a piece is not present where a file is missing, too short or a folder, and how long files were',
      inHost(async (host) => {
        const { files } = host.env;
        await files.makeFolder(`${host.folder}/root/folder`);
        await files.write(`${host.folder}/root/short`, pattern(99));
        const content = open(host, 'root', [file('missing', 100), file('short', 100), file('folder', 100)], false);
        const job = (index: number, length: number): HashJob => ({
          spans: Float64Array.of(index, 0, 0, length),
          lengthBytes: length,
          sha1: true,
          treeBytes: 0,
          leafCount: 0,
          wantLeaves: false,
        });
        const lengths = new Float64Array(3).fill(Number.NaN);
        const outcomes = await content.hash([job(0, 100), job(1, 100), job(2, 100), job(1, 99)], lengths);
        expect(outcomes.map(({ present }) => present)).toEqual([false, false, false, true]);
        expect([...lengths]).toEqual([Number.NaN, 99, Number.NaN]);
        expect(outcomes[0]).toEqual({ present: false, sha1: null, root: null, leaves: null });
        await content.close();
      }),
    );

    it(
      'reads over files and makes padding zero',
      inHost(async (host) => {
        const { files } = host.env;
        await files.makeFolder(`${host.folder}/root`);
        await files.write(`${host.folder}/root/a`, pattern(100, 1));
        await files.write(`${host.folder}/root/b`, pattern(100, 2));
        const content = open(host, 'root', [file('a', 100), file('b', 100)], false);
        const into = new Uint8Array(100).fill(0xee);
        await content.read(Float64Array.of(0, 50, 10, 30, 1, 20, 60, 20), into);
        const expected = new Uint8Array(100);
        expected.set(pattern(100, 1).subarray(50, 80), 10);
        expected.set(pattern(100, 2).subarray(20, 40), 60);
        expect(into).toEqual(expected);
        await content.close();
      }),
    );

    it(
      'says FILE_CHANGED where a file is missing or short',
      inHost(async (host) => {
        await host.env.files.makeFolder(`${host.folder}/root`);
        await host.env.files.write(`${host.folder}/root/short`, pattern(99));
        const content = open(host, 'root', [file('missing', 100), file('short', 100)], false);
        await fails(content.read(Float64Array.of(0, 0, 0, 100), new Uint8Array(100)), 'FILE_CHANGED');
        await fails(content.read(Float64Array.of(1, 0, 0, 100), new Uint8Array(100)), 'FILE_CHANGED');
        await content.close();
      }),
    );

    it(
      'tells the states of the files',
      inHost(async (host) => {
        await host.env.files.makeFolder(`${host.folder}/root/folder`);
        await host.env.files.write(`${host.folder}/root/a`, pattern(42));
        const content = open(host, 'root', [file('a', 100), file('missing', 1), file('folder', 1)], false);
        const states = await content.states();
        const [first, missing, folder] = [0, 1, 2].map((file) => states.at(file));
        expect(first).toMatchObject({ exists: true, lengthBytes: 42 });
        const info = await host.env.files.info(`${host.folder}/root/a`);
        expect(first!.mtimeMs).toBe(info!.mtimeMs);
        expect([missing!.exists, folder!.exists]).toEqual([false, false]);
        await content.close();
      }),
    );
  });

  describe(`${name}: finishing`, () => {
    it(
      'makes empty files, sets lengths and executable bits, makes links',
      inHost(async (host) => {
        const { files } = host.env;
        await files.makeFolder(`${host.folder}/root`);
        await files.write(`${host.folder}/root/long`, pattern(50));
        const run: ContentFile = { path: ['run'], lengthBytes: 5, executable: true };
        const content = open(host, 'root', [file('long', 20), file('empty/one', 0), run]);
        const piece = pattern(5);
        await commit(host, content, piece, sha1Check(host.env.hashes, piece), Float64Array.of(2, 0, 0, 5));
        const links = [{ path: ['links', 'to'], target: ['empty', 'one'] }];
        await content.finish(links);
        await content.finish(links);
        expect(await read(host, 'root/long')).toEqual(pattern(50).subarray(0, 20));
        expect(await read(host, 'root/empty/one')).toEqual(new Uint8Array(0));
        expect(await files.info(`${host.folder}/root/run`)).toMatchObject({ executable: true, lengthBytes: 5 });
        expect(await files.info(`${host.folder}/root/long`)).toMatchObject({ executable: false });
        expect(await files.info(`${host.folder}/root/links/to`, { follow: false })).toMatchObject({ kind: 'symlink' });
        expect(await files.readLink(`${host.folder}/root/links/to`)).toBe('../empty/one');
        await content.close();
      }),
    );

    it(
      'follows links when it only reads',
      inHost(async (host) => {
        await host.env.files.makeFolder(`${host.folder}/root/real`);
        await host.env.files.write(`${host.folder}/root/real/file`, pattern(10));
        const linker = open(host, 'root', []);
        await linker.finish([{ path: ['link'], target: ['real'] }]);
        await linker.close();
        const content = open(host, 'root', [file('link/file', 10)], false);
        const into = new Uint8Array(10);
        await content.read(Float64Array.of(0, 0, 0, 10), into);
        expect(into).toEqual(pattern(10));
        await content.close();
      }),
    );

    it(
      'waits at close for the commit under way',
      inHost(async (host) => {
        const content = open(host, 'root', [file('a', 100_000)]);
        const piece = pattern(100_000);
        const done = commit(host, content, piece, sha1Check(host.env.hashes, piece), Float64Array.of(0, 0, 0, 100_000));
        await content.close();
        expect(equalBytes(await read(host, 'root/a'), piece)).toBe(true);
        expect((await done).good).toBe(true);
      }),
    );
  });
}

/** A file of a content by its `/`-separated path. */
function file(path: string, lengthBytes: number): ContentFile {
  return { path: path.split('/'), lengthBytes, executable: false };
}

function open(host: ContractHost, name: string, files: readonly ContentFile[], writable = true): Content {
  return host.env.pieceIo.open({ root: `${host.folder}/${name}`, files, writable, preallocate: false });
}

function read(host: ContractHost, path: string): Promise<Uint8Array> {
  return host.env.files.read(`${host.folder}/${path}`, 16 << 20);
}

/** Bytes that differ from place to place and from seed to seed. */
function pattern(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed * 101 + 1) & 0xff);
}

async function commit(
  { env: { pieceIo } }: ContractHost,
  content: Content,
  piece: Uint8Array,
  check: PieceCheck,
  spans: Float64Array,
): ReturnType<Content['commit']> {
  const slot = pieceIo.acquire(piece.length)!;
  slot.bytes.set(piece);
  try {
    return await content.commit(slot, check, spans);
  } finally {
    pieceIo.release(slot);
  }
}

function sha1Check(hashes: Hashes, piece: Uint8Array): PieceCheck {
  return { sha1: hashes.sha1(piece), root: null, treeBytes: 0, leafCount: 0 };
}

function leavesOf(hashes: Hashes, data: Uint8Array): Uint8Array {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += LEAF_BYTES) leaves.push(hashes.sha256(data.subarray(at, at + LEAF_BYTES)));
  return concatBytes(leaves);
}

/** By the book: all leaves laid out, then halved until one is left (BEP 52). */
function treeCheck(hashes: Hashes, data: Uint8Array, leafCount: number): PieceCheck {
  let nodes = concatBytes([leavesOf(hashes, data), new Uint8Array(leafCount * 32)]).subarray(0, leafCount * 32);
  while (nodes.length > 32) {
    const above: Uint8Array[] = [];
    for (let at = 0; at < nodes.length; at += 64) above.push(hashes.sha256(nodes.subarray(at, at + 64)));
    nodes = concatBytes(above);
  }
  return { sha1: null, root: nodes, treeBytes: data.length, leafCount };
}

async function fails(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  await expect(work).rejects.toMatchObject({ name: 'ShoalError', code });
}
