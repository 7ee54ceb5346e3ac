// What stands in examples/ runs, against the built package.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
const shoal = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));

describe('the examples', () => {
  it('share and get in one process', async () => {
    const { stdout } = await run(process.execPath, [example('share-and-get.mjs')], { timeout: 60_000 });
    expect(stdout).toMatch(/^700000 bytes in \d+ verified pieces, the same as the source\n$/);
  });

  it('read a torrent, and say what is wrong with one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-examples-'));
    try {
      const [file, torrent] = [join(folder, 'notes.txt'), join(folder, 'notes.torrent')];
      await writeFile(file, 'some notes');
      await run(process.execPath, [shoal, 'create', file, '-o', torrent]);
      const { stdout } = await run(process.execPath, [example('read-a-torrent.mjs'), torrent]);
      expect(stdout).toContain('notes.txt: 10 bytes, 1 pieces of 16384');
      expect(stdout).toContain('magnet:?xt=urn:btih:');
      const wrong = run(process.execPath, [example('read-a-torrent.mjs'), file]);
      await expect(wrong).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('METAINFO_INVALID') });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('a swarm in virtual time is the same every time', async () => {
    const runs = [1, 2].map(() =>
      run(process.execPath, [example('swarm-in-virtual-time.mjs'), '5'], { timeout: 100_000 }),
    );
    const [first, second] = await Promise.all(runs);
    expect(first!.stdout).toContain('10 leeches complete');
    expect(second!.stdout).toBe(first!.stdout);
  });
});
