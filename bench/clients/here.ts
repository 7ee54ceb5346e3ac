// Whether a program is on this machine, and in which version.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { npmPeerFile, PYTHON } from '../run/home.ts';

export function missingPrograms(...names: readonly string[]): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const missing = names.filter((name) => !folders.some((folder) => existsSync(join(folder, name))));
  return missing.length === 0 ? null : `no ${missing.join(', no ')}`;
}

export function missingLibtorrent(): string | null {
  return firstLine(PYTHON, ['-c', 'import libtorrent']) === null ? 'no python3-libtorrent' : null;
}

export function missingNpm(name: string): string | null {
  return existsSync(npmPeerFile(name)) ? null : `no npm package ${name}`;
}

/** The first line that a command prints; null where it fails. */
export function firstLine(command: string, args: readonly string[]): string | null {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? (`${stdout}${stderr}`.trim().split('\n')[0] ?? '') : null;
}
