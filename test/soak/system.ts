// What the operating system says about a process: /proc, nothing that the process tells of itself.

import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  readonly residentMib: number;
  /** Anonymous memory: without mapped files. */
  readonly privateMib: number;
  readonly descriptors: number;
}

/** null: it has ended. */
export function usageOf(pid: number): Usage | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const mib = (field: string): number =>
      Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / 1024;
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    return { residentMib: mib('VmRSS'), privateMib: mib('RssAnon'), descriptors };
  } catch {
    return null;
  }
}

/** Bytes that all its reads have brought, of files and of sockets; null: it has ended. */
export function readBytesOf(pid: number): number | null {
  try {
    const found = /^rchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1'));
    return found ? Number(found[1]) : null;
  } catch {
    return null;
  }
}

/** When a process began, in ticks of the system's clock: numbers of processes are used again, with this they are not. Null: ended. */
export function bornOf(pid: number): string | null {
  try {
    // The name, which may have any bytes, ends with the last bracket; what follows begins with field 3.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    // A process that has ended and was not waited for yet is nothing that was left behind.
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
