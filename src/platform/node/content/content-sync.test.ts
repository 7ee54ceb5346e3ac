import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noteLoss } from '../folder-sync.ts';
import { ContentSync } from './content-sync.ts';

let root: string;
beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), 'shoal-sync-')), 'root');
  mkdirSync(root);
});
afterEach(() => {
  rmSync(join(root, '..'), { recursive: true });
});

/** Of files that were all written to. */
function syncOf(names: readonly string[]): { sync: ContentSync; writeAgain(): void } {
  const files = names.map((name) => ({ path: [name], lengthBytes: 3, executable: false }));
  const sync = new ContentSync({ root, files, writable: true, preallocate: false }, () => Promise.resolve());
  const writeAgain = (): void => sync.written(Float64Array.from(names.flatMap((_, file) => [file, 0, 0, 3])));
  writeAgain();
  return { sync, writeAgain };
}

describe.each([1, 20])('the sync of %i files', (count) => {
  const names = Array.from({ length: count }, (_, i) => `file ${i}`);
  const write = (name: string): void => writeFileSync(join(root, name), 'abc');

  it('puts them onto the disk', async () => {
    for (const name of names) write(name);
    await syncOf(names).sync.sync();
  });

  it('that failed fails for good: the system does not say twice what it lost', async () => {
    for (const name of names.slice(1)) write(name);
    // No system syncs a pipe.
    execFileSync('mkfifo', [join(root, names[0]!)]);
    const { sync, writeAgain } = syncOf(names);
    await expect(sync.sync()).rejects.toMatchObject({ code: 'IO' });
    rmSync(join(root, names[0]!));
    write(names[0]!);
    await expect(sync.sync()).rejects.toMatchObject({ code: 'IO' });
    writeAgain();
    await expect(sync.sync()).rejects.toMatchObject({ code: 'IO' });
  });

  it.each(['', '..'])(
    'fails for good where somebody else was told that the folder is lost: its root, %j',
    async (above) => {
      for (const name of names) write(name);
      const { sync } = syncOf(names);
      noteLoss(join(root, above), Object.assign(new Error('a broken disk'), { code: 'EIO' }));
      await expect(sync.sync()).rejects.toMatchObject({ code: 'IO' });
      await expect(sync.sync()).rejects.toMatchObject({ code: 'IO' });
      // What was begun since then is not among what was lost.
      await syncOf(names).sync.sync();
    },
  );

  it('that lacks a file says so once, and syncs the others', async () => {
    for (const name of names.slice(1)) write(name);
    const { sync, writeAgain } = syncOf(names);
    await expect(sync.sync()).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    await sync.sync();
    write(names[0]!);
    writeAgain();
    await sync.sync();
  });
});
