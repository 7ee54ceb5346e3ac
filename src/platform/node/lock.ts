// Locks between processes as files, freed when their owner dies in whatever way: a lock names its owner, and a lock whose
// owner is gone is stale. Node offers no system lock (flock) without native code.
//
// Only one process may take a stale lock away, or the second taker would remove the new lock of the first. So a stale lock
// is removed only under a guard: another lock, named after the nonce of the stale one. A guard may be stale itself, and
// is then removed in the same way, under a guard of its own.
//
//   link(own, L) ---ok----> held
//        `-EEXIST-> owner of L lives -> busy
//                   owner of L is gone -> acquire L~nonce -> L still the same? unlink(L) -> release L~nonce -> again

import { randomBytes } from 'node:crypto';
import { link, readFile, readlink, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { StoreLock } from '../../ports/store.ts';
import { makeFolders } from './make-folders.ts';
import { errnoOf } from './system-errors.ts';

/** Each level needs a process that was killed within the microseconds of a takeover. */
const MAX_GUARDS = 3;

/** Takers that find the lock just freed try again; so often only if others take and free it all the time. */
const MAX_ATTEMPTS = 20;

/** What a lock file says: one line, words separated by a blank. */
interface Owner {
  readonly pid: number;
  /** When the process began, in clock ticks since boot: a pid is used again, the two together are not. */
  readonly startTicks: string;
  /** Identifies the run of the machine, and of the container that gives pids their meaning. */
  readonly boot: string;
  readonly nonce: string;
}

/** Makes the lock file `path`, and the folders above it; null while it is held. Throws what the system throws. */
export async function acquireFileLock(path: string): Promise<StoreLock | null> {
  await makeFolders(dirname(path));
  return acquire(path, 0);
}

async function acquire(path: string, depth: number): Promise<StoreLock | null> {
  const text = ownerLine(await thisProcess());
  const temporary = temporaryName(path);
  await writeFile(temporary, text, { flag: 'wx' });
  try {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (await linked(temporary, path)) return { release: () => removeOwn(path, text) };
      const found = await readText(path);
      if (found === null) continue;
      if (await isAlive(parseOwner(found))) return null;
      if (depth === MAX_GUARDS || !(await removeStale(path, found, depth))) return null;
    }
    return null;
  } finally {
    await unlink(temporary);
  }
}

/** False where another one is at it. Nobody but the holder of the guard removes this very lock, so that the check holds. */
async function removeStale(path: string, stale: string, depth: number): Promise<boolean> {
  const guard = await acquire(`${path}~${parseOwner(stale)?.nonce ?? 'torn'}`, depth + 1);
  if (guard === null) return false;
  try {
    if ((await readText(path)) === stale) await unlink(path);
    return true;
  } finally {
    await guard.release();
  }
}

async function linked(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function removeOwn(path: string, text: string): Promise<void> {
  if ((await readText(path)) === text) await unlink(path);
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

let temporaryCount = 0;

/** A path beside `path` that no other process and no other call uses; {@link isLeftover} knows it again. */
export function temporaryName(path: string): string {
  return `${path}~${process.pid}-${randomBytes(6).toString('hex')}-${temporaryCount++}.tmp`;
}

/** Whether a file name is a temporary one of a process that is gone. */
export function isLeftover(name: string): boolean {
  const match = /~(\d+)-[0-9a-f]{12}-\d+\.tmp$/.exec(name);
  if (!match) return false;
  const pid = Number(match[1]);
  return pid !== process.pid && !pidExists(pid);
}

let self: Promise<Omit<Owner, 'nonce'>> | undefined;

function thisProcess(): Promise<Omit<Owner, 'nonce'>> {
  self ??= (async () => ({
    pid: process.pid,
    startTicks: (await startTicksOf(process.pid)) ?? '-',
    boot: await bootIdentity(),
  }))();
  return self;
}

function ownerLine(owner: Omit<Owner, 'nonce'>): string {
  return `${owner.pid} ${owner.startTicks} ${owner.boot} ${randomBytes(8).toString('hex')}\n`;
}

function parseOwner(text: string): Owner | null {
  const match = /^(\d{1,10}) (\d+|-) (\S+) ([0-9a-f]{16})\n$/.exec(text);
  if (!match) return null;
  return { pid: Number(match[1]), startTicks: match[2]!, boot: match[3]!, nonce: match[4]! };
}

/** A text that is no owner was torn by a power cut: its process is gone with it. */
async function isAlive(owner: Owner | null): Promise<boolean> {
  if (owner === null || owner.boot !== (await thisProcess()).boot) return false;
  if (owner.startTicks === '-') return pidExists(owner.pid);
  return (await startTicksOf(owner.pid)) === owner.startTicks;
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

/** Field 22 of /proc/PID/stat, null where there is no such process (or no /proc). A zombie has released all it held. */
async function startTicksOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  // The second field is the name in parentheses, in which anything may stand.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
}

async function bootIdentity(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '-');
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '-');
  return `${boot.trim()}/${namespace}`;
}
