// What the tests of whole swarms share: a place for each test, programs that are ready, content, and ways to compare it.

import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type Outcome, type Running, Workplace } from './program.ts';

export const LOCAL: readonly string[] = ['--listen', '127.0.0.1:0'];

/** A test with a place of its own; what its programs said is printed when it fails. */
export const it = test.extend<{ place: Workplace }>({
  place: async ({ task }, use) => {
    const place = await Workplace.open();
    await use(place);
    await place.close(task.result?.state === 'fail');
  },
});

export type Facts = Record<string, unknown>;

/** The JSON document of a program that ended well. */
export function json(outcome: Outcome): Facts {
  expect([outcome.exitCode, outcome.stderr.includes('shoal: ')], outcome.stderr).toEqual([0, false]);
  return JSON.parse(outcome.stdout) as Facts;
}

/** One line `shoal: CODE: …` as the last on stderr, nothing on stdout, no trace of where in the program it was. */
export function expectFailure(outcome: Outcome, exitCode: number, code: string): void {
  const lines = outcome.stderr.trimEnd().split('\n');
  expect(lines.filter((line) => line.startsWith('shoal: '))).toEqual([lines[lines.length - 1]]);
  expect(lines[lines.length - 1]).toMatch(new RegExp(`^shoal: ${code}: .{10,}`));
  expect(outcome.stderr).not.toMatch(/^\s+at |node:internal|INTERNAL/m);
  expect(outcome.stdout).toBe('');
  expect(outcome.exitCode).toBe(exitCode);
}

/** A tracker that is ready, and its HTTP URL. */
export async function startTracker(
  place: Workplace,
  host = '127.0.0.1',
): Promise<{ tracker: Running; url: string; address: string }> {
  const tracker = place.start('tracker', '--listen', `${host}:0`, '--json');
  const ready = await tracker.event('ready');
  return { tracker, url: (ready.urls as string[])[0]!, address: (ready.listen as string[])[0]! };
}

/** A program that answers `ready` (seed, share, a get that stays), and where it listens. Its state is its own. */
export async function startReady(
  place: Workplace,
  state: string,
  ...args: readonly string[]
): Promise<{ running: Running; address: string; ready: Facts }> {
  const listen = args.includes('--listen') ? [] : LOCAL;
  const running = place.start(...args, ...listen, '--state', place.path('states', state), '--json');
  const ready = await running.event('ready');
  return { running, address: (ready.listen as string[])[0]!, ready };
}

/** `get` to its end, with a state of its own. */
export function get(place: Workplace, state: string, ...args: readonly string[]): Promise<Outcome> {
  return place.run('get', ...args, ...LOCAL, '--state', place.path('states', state), '--json');
}

/** Bytes uploaded, as a program says when it is stopped. */
export async function uploadedBy(running: Running): Promise<number> {
  const stopping = running.event('stopped');
  const [{ exitCode }, event] = await Promise.all([running.stop(), stopping]);
  expect(exitCode).toBe(0);
  const torrents = (event.torrents ?? [event]) as readonly { uploaded: number }[];
  return torrents.reduce((sum, torrent) => sum + torrent.uploaded, 0);
}

/** Files of random bytes: their paths, and how long each is. */
export async function writeFiles(folder: string, lengths: Readonly<Record<string, number>>): Promise<void> {
  for (const [path, length] of Object.entries(lengths)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), randomBytes(length));
  }
}

/** Everything at a path, as text by path that is the same for the same tree: contents, executable bits, link targets. */
export async function treeOf(path: string, below = ''): Promise<Record<string, string>> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return { [below]: `link to ${await readlink(path)}` };
  if (!found.isDirectory()) {
    const hash = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    return { [below]: `${found.mode & 0o111 ? 'executable ' : ''}${hash}` };
  }
  const trees: Record<string, string>[] = [];
  for (const name of (await readdir(path)).sort()) trees.push(await treeOf(join(path, name), `${below}/${name}`));
  return Object.assign({}, ...trees) as Record<string, string>;
}

/** Waits for something that must come true; looks again and again. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`${withinMs} ms went by, and not yet: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
