// Trackers, ours and those of others, that serve HTTP and UDP at one place; ours HTTPS and IPv6 too.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmPeersFolder } from '../npm/install.mjs';
import { bittorrentTrackerHere, type Need, programsHere } from './needs.ts';
import type { Family, Place } from './network.ts';
import { trackWithShoal } from './shoal.ts';
import type { Stage } from './stage.ts';

const BITTORRENT_TRACKER = fileURLToPath(new URL('../peers/bittorrent_tracker.mjs', import.meta.url));

export interface Way {
  readonly protocol: 'http' | 'https' | 'udp';
  readonly family: Family;
}

/** What all have in common. */
const PLAIN: readonly Way[] = [
  { protocol: 'http', family: 'IPv4' },
  { protocol: 'udp', family: 'IPv4' },
];

export interface Tracker {
  readonly name: string;
  readonly need: Need;
  /** Ways to ask it. */
  readonly ways: readonly Way[];
  /** Resolves when it serves. `infoHashes` in hex: all that it will be asked for. */
  start(stage: Stage, place: Place, infoHashes: readonly string[]): Promise<void>;
}

export const opentracker: Tracker = {
  name: 'opentracker',
  need: programsHere('opentracker'),
  ways: PLAIN,
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
  ways: PLAIN,
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
  need: programsHere('openssl'),
  ways: [
    ...PLAIN,
    { protocol: 'https', family: 'IPv4' },
    { protocol: 'http', family: 'IPv6' },
    { protocol: 'udp', family: 'IPv6' },
  ],
  async start(stage, place) {
    const { cert, key } = await certificateFor(stage, place.ip);
    await trackWithShoal(stage, place, ['--tls-cert', cert, '--tls-key', key]);
  },
};

/** One that nobody has signed but itself; programs on Node believe it from now on. */
async function certificateFor(stage: Stage, ip: string): Promise<{ readonly cert: string; readonly key: string }> {
  const folder = await stage.newFolder('certificate');
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const kind = ['-x509', '-nodes', '-days', '2', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const names = ['-subj', '/CN=tracker', '-addext', `subjectAltName=IP:${ip}`];
  await stage.run('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', cert]);
  stage.env.NODE_EXTRA_CA_CERTS = cert;
  return { cert, key };
}
