// The folder that a bench plays in: in memory where there is room for it, so that no disk takes part. Gone at the end.

import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';

export class Workplace {
  readonly folder: string;
  /** Whether it lies in memory. */
  readonly inMemory: boolean;
  #given = 0;

  /** `needBytes`: what the largest suite has at a time. */
  constructor(needBytes: number) {
    this.inMemory = roomAt(MEMORY) > needBytes;
    this.folder = mkdtempSync(join(this.inMemory ? MEMORY : tmpdir(), 'shoal-bench-'));
  }

  /** A fresh folder whose name begins with `name`. */
  fresh(name: string): string {
    const path = join(this.folder, `${name}-${++this.#given}`);
    mkdirSync(path, { recursive: true });
    return path;
  }

  discard(path: string): void {
    rmSync(path, { recursive: true, force: true });
  }

  close(): void {
    this.discard(this.folder);
  }
}

function roomAt(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
