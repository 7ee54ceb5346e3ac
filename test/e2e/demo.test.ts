// The demo on a small folder: real processes, both accidents, every byte compared.

import { randomBytes } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import { Workplace } from './program.ts';

it('shows a swarm that outlives its first tracker and its first seed, and leaves nothing behind', async () => {
  const place = await Workplace.open();
  // What the demo makes lies in a temporary folder: here, where it would be seen.
  vi.stubEnv('TMPDIR', place.folder);
  try {
    await mkdir(place.path('things', 'deep'), { recursive: true });
    for (let i = 0; i < 20; i++) {
      const bytes = randomBytes(3_000_000 + i);
      await writeFile(place.path('things', i % 2 === 0 ? 'deep' : '.', `${i}.bin`), bytes);
    }
    const demo = await place.run('demo', 'things', '--json');
    expect([demo.stderr, demo.exitCode]).toEqual(['', 0]);
    const report = JSON.parse(demo.stdout) as {
      bestLeechThen: number;
      seconds: number;
      complete: object;
    };
    expect(report).toMatchObject({ name: 'things', files: 20, length: 60_000_190, identical: true });
    expect(report.bestLeechThen).toBeLessThan(1);
    expect(Object.keys(report.complete)).toEqual(['leech 1', 'leech 2', 'leech 3']);
    expect(report.seconds).toBeLessThan(90);
    expect(await readdir(place.folder)).toEqual(['things']);
  } finally {
    vi.unstubAllEnvs();
    await place.close();
  }
});
