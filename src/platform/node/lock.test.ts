import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireFileLock, isLeftover } from './lock.ts';
import { createFileStore } from './store.ts';

let folder: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-lock-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

/**
 * A process that waits for a line on its input, then tries to lock and says how that went; so that several can be let
 * loose at once. It lives until it is killed.
 */
async function taker(path: string): Promise<{ child: ChildProcess; tryNow: () => void; outcome: Promise<string> }> {
  const script = `
    const { acquireFileLock } = await import(${JSON.stringify(new URL('../../../dist/platform/node/lock.js', import.meta.url).href)});
    process.stdout.write('ready\\n');
    process.stdin.once('data', async () => {
      const lock = acquireFileLock(${JSON.stringify(path)});
      process.stdout.write(lock ? 'held\\n' : 'busy\\n');
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout!, 'data');
  const outcome = once(child.stdout!, 'data').then(([text]) => String(text).trim());
  return { child, tryNow: () => child.stdin!.write('go\n'), outcome };
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

describe('locks between processes', () => {
  it('are held while the other process lives and free after kill -9', async () => {
    const path = join(folder, 'x~lock');
    const other = await taker(path);
    other.tryNow();
    expect(await other.outcome).toBe('held');
    expect(acquireFileLock(path)).toBeNull();
    await killed(other.child);
    const lock = acquireFileLock(path);
    expect(lock).not.toBeNull();
    expect(acquireFileLock(path)).toBeNull();
    await lock!.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('go to exactly one of several processes that find a stale one, time and again', async () => {
    const path = join(folder, 'x~lock');
    let holder = await taker(path);
    holder.tryNow();
    expect(await holder.outcome).toBe('held');
    for (let round = 0; round < 4; round++) {
      const takers = await Promise.all([taker(path), taker(path), taker(path)]);
      await killed(holder.child);
      for (const { tryNow } of takers) tryNow();
      const outcomes = await Promise.all(takers.map(({ outcome }) => outcome));
      expect([...outcomes].sort()).toEqual(['busy', 'busy', 'held']);
      holder = takers[outcomes.indexOf('held')]!;
      for (const loser of takers) if (loser !== holder) await killed(loser.child);
    }
  });

  it('go to exactly one of many calls that find a stale one, however they overlap', async () => {
    const path = join(folder, 'x~lock');
    for (let round = 0; round < 40; round++) {
      const nonce = String(round).padStart(16, '0');
      await symlink(`1 1 an-earlier-boot/pid ${nonce}`, path);
      // Each call begins some turns after the one before, so that one still judges what another has just replaced.
      const calls = Array.from({ length: 8 }, async (_, i) => {
        for (let turns = i * (round % 10); turns > 0; turns--) await new Promise(setImmediate);
        return acquireFileLock(path);
      });
      const held = (await Promise.all(calls)).filter((lock) => lock !== null);
      expect(held.length).toBe(1);
      await held[0]!.release();
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('are stale when a later process has the same pid', async () => {
    const path = join(folder, 'x~lock');
    const lock = acquireFileLock(path);
    const [pid, ticks, boot, nonce] = (await readlink(path)).split(' ');
    await lock!.release();
    await symlink(`${pid} ${Number(ticks) + 1} ${boot} ${nonce}`, path);
    expect(acquireFileLock(path)).not.toBeNull();
  });

  it('are stale when a power cut tore them, also together with the guard of a takeover', async () => {
    const path = join(folder, 'x~lock');
    await writeFile(path, '');
    await writeFile(`${path}~torn`, '12 3');
    const lock = acquireFileLock(path);
    expect(lock).not.toBeNull();
    await lock!.release();
  });

  it('are not removed at release when somebody else holds them by now', async () => {
    const path = join(folder, 'x~lock');
    const lock = acquireFileLock(path);
    await rm(path);
    const other = acquireFileLock(path);
    expect(other).not.toBeNull();
    await lock!.release();
    expect(acquireFileLock(path)).toBeNull();
    await other!.release();
  });
});

describe('what dead processes leave in the state folder', () => {
  it('is told apart from what living ones use', () => {
    expect(isLeftover(`a~${process.pid}-0123456789ab-0.tmp`)).toBe(false);
    expect(isLeftover(`a~${process.ppid}-0123456789ab-0.tmp`)).toBe(false);
    expect(isLeftover('a~4194999-0123456789ab-7.tmp')).toBe(true);
    expect(isLeftover('a~4194999')).toBe(false);
  });

  it('is removed at the first use of its folder, and nothing else is', async () => {
    await mkdir(join(folder, 'k'));
    for (const name of ['v', 'v~4194999-0123456789ab-7.tmp', `v~${process.pid}-0123456789ab-7.tmp`]) {
      await writeFile(join(folder, 'k', name), 'x');
    }
    await createFileStore(folder).write('k/w', new Uint8Array(1));
    expect((await readdir(join(folder, 'k'))).sort()).toEqual(['v', `v~${process.pid}-0123456789ab-7.tmp`, 'w']);
  });
});
