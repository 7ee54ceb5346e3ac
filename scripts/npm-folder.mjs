// Installs a package.json with its lock file into a folder of its own under .cache/, exactly and without install scripts.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HOME } from './run.mjs';

/**
 * Where the packages are, or will be: another lock file has another folder. Ends with a slash.
 * @param {string} name what the folder's name begins with
 * @param {string} source the folder, under Shoal's, that holds package.json and package-lock.json
 * @returns {string}
 */
export function npmFolder(name, source) {
  const lock = readFileSync(join(HOME, source, 'package-lock.json'));
  const key = createHash('sha256').update(lock).digest('hex').slice(0, 12);
  return join(HOME, '.cache', `${name}-${key}/`);
}

/**
 * Installs once; later calls cost nothing. Everything happens in a folder beside, renamed at the end.
 * @param {string} name as for {@link npmFolder}
 * @param {string} source as for {@link npmFolder}
 * @param {(folder: string) => void} [finish] changes what was installed, before it counts as there
 * @returns {boolean} whether the packages are there; without a network they may not be
 */
export function installNpmFolder(name, source, finish) {
  const folder = npmFolder(name, source);
  if (existsSync(folder)) return true;
  const beside = `${folder.slice(0, -1)}.${process.pid}`;
  mkdirSync(beside, { recursive: true });
  try {
    for (const file of ['package-lock.json', 'package.json']) cpSync(join(HOME, source, file), join(beside, file));
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const { status, error } = spawnSync('npm', args, { cwd: beside, stdio: 'inherit', timeout: 180_000 });
    if (error) process.stderr.write(`npm cannot be run: ${error.message}\n`);
    if (status !== 0) return false;
    finish?.(beside);
    renameSync(beside, folder);
    return true;
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}
