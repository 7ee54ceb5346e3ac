import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { noise } from '../../test/support/sample-torrents.ts';
import { toHex } from '../base/bytes.ts';
import type { MetaKind } from '../metainfo/build.ts';
import { Geometry } from '../metainfo/geometry.ts';
import { parseMtorrent } from '../metainfo/mtorrent.ts';
import { PieceChecks } from '../metainfo/piece-check.ts';
import { createNodeEnv, type NodeEnv } from '../platform/node/env.ts';
import { Layout } from '../storage/layout.ts';
import { verifyContent } from '../storage/verify.ts';
import { type CreateOptions, createMtorrent, createTorrent } from './create.ts';
import { choosePieceLength } from './piece-length.ts';

let env: NodeEnv;
let folder: string;

beforeAll(() => {
  env = createNodeEnv({ stateFolder: join(tmpdir(), 'shoal-create-none') });
});
afterAll(() => env.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-create-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, bytes: Uint8Array | string): string {
  const whole = join(folder, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, bytes);
  return whole;
}

function options(path: string, more: Partial<CreateOptions> = {}): CreateOptions {
  return {
    path,
    meta: 'v1',
    symlinks: 'follow',
    trackers: [],
    webSeeds: [],
    private: false,
    creationDate: null,
    ...more,
  };
}

const code = (expected: string): unknown => expect.objectContaining({ code: expected });

function paths(created: Awaited<ReturnType<typeof createTorrent>>): string[] {
  return created.metainfo.info.files.filter((file) => !file.padding).map((file) => file.path.join('/'));
}

