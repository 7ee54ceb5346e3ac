// Installs what package.json beside this file names, exactly as locked and without install scripts, into .cache/.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LOCK = new URL('package-lock.json', import.meta.url);
const MANIFEST = new URL('package.json', import.meta.url);

/**
 * Where the packages are, or will be: another lock file has another folder.
 * @returns {URL}
 */
export function npmPeersFolder() {
  const key = createHash('sha256').update(readFileSync(LOCK)).digest('hex').slice(0, 12);
  return new URL(`../../../.cache/interop-npm-${key}/`, import.meta.url);
}

/**
 * Installs once; later calls cost nothing. Everything happens in a folder beside, renamed at the end.
 * @returns {boolean} whether the packages are there; without a network they may not be
 */
export function installNpmPeers() {
  const folder = fileURLToPath(npmPeersFolder());
  if (existsSync(folder)) return true;
  const beside = `${folder.slice(0, -1)}.${process.pid}`;
  mkdirSync(beside, { recursive: true });
  try {
    for (const file of [LOCK, MANIFEST]) cpSync(file, `${beside}/${file.pathname.split('/').pop()}`);
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const { status, error } = spawnSync('npm', args, { cwd: beside, stdio: 'inherit', timeout: 180_000 });
    if (error) process.stderr.write(`npm cannot be run: ${error.message}\n`);
    if (status !== 0) return false;
    renameSync(beside, folder);
    return true;
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = installNpmPeers() ? 0 : 1;
