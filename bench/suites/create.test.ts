import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTorrent } from '../../src/create/create.ts';
import type { MetaKind } from '../../src/metainfo/build.ts';
import { createNodeEnv, type NodeEnv } from '../../src/platform/node/env.ts';
import { noise } from '../../test/support/sample-torrents.ts';
import { createCase } from './create.ts';
import { expectedHashes } from './hashes-of.ts';

const PIECE_BYTES = 32_768;

let env: NodeEnv;
let folder: string;
let content: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-bench-create-'));
  env = createNodeEnv({ stateFolder: join(folder, 'state') });
  mkdirSync(join(folder, 'content'));
  content = join(folder, 'content', 'five leaves.bin');
  writeFileSync(content, noise(4 * 16_384 + 1, 1));
});
afterAll(async () => {
  await env.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A program that gives away a torrent of `path`, whatever it is asked for. */
async function giving(path: string, meta: MetaKind) {
  const options = { path, meta, symlinks: 'follow', trackers: [], webSeeds: [], private: false } as const;
  const { bytes } = await createTorrent(env, { ...options, pieceLengthBytes: PIECE_BYTES });
  const ready = join(folder, 'ready.torrent');
  writeFileSync(ready, bytes);
  const argv = (_: string, output: string) => ['cp', ready, output];
  return { name: 'shoal', meta, missing: () => null, argv };
}

async function played(path: string, of: string, meta: MetaKind) {
  const one = await giving(path, meta);
  return await createCase(folder, one, of, 1, PIECE_BYTES, expectedHashes(of, PIECE_BYTES)).run(10_000);
}

describe('a case of create', () => {
  it.each(['v1', 'v2', 'hybrid'] as const)(
    'is good where the hashes of a %s torrent are those of the content',
    async (meta) => {
      expect(await played(content, content, meta)).toMatchObject({ ok: true });
    },
  );

  it('is good where a folder has the same files', async () => {
    expect(await played(join(folder, 'content'), join(folder, 'content'), 'v1')).toMatchObject({ ok: true });
  });

  it.each([
    ['v1', 'v1'],
    ['v2', 'v2'],
    ['hybrid', 'v1'],
  ] as const)('blames who made a %s torrent of other bytes, though nobody was before', async (meta, kind) => {
    const changed = join(folder, 'changed.bin');
    writeFileSync(changed, noise(4 * 16_384, 2));
    const why = `its ${kind} hash is not that of the content`;
    expect(await played(changed, content, meta)).toEqual({ ok: false, why, wrong: true });
  });
});
