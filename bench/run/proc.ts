// What the operating system says about processes and the loopback device: /proc, nothing that a program tells of itself.

import { readFileSync } from 'node:fs';

/** `sysconf(_SC_CLK_TCK)`: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Of a process and all that it has started. */
export interface Usage {
  /** User and system time, of children that have ended too. */
  readonly cpuSeconds: number;
  /** Resident, with mapped file pages. */
  readonly rssMib: number;
  /** Anonymous: private memory, without mapped files. The fairer figure. */
  readonly privateMib: number;
}

export const NO_USAGE: Usage = { cpuSeconds: 0, rssMib: 0, privateMib: 0 };

/** null: it has ended. */
export function usageOf(pid: number): Usage | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const sum = { cpuSeconds: cpuSeconds(stat), rssMib: mib(status, 'VmRSS'), privateMib: mib(status, 'RssAnon') };
    for (const child of childrenOf(pid)) {
      const more = usageOf(child);
      if (more === null) continue;
      sum.cpuSeconds += more.cpuSeconds;
      sum.rssMib += more.rssMib;
      sum.privateMib += more.privateMib;
    }
    return sum;
  } catch {
    return null;
  }
}

/** Seconds that the main thread could have run, and had to wait for a core; null: it has ended, or the system does not count that. */
export function waitedSeconds(pid: number): number | null {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[1]) / 1e9;
  } catch {
    return null;
  }
}

/** Fields 14 to 17 of /proc/PID/stat: its own user and system time, and that of children it has waited for. */
export function cpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) / TICKS_PER_SECOND;
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** A zombie has no such lines. */
function mib(status: string, key: string): number {
  const at = status.indexOf(`\n${key}:`);
  return at < 0 ? 0 : Number.parseInt(status.slice(at + key.length + 2), 10) / 1024;
}

/** Bytes that have gone through the loopback device of this network. */
export function loopbackBytes(): number {
  const line = readFileSync('/proc/self/net/dev', 'latin1')
    .split('\n')
    .find((text) => text.trim().startsWith('lo:'));
  return Number(line?.trim().split(/[:\s]+/)[1] ?? 0);
}
