// The demo on a small folder: real processes, both kills in time, every byte compared, nothing left behind.

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Workplace } from './program.ts';

let place: Workplace;
beforeEach(async () => {
  place = await Workplace.open();
  // What the demo makes lies in a temporary folder: here, where it would be seen.
  vi.stubEnv('TMPDIR', place.folder);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await place.close();
});

/** 40 files, some in folders, one executable, one empty; `lengthBytes` in all. */
async function makeThings(lengthBytes: number): Promise<void> {
  await mkdir(place.path('things', 'deep', 'er'), { recursive: true });
  const folders = ['.', 'deep', 'deep/er'];
  const each = Math.floor(lengthBytes / 38);
  for (let i = 0; i < 38; i++) {
    await writeFile(place.path('things', folders[i % 3]!, `${i} ü.bin`), randomBytes(each));
  }
  await writeFile(place.path('things', 'rest'), randomBytes(lengthBytes - 38 * each));
  await writeFile(place.path('things', 'deep', 'empty'), '');
  await chmod(place.path('things', '0 ü.bin'), 0o755);
}

/** Processes that have the place in their command line. */
async function processesHere(): Promise<string[]> {
  const out: string[] = [];
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.includes(place.folder)) out.push(line.replaceAll('\0', ' '));
  }
  return out;
}

interface Report {
  readonly length: number;
  readonly pieces: number;
  readonly kills: readonly {
    readonly name: string;
    readonly piecesOut: number;
    readonly leeches: readonly { readonly before: number; readonly after: number }[];
  }[];
  readonly leeches: readonly { readonly name: string; readonly downloaded: number }[];
  readonly sent: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

describe('shoal demo', () => {
  it('shows a swarm that outlives its first tracker and its first seed', async () => {
    const length = 3_000_000;
    await makeThings(length);
    const demo = await place.run('demo', 'things', '--json');
    expect([demo.stderr, demo.exitCode]).toEqual(['', 0]);
    const report = JSON.parse(demo.stdout) as Report;
    expect(report).toMatchObject({ ok: true, name: 'things', files: 40, length, leftOut: [], seedsAtTracker2: 3 });

    expect(report.kills.map((kill) => kill.name)).toEqual(['tracker 1', 'seed']);
    for (const kill of report.kills) {
      expect(kill.piecesOut).toBe(report.pieces);
      expect(kill.leeches).toHaveLength(3);
      for (const leech of kill.leeches) expect(Math.max(leech.before, leech.after)).toBeLessThan(report.pieces);
    }
    expect(report.leeches).toHaveLength(3);
    for (const { name, downloaded } of report.leeches) {
      expect(report.leeches.find((leech) => leech.name === name)).toMatchObject({ files: 40, differences: [] });
      expect(downloaded).toBeGreaterThanOrEqual(length);
      const received = Object.values(report.sent).reduce((sum, to) => sum + (to[name] ?? 0), 0);
      expect(received).toBe(downloaded);
    }
    const bySeed = Object.values(report.sent.seed!).reduce((sum, bytes) => sum + bytes, 0);
    expect(bySeed).toBeGreaterThanOrEqual(length);
    expect(bySeed).toBeLessThan(2 * length);

    expect(await readdir(place.folder)).toEqual(['things']);
    expect(await processesHere()).toEqual([]);
  });

  it('says step by step what happens, and takes one file too', async () => {
    await writeFile(place.path('one.bin'), randomBytes(1_000_000));
    const demo = await place.run('demo', 'one.bin');
    expect([demo.stderr, demo.exitCode]).toEqual(['', 0]);
    const steps = ['Creation', 'Seeding', 'Discovery', 'Distribution', 'Proof', 'Who sent how much to whom'];
    const places = steps.map((step) => demo.stdout.indexOf(step));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(-1);
    expect(await readdir(place.folder)).toEqual(['one.bin']);
  });

  it('ends at Ctrl-C with all its processes and folders', async () => {
    await makeThings(3_000_000);
    const demo = place.start('demo', 'things');
    for (let line = ''; !line.includes('Distribution'); ) line = await demo.nextLine();
    expect((await processesHere()).length).toBeGreaterThanOrEqual(6);
    const end = await demo.stop('SIGINT');
    expect(end.stderr).toMatch(/shoal: STOPPED: [^\n]+\n$/);
    expect(end.exitCode).toBe(1);
    expect(await processesHere()).toEqual([]);
    expect(await readdir(place.folder)).toEqual(['things']);
  });

  it('takes nothing that it could not share out in pieces', async () => {
    await writeFile(place.path('tiny'), 'hello');
    const demo = await place.run('demo', 'tiny');
    expect(demo.stderr).toMatch(/^shoal: UNFINISHED: "[^\n]+tiny" is too small [^\n]+\n$/);
    expect(demo.exitCode).toBe(1);
    const nothing = await place.run('demo', 'nothing', '--json');
    expect(nothing.stderr).toMatch(/^shoal: FILE_NOT_FOUND: [^\n]+\n$/);
    expect([nothing.exitCode, nothing.stdout]).toEqual([1, '']);
  });
});
