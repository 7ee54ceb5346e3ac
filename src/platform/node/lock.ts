// Locks between processes as files, freed when their owner dies in whatever way: a lock names its owner, and a lock whose
// owner is gone is stale. Node offers no system lock (flock) without native code.
//
// A lock is a symbolic link that leads nowhere: its target names the owner. One call makes it, whole or not at all, so that
// a process may hold very many; all calls are synchronous, for they touch names only.
//
// Only one process may take a stale lock away, or the second taker would remove the new lock of the first. So a stale lock
// is removed only under a guard: another lock, named after the nonce of the stale one. A guard may be stale itself, and
// is then removed in the same way, under a guard of its own.
//
//   symlink(own, L) ---ok----> held
//          `-EEXIST-> owner of L lives -> busy
//                     owner of L is gone -> acquire L~nonce -> L still the same? unlink(L) -> release L~nonce -> again

import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import type { StoreLock } from '../../ports/store.ts';
import { makeFoldersSync } from './content/make-folders.ts';
import { errnoOf } from './system-errors.ts';

/** Each level needs a process that was killed within the microseconds of a takeover. */
const MAX_GUARDS = 3;

/** Takers that find the lock just freed try again; so often only if others take and free it all the time. */
const MAX_ATTEMPTS = 20;

/** What a lock says: words separated by a blank. */
interface Owner {
  readonly pid: number;
  /** When the process began, in clock ticks since boot: a pid is used again, the two together are not. */
  readonly startTicks: string;
  /** Identifies the run of the machine, and of the container that gives pids their meaning. */
  readonly boot: string;
  readonly nonce: string;
}

/** Makes the lock `path`, and the folders above it; null while it is held. Throws what the system throws. */
export function acquireFileLock(path: string): StoreLock | null {
  const text = acquire(path, 0);
  return text === null ? null : { release: async () => removeOwn(path, text) };
}

/** What the lock says of us; null while it is held. */
function acquire(path: string, depth: number): string | null {
  const text = ownerText(thisProcess());
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (linked(text, path)) return text;
    const found = readText(path);
    if (found === null) continue;
    if (isAlive(parseOwner(found))) return null;
    if (depth === MAX_GUARDS || !removeStale(path, found, depth)) return null;
  }
  return null;
}

/** False where another one is at it. Nobody but the holder of the guard removes this very lock, so that the check holds. */
function removeStale(path: string, stale: string, depth: number): boolean {
  const guard = `${path}~${parseOwner(stale)?.nonce ?? 'torn'}`;
  const own = acquire(guard, depth + 1);
  if (own === null) return false;
  try {
    if (readText(path) === stale) unlinkSync(path);
    return true;
  } finally {
    removeOwn(guard, own);
  }
}

function linked(text: string, path: string): boolean {
  try {
    makeLink(text, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Mostly the folder is there already: it is looked for only when the link says that it is not. */
function makeLink(text: string, path: string): void {
  try {
    symlinkSync(text, path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    makeFoldersSync(dirname(path));
    symlinkSync(text, path);
  }
}

function removeOwn(path: string, text: string): void {
  if (readText(path) === text) unlinkSync(path);
}

/** Null where there is nothing. What is no link cannot be a lock of a living process; it is read for its whole text. */
function readText(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    if (errnoOf(error) !== 'EINVAL') throw error;
    return readFileSync(path, 'utf8');
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

let self: Omit<Owner, 'nonce'> | undefined;

function thisProcess(): Omit<Owner, 'nonce'> {
  self ??= { pid: process.pid, startTicks: startTicksOf(process.pid) ?? '-', boot: bootIdentity() };
  return self;
}

/** Of this process; with the number of a lock it makes a nonce. */
const PROCESS_NONCE: string = randomBytes(4).toString('hex');
let lockCount = 0;

/** Below 60 bytes: file systems keep so short a link in its inode, and make and remove it several times as fast. */
function ownerText(owner: Omit<Owner, 'nonce'>): string {
  const nonce = PROCESS_NONCE + (lockCount++ >>> 0).toString(16).padStart(8, '0');
  return `${owner.pid} ${owner.startTicks} ${owner.boot} ${nonce}`;
}

function parseOwner(text: string): Owner | null {
  const match = /^(\d{1,10}) (\d+|-) (\S+) ([0-9a-f]{16})\n?$/.exec(text);
  if (!match) return null;
  return { pid: Number(match[1]), startTicks: match[2]!, boot: match[3]!, nonce: match[4]! };
}

/** A text that is no owner was torn by a power cut: its process is gone with it. */
function isAlive(owner: Owner | null): boolean {
  if (owner === null || owner.boot !== thisProcess().boot) return false;
  if (owner.startTicks === '-') return pidExists(owner.pid);
  return startTicksOf(owner.pid) === owner.startTicks;
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
function startTicksOf(pid: number): string | null {
  const stat = textOf(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === null) return null;
  // The second field is the name in parentheses, in which anything may stand.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
}

function bootIdentity(): string {
  const boot = textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')) ?? '-';
  const namespace = textOf(() => readlinkSync('/proc/self/ns/pid')) ?? '-';
  return createHash('sha256').update(`${boot}/${namespace}`).digest('hex').slice(0, 12);
}

/** Null where the system does not tell. */
function textOf(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
