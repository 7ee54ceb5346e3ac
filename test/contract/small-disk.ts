// A real disk that is full soon: a tmpfs of a given size. Only root may mount one.

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** Whether this process may try; where it may not, skip by this name. */
export const canMount: boolean = process.platform === 'linux' && process.getuid?.() === 0;

export interface SmallDisk {
  makeReadOnly(): void;
  makeWritable(): void;
  unmount(): void;
}

/** Mounts one at `place`, which must not exist; null where the machine does not let us after all (a container). */
export function mountSmallDisk(place: string, sizeBytes: number): SmallDisk | null {
  mkdirSync(place);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', place], { stdio: 'ignore' });
  } catch {
    return null;
  }
  return {
    makeReadOnly: () => {
      execFileSync('mount', ['-o', 'remount,ro', place]);
    },
    makeWritable: () => {
      execFileSync('mount', ['-o', 'remount,rw', place]);
    },
    unmount: () => {
      execFileSync('umount', [place]);
    },
  };
}
