// Content for torrents: files and folders that are awkward in every allowed way, and the comparison of two of them.

import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { type Chance, seededChance } from './chance.ts';
import { until } from './until.ts';

export interface Content {
  readonly name: string;
  /** The folder that it lies in: what most programs want to be told. */
  readonly parent: string;
  /** The content itself. */
  readonly path: string;
  /** A regular file instead of a folder. */
  readonly isFile: boolean;
}

/** Not a multiple of any piece length; and small: Transmission begins slowly. */
const FILE_BYTES = 2 * 1024 * 1024 + 12_345;

export async function makeFile(parent: string, lengthBytes: number = FILE_BYTES): Promise<Content> {
  const name = 'single file.bin';
  const path = join(parent, name);
  await writeFile(path, seededChance(1).bytes(lengthBytes));
  return { name, parent, path, isFile: true };
}

/**
 * Sizes by path: empty files, nested folders, files about a block and a piece long, names in many scripts. No spaces at the
 * ends and no double quotes: Transmission 3 looks for these files under other names, and does not find them.
 */
const TREE: Readonly<Record<string, number>> = {
  'README.txt': 1200,
  'empty at the top': 0,
  'a/b/c/d/e/deep.bin': 300_000,
  'a/b/empty.txt': 0,
  'a/block': 16_384,
  'a/block and a byte': 16_385,
  'a.b/sorts before or after the folder a.bin': 70_001,
  'emoji 🐟🌊/👩‍👩‍👧‍👦 family.bin': 40_000,
  'ελληνικά.bin': 33_333,
  'русский/каталог/файл.bin': 65_536,
  '中文/文件.bin': 131_072,
  '日本語のファイル.bin': 1,
  '한국어.bin': 99_999,
  'العربية/ملف.bin': 50_000,
  'עברית.bin': 17_000,
  'हिन्दी.bin': 20_000,
  'ไทย.bin': 5,
  'combining e\u0301 and composed \u00e9.bin': 12_000,
  'cafe\u0301': 7000,
  'caf\u00e9': 7001,
  "marks ' and & and %41 and # and +.bin": 3000,
  'a large one.bin': 1_000_000,
  '.hidden': 4242,
  'zz last and empty': 0,
};

export async function makeFolder(parent: string, name = 'Ordner – 文件夹 📁'): Promise<Content> {
  const chance = seededChance(2);
  await writeTree(join(parent, name), Object.entries(TREE), chance);
  return { name, parent, path: join(parent, name), isFile: false };
}

export async function writeTree(
  folder: string,
  files: Iterable<readonly [path: string, length: number]>,
  chance: Chance,
): Promise<void> {
  for (const [path, length] of files) {
    const whole = join(folder, path);
    await mkdir(dirname(whole), { recursive: true });
    await writeFile(whole, chance.bytes(length));
    if (path.endsWith('.sh')) await chmod(whole, 0o755);
  }
}

/**
 * What is at `path`, as lines to compare: kind, length and SHA-256 of every file, below a folder by relative path.
 * Empty folders are no part of a torrent.
 */
export async function describeContent(path: string): Promise<Record<string, string>> {
  const out: Record<string, string> = {};
  const visit = async (at: string, relative: string): Promise<void> => {
    const info = await lstat(at);
    if (info.isDirectory()) {
      for (const name of (await readdir(at)).sort())
        await visit(join(at, name), relative === '' ? name : `${relative}/${name}`);
    } else if (info.isSymbolicLink()) {
      out[relative] = `link to ${await readlink(at)}`;
    } else {
      const hash = createHash('sha256').update(await readFile(at));
      out[relative] = `${info.size} bytes ${(info.mode & 0o100) === 0 ? '' : 'executable '}${hash.digest('hex')}`;
    }
  };
  await visit(path, '');
  return out;
}

/** How long a program may take to tidy up after it said that it is complete. */
const TIDY_MS = 10_000;

/** What a program of others does otherwise than Shoal. */
export interface Habits {
  /** Makes no empty files. */
  readonly noEmptyFiles?: boolean;
  /** Puts files of its own beside the content, with this ending. */
  readonly ownFiles?: string;
}

/** What `target` holds is what `source` holds, but for habits. */
export async function expectSameContent(source: string, target: string, habits: Habits): Promise<void> {
  const expected = Object.entries(await describeContent(source)).filter(
    ([, what]) => !habits.noEmptyFiles || !what.startsWith('0 bytes'),
  );
  const received = async (): Promise<typeof expected> =>
    Object.entries(await describeContent(target)).filter(([path]) => !path.endsWith(habits.ownFiles ?? '/'));
  // It may be about to rename its last file.
  const text = JSON.stringify(expected);
  const isSame = async (): Promise<boolean> => JSON.stringify(await received().catch(() => null)) === text;
  await until('the same content', isSame, TIDY_MS).catch(() => undefined);
  expect(Object.fromEntries(await received())).toEqual(Object.fromEntries(expected));
}
