import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolders, makeFoldersSync } from './make-folders.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-folders-'));
});

afterEach(() => rm(folder, { recursive: true }));

describe('making folders', () => {
  it('tells the topmost one that was made', async () => {
    expect(await makeFolders(join(folder, 'a', 'b', 'c'))).toBe(join(folder, 'a'));
    expect(await makeFolders(join(folder, 'a', 'b', 'd'))).toBe(join(folder, 'a', 'b', 'd'));
    expect(await makeFolders(join(folder, 'a', 'b', 'd'))).toBeNull();
  });

  it('works for many who want the same at once', async () => {
    const path = join(folder, 'x', 'y', 'z');
    await Promise.all(Array.from({ length: 10 }, () => makeFolders(path)));
    expect(existsSync(path)).toBe(true);
  });

  it('ends at a link that leads nowhere and at a file', async () => {
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
    writeFileSync(join(folder, 'file'), '');
    await expect(makeFolders(join(folder, 'link', 'x', 'y'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(() => makeFoldersSync(join(folder, 'link', 'x', 'y'))).toThrow('ENOENT');
    await expect(makeFolders(join(folder, 'file', 'x'))).rejects.toMatchObject({ code: 'ENOTDIR' });
    expect(() => makeFoldersSync(join(folder, 'file', 'x'))).toThrow('ENOTDIR');
  });
});
