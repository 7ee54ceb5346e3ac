// `shoal create` against libtorrent over random trees: the same info hashes; and everyone reads what it makes.

import { symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { type Chance, seededChance } from './harness/chance.ts';
import { writeTree } from './harness/content.ts';
import { libtorrent, type MakeJob, makeWithLibtorrent, readWithLibtorrent } from './harness/libtorrent.ts';
import { interop, ownNetwork, programsHere } from './harness/needs.ts';
import { parseAria2, parseTransmission, showByAria2, showByTransmission } from './harness/readers.ts';
import { type Created, createTorrent } from './harness/shoal.ts';
import { onStage, type Stage } from './harness/stage.ts';

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);
const PIECE_LENGTHS = [16_384, 32_768, 65_536] as const;
const NAMES = [
  ...'abcABC.',
  ...['a b', 'é', 'e\u0301', 'ß', '文', '🐟', 'ж', 'ا', '.x', 'x.sh', '~', '+', '!', '0', '10', '9'],
];

/**
 * Files of random names, depths and lengths; lengths near the ends of blocks and pieces are common, and so is 0. Two at
 * least (libtorrent takes a v2 folder with one file for that file), and no dots at the ends (Transmission drops them).
 */
function randomTree(chance: Chance, pieceLength: number): Map<string, number> {
  const files = new Map<string, number>([
    ['always here.sh', 1 + chance.below(3 * pieceLength)],
    ['zz', chance.below(2)],
  ]);
  const count = chance.below(24);
  for (let i = 0; i < count; i++) {
    const parts = Array.from({ length: 1 + chance.below(4) }, () => chance.pick(NAMES) + chance.pick(NAMES));
    const path = parts.join('/');
    const near = chance.pick([0, 0, 1, 16_384, pieceLength, 2 * pieceLength, chance.below(4 * pieceLength)]);
    const taken = [...files.keys()].some((other) => other.startsWith(`${path}/`) || path.startsWith(`${other}/`));
    if (!taken && !parts.some((part) => part.endsWith('.'))) files.set(path, Math.max(0, near + chance.below(3) - 1));
  }
  return files;
}

type Meta = MakeJob['meta'];
type Made = Created & { readonly file: string };

function createAs(stage: Stage, path: string, meta: Meta, pieceLength: number): Promise<Made> {
  return createTorrent(stage, path, ['--meta', meta, '--piece-length', String(pieceLength)]);
}

const hashesOf = ({ infoHashV1, infoHashV2 }: Pick<Created, 'infoHashV1' | 'infoHashV2'>) => ({
  infoHashV1,
  infoHashV2,
});

/** libtorrent reads in our file what we say is in it. */
async function expectReadByLibtorrent(stage: Stage, made: readonly Made[]): Promise<void> {
  const all = await readWithLibtorrent(
    stage,
    made.map(({ file }) => file),
  );
  for (const [i, read] of all.entries()) {
    const ours = made[i]!;
    const content = read.files.filter((file) => !file.padding).map(({ path, length }) => ({ path, length }));
    const expected = ours.files.filter((file) => !file.padding).map(({ path, length }) => ({ path, length }));
    expect({ ...hashesOf(read), name: read.name, content }).toEqual({
      ...hashesOf(ours),
      name: ours.name,
      content: expected,
    });
    expect([read.pieceLength, read.pieceCount]).toEqual([ours.pieceLength, ours.pieceCount]);
  }
}

const needs = [ownNetwork, libtorrent.need, programsHere('transmission-show', 'aria2c')];

interop('shoal create and libtorrent', needs, () => {
  it.each(SEEDS)('give a random folder the same v2 and hybrid info hashes (seed %i)', (seed) =>
    onStage(async (stage) => {
      const chance = seededChance(seed);
      const pieceLength = chance.pick(PIECE_LENGTHS);
      const folder = join(await stage.newFolder('source'), `tree ${seed}`);
      const tree = randomTree(chance, pieceLength);
      await writeTree(folder, tree, chance);
      // libtorrent takes what it follows for executable, whatever it is: this is.
      if (seed % 4 === 0) await symlink('always here.sh', join(folder, 'link to it'));
      const made = new Map<Meta, Made>();
      for (const meta of ['v1', 'v2', 'hybrid'] as const) {
        made.set(meta, await createAs(stage, folder, meta, pieceLength));
      }
      const job = (meta: Meta): MakeJob => ({ path: folder, output: join(stage.folder, meta), meta, pieceLength });
      const [v2, hybrid] = await makeWithLibtorrent(stage, [job('v2'), job('hybrid')]);
      expect(hashesOf(made.get('v2')!)).toEqual(hashesOf(v2!));
      expect(hashesOf(made.get('hybrid')!)).toEqual(hashesOf(hybrid!));
      await expectReadByLibtorrent(stage, [...made.values()]);
      await expectReadByOthers(stage, made.get('v1')!);
      await expectReadLike(stage, made.get('hybrid')!.file, join(stage.folder, 'hybrid'));
    }),
  );

  it.each([0, 1, 2, 3, 4, 5])('give a single file the same v1, v2 and hybrid info hashes (case %i)', (i) =>
    onStage(async (stage) => {
      const chance = seededChance(100 + i);
      const pieceLength = chance.pick(PIECE_LENGTHS);
      const length = [1, 16_384, pieceLength, pieceLength + 1, 5 * pieceLength - 1, 400_001][i]!;
      const source = await stage.newFolder('source');
      const path = join(source, i % 2 === 0 ? 'single 文件' : 'single.sh');
      await writeTree(source, [[basename(path), length]], chance);
      const metas = ['v1', 'v2', 'hybrid'] as const;
      const made: Made[] = [];
      for (const meta of metas) made.push(await createAs(stage, path, meta, pieceLength));
      const jobs = metas.map((meta) => ({ path, output: join(stage.folder, meta), meta, pieceLength }));
      const theirs = await makeWithLibtorrent(stage, jobs);
      expect(made.map(hashesOf)).toEqual(theirs.map(hashesOf));
      await expectReadByLibtorrent(stage, made);
      await expectReadByOthers(stage, made[0]!);
      await expectReadLike(stage, made[2]!.file, join(stage.folder, 'hybrid'));
    }),
  );
});

/** transmission-show and aria2c find in a v1 torrent what we say is in it. */
async function expectReadByOthers(stage: Stage, made: Made): Promise<void> {
  const isSingle = made.files.length === 1 && made.files[0]!.path === made.name;
  const files = made.files
    .map(({ path, length }) => [isSingle ? path : `${made.name}/${path}`, length] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const reading = {
    name: made.name,
    infoHash: made.infoHashV1,
    pieceCount: made.pieceCount,
    files: files.map(([path]) => path),
  };
  expect(parseTransmission((await showByTransmission(stage, made.file)) ?? '')).toEqual(reading);
  const lengths = files.map(([, length]) => length);
  expect(parseAria2(await showByAria2(stage, made.file))).toEqual({ ...reading, lengths });
}

/**
 * They read our hybrid torrent as they read libtorrent's. (Transmission 3 refuses all of them: it cannot read the empty
 * key in a file tree. aria2 1.36 takes another info hash for all of them.)
 */
async function expectReadLike(stage: Stage, ours: string, theirs: string): Promise<void> {
  expect(await showByAria2(stage, ours)).toBe(await showByAria2(stage, theirs));
  expect(await showByTransmission(stage, ours)).toBe(await showByTransmission(stage, theirs));
}
