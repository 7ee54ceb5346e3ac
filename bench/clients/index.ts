// All clients, in the order of the tables.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOME, npmPeerFile, PYTHON } from '../run/home.ts';
import { aria2 } from './aria2.ts';
import type { Client } from './client.ts';
import { firstLine } from './here.ts';
import { libtorrent } from './libtorrent.ts';
import { qbittorrent } from './qbittorrent.ts';
import { rtorrent } from './rtorrent.ts';
import { shoal } from './shoal.ts';
import { transmission } from './transmission.ts';
import { webtorrent } from './webtorrent.ts';

export const CLIENTS: readonly Client[] = [shoal, libtorrent, qbittorrent, aria2, transmission, rtorrent, webtorrent];

/** The versions of everything measured, as far as they can be asked. */
export function versions(): Record<string, string> {
  const ask: Record<string, () => string | null> = {
    shoal: () => packageVersion(join(HOME, 'package.json')),
    node: () => process.version,
    libtorrent: () => firstLine(PYTHON, ['-c', 'import libtorrent; print(libtorrent.__version__)']),
    qbittorrent: () => firstLine('qbittorrent-nox', ['--version']),
    aria2: () => firstLine('aria2c', ['--version']),
    transmission: () => firstLine('transmission-cli', ['--version']),
    rtorrent: () => debianVersion('rtorrent'),
    mktorrent: () => debianVersion('mktorrent'),
    webtorrent: () => packageVersion(npmPeerFile('webtorrent/package.json')),
    'create-torrent': () => packageVersion(npmPeerFile('create-torrent/package.json')),
  };
  return Object.fromEntries(Object.entries(ask).map(([name, version]) => [name, version() ?? 'not here']));
}

/** Of programs that do not tell theirs. */
function debianVersion(name: string): string | null {
  return firstLine('sh', ['-c', 'dpkg -s "$1" | sed -n "s/^Version: //p"', 'sh', name]);
}

function packageVersion(file: string): string | null {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  } catch {
    return null;
  }
}
