// Where things lie: this code runs compiled, from a folder under .cache/.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Shoal's folder. */
export const HOME: string = findHome(dirname(fileURLToPath(import.meta.url)));

/** The program as its users start it. */
export const SHOAL: string = join(HOME, 'bin', 'shoal.js');

/** Debian's python3-libtorrent belongs to Debian's Python, whatever else PATH has. */
export const PYTHON = '/usr/bin/python3';

/** A peer of ours in the language of others. */
export function peerFile(name: string): string {
  return join(HOME, 'bench', 'peers', name);
}

/** A file of an npm package that scripts/bench.mjs installed for the comparison; it may not be there. */
export function npmPeerFile(path: string): string {
  return join(process.env.BENCH_NPM ?? join(HOME, '.cache', 'no-bench-npm'), 'node_modules', path);
}

function findHome(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : findHome(dirname(from));
}
