// Installs what package.json beside this file names, exactly as locked and without install scripts, into .cache/.

import { fileURLToPath, pathToFileURL } from 'node:url';
import { installNpmFolder, npmFolder } from '../../../scripts/npm-folder.mjs';

const NAME = 'interop-npm';
const SOURCE = 'test/interop/npm';

/**
 * Where the packages are, or will be.
 * @returns {URL}
 */
export function npmPeersFolder() {
  return pathToFileURL(npmFolder(NAME, SOURCE));
}

/**
 * Installs once; later calls cost nothing.
 * @returns {boolean} whether the packages are there; without a network they may not be
 */
export function installNpmPeers() {
  return installNpmFolder(NAME, SOURCE);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = installNpmPeers() ? 0 : 1;
