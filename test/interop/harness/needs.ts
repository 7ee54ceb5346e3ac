// What a suite needs of the machine. A suite that lacks something is skipped, and its title says what.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';
import { npmPeersFolder } from '../npm/install.mjs';
import { canMakeNetworks } from './network.ts';

/** Debian's python3-libtorrent belongs to Debian's Python, whatever else PATH has. */
export const PYTHON = '/usr/bin/python3';

/** null: it is here; else what is missing. */
export type Need = () => string | null;

const remembered = new Map<string, string | null>();

function once(key: string, look: () => boolean, missing: string): Need {
  return () => {
    if (!remembered.has(key)) remembered.set(key, look() ? null : missing);
    return remembered.get(key) ?? null;
  };
}

export const ownNetwork: Need = once('network', canMakeNetworks, 'no root to make network namespaces');

export const libtorrentHere: Need = once(
  'libtorrent',
  () => spawnSync(PYTHON, ['-c', 'import libtorrent'], { stdio: 'ignore' }).status === 0,
  'no python3-libtorrent',
);

export const bittorrentTrackerHere: Need = once(
  'bittorrent-tracker',
  () => existsSync(new URL('node_modules/bittorrent-tracker', npmPeersFolder())),
  'no bittorrent-tracker; test/interop/npm/install.mjs installs it',
);

/** All of these programs. */
export function programsHere(...names: readonly string[]): Need {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const isMissing = (name: string): boolean => !folders.some((folder) => existsSync(join(folder, name)));
  return () => {
    const missing = names.filter(isMissing);
    return missing.length === 0 ? null : `no ${missing.join(', no ')}`;
  };
}

/** Tests that run at the same time; or a skipped suite whose title says what is missing. */
export function interop(title: string, needs: readonly Need[], body: () => void): void {
  const missing = needs.map((need) => need()).filter((lack) => lack !== null);
  if (missing.length === 0) describe.concurrent(title, body);
  else describe.skip(`${title} (skipped: ${missing.join('; ')})`, body);
}
