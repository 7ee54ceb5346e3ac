import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usableFolder } from './world.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-world-'));
  await writeFile(join(folder, 'file'), '');
});
afterAll(() => rm(folder, { recursive: true }));

describe('the folder for content', () => {
  it('is one that is there or that can be made', async () => {
    expect(await usableFolder(folder)).toBe(folder);
    expect(await usableFolder(join(folder, 'new', 'deep'))).toBe(join(folder, 'new', 'deep'));
  });

  it('is no file, and lies in none', async () => {
    for (const path of [join(folder, 'file'), join(folder, 'file', 'x', 'y')]) {
      await expect(usableFolder(path)).rejects.toMatchObject({
        code: 'FILE_IN_THE_WAY',
        message: `"${join(folder, 'file')}" is no folder: choose another one with -o`,
      });
    }
  });
});