describe('create', () => {
  it('makes torrents of every kind that verify against what they were made of', async () => {
    put('c/b', noise(40_000, 1));
    put('c/a/z', noise(100_000, 2));
    put('c/.hidden', noise(5, 3));
    put('c/empty', '');
    mkdirSync(join(folder, 'c/no-files/here'), { recursive: true });
    for (const meta of ['v1', 'v2', 'hybrid'] as MetaKind[]) {
      const created = await createTorrent(env, options(join(folder, 'c'), { meta, pieceLengthBytes: 32768 }));
      const { info, pieceLayers } = created.metainfo;
      expect(paths(created)).toEqual(['.hidden', 'a/z', 'b', 'empty']);
      expect(info.name).toBe('c');
      const geometry = new Geometry(info);
      const layout = new Layout(info, geometry);
      const checks = new PieceChecks(info, pieceLayers, env.hashes.sha256);
      const content = env.pieceIo.open(layout.spec(join(folder, 'c'), { writable: false, preallocate: false }));
      const { good } = await verifyContent(env, { geometry, layout, checks, content });
      await content.close();
      expect(good.isFull).toBe(true);
    }
  });

  it('hashes pieces of v1 over the borders of files', async () => {
    const [a, b] = [noise(20_000, 1), noise(20_000, 2)];
    put('c/a', a);
    put('c/b', b);
    const { metainfo } = await createTorrent(env, options(join(folder, 'c'), { pieceLengthBytes: 16384 }));
    const all = Buffer.concat([a, b]);
    const hashes = [0, 1, 2].map((i) =>
      createHash('sha1')
        .update(all.subarray(i * 16384, (i + 1) * 16384))
        .digest('hex'),
    );
    expect(toHex(metainfo.info.pieceHashes!)).toBe(hashes.join(''));
  });

  it('gives the same bytes again for the same content, and says the date where it is wanted', async () => {
    const path = put('f', noise(50_000, 1));
    const once = await createTorrent(env, options(path));
    expect((await createTorrent(env, options(path))).bytes).toEqual(once.bytes);
    const { creationDate: _, ...dated } = options(path);
    expect((await createTorrent(env, dated)).metainfo.creationDate).toBeGreaterThan(1_700_000_000);
  });

  it('keeps executable bits, leaves excluded files and folders out, and takes another name', async () => {
    chmodSync(put('c/run', 'x'), 0o755);
    put('c/plain', 'x');
    put('c/tmp/deep/file', 'x');
    const exclude = (path: string): boolean => path === 'tmp';
    const created = await createTorrent(env, options(`${folder}/c/`, { exclude, name: 'other' }));
    expect(created.metainfo.info.files.map(({ path, executable }) => [path.join('/'), executable])).toEqual([
      ['plain', false],
      ['run', true],
    ]);
    expect(created.metainfo.info.name).toBe('other');
    expect((await createTorrent(env, options(`${folder}/c/`))).metainfo.info.name).toBe('c');
    expect((await createTorrent(env, options(`${folder}/c/.`))).metainfo.info.name).toBe('c');
  });

  it('follows symlinks, keeps those that stay inside, or skips them', async () => {
    put('c/d/file', 'inside');
    put('outside', 'out');
    symlinkSync('../outside', join(folder, 'c/out'));
    symlinkSync('d/file', join(folder, 'c/in'));
    symlinkSync(join(folder, 'c/d'), join(folder, 'c/whole'));
    symlinkSync('../in', join(folder, 'c/d/up'));
    const make = (symlinks: 'follow' | 'keep' | 'skip', meta: MetaKind = 'hybrid'): ReturnType<typeof createTorrent> =>
      createTorrent(env, options(join(folder, 'c'), { symlinks, meta }));
    expect(paths(await make('follow'))).toEqual(['d/file', 'd/up', 'in', 'out', 'whole/file', 'whole/up']);
    expect(paths(await make('skip'))).toEqual(['d/file']);
    for (const meta of ['v1', 'v2', 'hybrid'] as MetaKind[]) {
      const kept = await make('keep', meta);
      expect(kept.ignored).toEqual(['out']);
      const links = kept.metainfo.info.files.filter((file) => file.symlink !== null);
      expect(links.map((file) => [file.path.join('/'), file.symlink!.join('/')])).toEqual([
        ['d/up', 'in'],
        ['in', 'd/file'],
        ['whole', 'd'],
      ]);
    }
  });

  it('names what cannot be shared', async () => {
    const rejects = (path: string, expected: string, more: Partial<CreateOptions> = {}): Promise<void> =>
      expect(createTorrent(env, options(join(folder, path), more))).rejects.toEqual(code(expected));
    put('loop/file', 'x');
    symlinkSync('..', join(folder, 'loop/back'));
    await rejects('loop', 'CREATE_LOOP');
    put('self/file', 'x');
    symlinkSync('me', join(folder, 'self/me'));
    await rejects('self', 'CREATE_LOOP');
    put('dangling/file', 'x');
    symlinkSync('nowhere', join(folder, 'dangling/link'));
    await rejects('dangling', 'FILE_NOT_FOUND');
    mkdirSync(join(folder, 'empty/inside'), { recursive: true });
    await rejects('empty', 'CREATE_EMPTY');
    put('zero/file', '');
    await rejects('zero', 'CREATE_EMPTY');
    await rejects('nothing', 'FILE_NOT_FOUND');
    mkdirSync(join(folder, 'latin'));
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/latin/`), Buffer.of(0xe9)]), 'x');
    await rejects('latin', 'CREATE_NAME');
    await rejects('loop/file', 'CREATE_NAME', { name: 'a/b' });
    await rejects('loop/file', 'USAGE', { pieceLengthBytes: 20_000 });
    await rejects('loop/file', 'USAGE', { trackers: [['no url']] });
    put(`deep/${'d/'.repeat(120)}file`, 'x');
    await rejects('deep', 'CREATE_UNSUPPORTED');
  });

  it('refuses a socket, and leaves it out of a folder', async () => {
    put('c/file', 'x');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, 'c/socket'), resolve));
    try {
      await expect(createTorrent(env, options(join(folder, 'c/socket')))).rejects.toEqual(code('CREATE_UNSUPPORTED'));
      const created = await createTorrent(env, options(join(folder, 'c')));
      expect([paths(created), created.ignored]).toEqual([['file'], ['socket']]);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('notices files that change or vanish while they are hashed', async () => {
    const acts: [expected: string, act: (path: string) => void][] = [
      ['CREATE_CHANGED', (path) => appendFileSync(path, 'more')],
      ['CREATE_CHANGED', (path) => writeFileSync(path, 'less')],
      ['CREATE_CHANGED', (path) => utimesSync(path, 1, 1)],
      ['CREATE_VANISHED', (path) => rmSync(path)],
    ];
    for (const [expected, act] of acts) {
      put('c/a', noise(100, 1));
      const victim = put('c/b', noise(100_000, 2));
      let isDone = false;
      const onProgress = (done: number, _: number, phase: string): void => {
        if (phase !== 'hashing' || done > 0 || isDone) return;
        isDone = true;
        act(victim);
      };
      const work = createTorrent(env, options(join(folder, 'c'), { onProgress }));
      await expect(work).rejects.toEqual(code(expected));
    }
  });

  it('tells its progress up to the whole, and stops when it is told to', async () => {
    const path = put('f', noise(40_000_000, 1));
    const seen: number[] = [];
    await createTorrent(env, options(path, { onProgress: (done, _, phase) => phase === 'hashing' && seen.push(done) }));
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(40_000_000);
    expect(seen.length).toBeGreaterThan(2);
    const abort = new AbortController();
    const reason = new Error('enough');
    const onProgress = (done: number, _: number, phase: string): void => {
      if (phase === 'hashing' && done > 0) abort.abort(reason);
    };
    await expect(createTorrent(env, options(path, { onProgress, signal: abort.signal }))).rejects.toBe(reason);
  });

  it('says which names readers of the torrent will change', async () => {
    put('c/a\\b', 'x');
    put('c/README', 'x');
    put('c/readme', 'x');
    const created = await createTorrent(env, options(join(folder, 'c')));
    expect(created.altered).toEqual(['a\\b']);
    expect(created.metainfo.info.files).toHaveLength(3);
  });

  it('makes an .mtorrent of one file, the two trackers in it', async () => {
    const bytes = noise(700_000, 1);
    const path = put('song', bytes);
    const trackers = ['http://127.0.0.1:1/a', 'http://127.0.0.1:2/b'];
    const { bytes: file, metainfo } = await createMtorrent(env, { path, trackers });
    const parsed = parseMtorrent(file);
    expect(parsed).toMatchObject({ trackers, name: 'song', lengthBytes: 700_000 });
    expect(toHex(parsed.hashes.subarray(20))).toBe(createHash('sha1').update(bytes.subarray(524288)).digest('hex'));
    const plain = await createTorrent(env, options(path, { pieceLengthBytes: 524288 }));
    expect(metainfo.info.infoHashV1).toEqual(plain.metainfo.info.infoHashV1);
    await expect(createMtorrent(env, { path: folder, trackers })).rejects.toEqual(code('CREATE_UNSUPPORTED'));
    await expect(createMtorrent(env, { path, trackers: [] })).rejects.toEqual(code('USAGE'));
    const odd = put('a\nb', 'x');
    await expect(createMtorrent(env, { path: odd, trackers })).rejects.toEqual(code('MTORRENT_INVALID'));
  });
});

describe('the piece length', () => {
  it('makes 1000 to 2000 pieces where 16 KiB to 16 MiB allow it', () => {
    expect(choosePieceLength(1)).toBe(16384);
    expect(choosePieceLength(2000 * 16384)).toBe(16384);
    expect(choosePieceLength(2 ** 45)).toBe(2 ** 24);
    for (let bytes = 2001 * 16384; bytes < 2000 * 2 ** 24; bytes = Math.floor(bytes * 1.37)) {
      const pieces = bytes / choosePieceLength(bytes);
      expect(pieces).toBeGreaterThan(1000);
      expect(pieces).toBeLessThanOrEqual(2000);
    }
  });
});
