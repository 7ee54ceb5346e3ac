import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openTrackerLog } from './tracker-log.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-log-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

it('writes what fits into its buffer, and says how many lines did not', async () => {
  const logFile = join(folder, 'tracker.log');
  const { log, close } = await openTrackerLog({ logFile });
  const lines = 15_000;
  // In one turn of the loop: nothing is written meanwhile.
  for (let i = 0; i < lines; i++) log.write('warn', 'a line of some length, so that there is soon too much', { i });
  const written = (): string[] => readFileSync(logFile, 'utf8').trim().split('\n');
  await vi.waitFor(() => expect(written().at(-1)).toContain('log lines were dropped'), 10_000);
  const all = written();
  const { count } = JSON.parse(all.at(-1)!) as { count: number };
  expect(count).toBeGreaterThan(0);
  expect(all.length - 1 + count).toBe(lines);
  await close();
});

it('leaves out what is less than was asked for, and writes lines for people where it is told', async () => {
  const logFile = join(folder, 'tracker.log');
  const { log, close, isJson } = await openTrackerLog({ logFile, logFormat: 'text', logLevel: 'warn' });
  log.write('info', 'too little');
  log.write('error', 'a name with a trick', { name: 'a\u202eb\nc' });
  await close();
  expect(isJson).toBe(false);
  expect(readFileSync(logFile, 'utf8')).toMatch(/^\d{4}-\S+Z error a name with a trick name="a\?b\\nc"\n$/);
});
