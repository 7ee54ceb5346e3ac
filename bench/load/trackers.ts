// The trackers that are measured, in the order of the tables.

import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { missingNpm, missingPrograms } from '../clients/here.ts';
import { npmPeerFile, peerFile, SHOAL } from '../run/home.ts';
import type { Command } from '../run/program.ts';
import { infoHash } from './generator.ts';

/** Where a tracker serves HTTP and UDP, and what it may have to be told. */
export interface Post {
  readonly ip: string;
  readonly port: number;
  /** A folder of its own. */
  readonly home: string;
  /** Their info hashes are those of the generators. */
  readonly torrents: number;
}

export interface TrackerProgram {
  readonly name: string;
  readonly cores: number;
  /** It closes every HTTP connection after its reply. */
  readonly closes: boolean;
  readonly hasWebSocket: boolean;
  /** null: it is here; else what is missing. */
  missing(): string | null;
  command(post: Post): Command;
}

export const OPENTRACKER = 'opentracker';
export const NPM_DEFAULT = 'bittorrent-tracker';
export const NPM_NO_STATS = 'bittorrent-tracker, stats: false';
export const TWO_WORKERS = 'shoal, 2 workers';

const NPM_SERVER = 'bittorrent-tracker/server.js';

export const TRACKERS: readonly TrackerProgram[] = [
  { name: 'shoal', cores: 1, closes: false, hasWebSocket: true, missing: () => null, command: (post) => shoal(post) },
  {
    name: 'shoal, dgram',
    cores: 1,
    closes: false,
    hasWebSocket: true,
    missing: () => null,
    command: (post) => ({ ...shoal(post), env: { SHOAL_NATIVE: '0' } }),
  },
  {
    name: TWO_WORKERS,
    cores: 2,
    closes: false,
    hasWebSocket: true,
    missing: () => (hasWorkers() ? null : 'shoal tracker has no --workers'),
    command: (post) => shoal(post, '--workers', '2'),
  },
  {
    name: OPENTRACKER,
    cores: 1,
    closes: true,
    hasWebSocket: false,
    missing: () => missingPrograms('opentracker'),
    command: opentracker,
  },
  npmTracker(NPM_DEFAULT, 'stats'),
  npmTracker(NPM_NO_STATS, 'no-stats'),
];

/** Shoal's tracker; `more`: of its command line. */
export function shoal({ ip, port, home }: Post, ...more: readonly string[]): Command {
  const words = ['tracker', '--listen', `${ip}:${port}`, '--state', join(home, 'state'), ...more];
  return { argv: [process.execPath, SHOAL, ...words] };
}

function hasWorkers(): boolean {
  const { stdout } = spawnSync(process.execPath, [SHOAL, 'tracker', '--help'], { encoding: 'utf8' });
  return stdout.includes('--workers');
}

/** Debian's build serves only info hashes of a list, which it reads as the user that it becomes: it refuses to stay root. */
function opentracker({ ip, port, home, torrents }: Post): Command {
  const list = join(home, 'hashes');
  const config = join(home, 'config');
  writeFileSync(list, Array.from({ length: torrents }, (_, i) => `${infoHash(i).toString('hex')}\n`).join(''));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chmodSync(dirname(home), 0o711);
  const user = isRoot ? 'tracker.user nobody\n' : '';
  writeFileSync(config, `listen.tcp_udp ${ip}:${port}\naccess.whitelist ${list}\n${user}`);
  return { argv: ['opentracker', '-f', config] };
}

function npmTracker(name: string, stats: string): TrackerProgram {
  return {
    name,
    cores: 1,
    closes: false,
    hasWebSocket: true,
    missing: () => missingNpm(NPM_SERVER),
    command({ ip, port }) {
      const words = [peerFile('bittorrent_tracker.mjs'), npmPeerFile(NPM_SERVER), ip, String(port), stats];
      return { argv: [process.execPath, ...words] };
    },
  };
}
