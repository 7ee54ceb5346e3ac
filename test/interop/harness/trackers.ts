// Trackers, ours and those of others, that serve HTTP and UDP at one place.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmPeersFolder } from '../npm/install.mjs';
import { bittorrentTrackerHere, type Need, programsHere } from './needs.ts';
import type { Place } from './network.ts';
import { trackWithShoal } from './shoal.ts';
import type { Stage } from './stage.ts';

const BITTORRENT_TRACKER = fileURLToPath(new URL('../peers/bittorrent_tracker.mjs', import.meta.url));

export interface Tracker {
  readonly name: string;
  readonly need: Need;
  /** Resolves when it serves. `infoHashes` in hex: all that it will be asked for. */
  start(stage: Stage, place: Place, infoHashes: readonly string[]): Promise<void>;
}

export const opentracker: Tracker = {
  name: 'opentracker',
  need: programsHere('opentracker'),
  async start(stage, place, infoHashes) {
    const root = await stage.newFolder('opentracker');
    // Debian's build serves these only.
    await writeFile(join(root, 'allowed'), infoHashes.map((hash) => `${hash}\n`).join(''));
    const lines = [
      `listen.tcp_udp ${place.text}`,
      'access.whitelist allowed',
      `tracker.rootdir ${root}`,
      'tracker.user nobody',
    ];
    await writeFile(join(root, 'opentracker.conf'), `${lines.join('\n')}\n`);
    const program = stage.start('opentracker', 'opentracker', ['-f', join(root, 'opentracker.conf')]);
    await stage.listening(program, place);
    await stage.listening(program, place, 'udp');
  },
};

/** The tracker of WebTorrent's people, from npm. */
export const bittorrentTracker: Tracker = {
  name: 'bittorrent-tracker',
  need: bittorrentTrackerHere,
  async start(stage, place) {
    const module = new URL('node_modules/bittorrent-tracker/server.js', npmPeersFolder()).href;
    const args = [BITTORRENT_TRACKER, module, place.ip, String(place.port)];
    const program = stage.start('bittorrent-tracker', process.execPath, args);
    await stage.listening(program, place);
    await stage.listening(program, place, 'udp');
  },
};

export const shoalTracker: Tracker = {
  name: 'shoal tracker',
  need: () => null,
  async start(stage, place) {
    await trackWithShoal(stage, place);
  },
};
