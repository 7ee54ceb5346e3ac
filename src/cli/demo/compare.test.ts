import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { differences, type FileMark, marksOf } from './compare.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-compare-'));
  for (const name of ['a', 'b']) {
    await mkdir(join(folder, name, 'in'), { recursive: true });
    await writeFile(join(folder, name, 'in', 'large'), new Uint8Array(3_000_000).fill(5));
    await writeFile(join(folder, name, 'small'), 'x');
    await writeFile(join(folder, name, 'empty'), '');
  }
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const marks = (name: string, leaveOut = (_: string): boolean => false): Promise<Map<string, FileMark>> =>
  marksOf(join(folder, name), leaveOut, () => undefined, new AbortController().signal);

describe('two trees on disk', () => {
  it('are equal when names, bits and bytes are, symlinks counting as what they point to', async () => {
    await symlink('in/large', join(folder, 'a', 'link'));
    await writeFile(join(folder, 'b', 'link'), new Uint8Array(3_000_000).fill(5));
    await mkdir(join(folder, 'b', 'empty folder'));
    const a = await marks('a');
    expect([...a.keys()].sort()).toEqual(['empty', 'in/large', 'link', 'small']);
    expect(differences(a, await marks('b'))).toEqual([]);
  });

  it('differ by a byte, a bit, a file too many and a file too few', async () => {
    const bytes = new Uint8Array(3_000_000).fill(5);
    bytes[2_999_999] = 6;
    await writeFile(join(folder, 'b', 'in', 'large'), bytes);
    await chmod(join(folder, 'b', 'small'), 0o755);
    await rm(join(folder, 'b', 'empty'));
    await writeFile(join(folder, 'b', 'more'), '');
    expect(differences(await marks('a'), await marks('b')).sort()).toEqual([
      '"empty" is missing',
      '"in/large" has other bytes',
      '"more" is not in the source',
      '"small" has another executable bit',
    ]);
  });

  it('may have parts that are none of it, and may be a file alone', async () => {
    expect([...(await marks('a', (path) => path === 'in')).keys()].sort()).toEqual(['empty', 'small']);
    const [[path, mark]] = [...(await marks('a/small'))] as [[string, FileMark]];
    expect([path, mark.lengthBytes, mark.executable]).toEqual(['', 1, false]);
    // SHA-256 of the letter x.
    expect(mark.digest).toBe('2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881');
  });
});
