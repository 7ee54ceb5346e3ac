// WebTorrent, plain Node without WebRTC, by a small program of ours.

import { npmPeerFile, peerFile } from '../run/home.ts';
import { ANY_SIZE, type Client } from './client.ts';
import { missingNpm } from './here.ts';

export interface WebtorrentPeer {
  readonly torrents: readonly string[];
  readonly folder: string;
  readonly port: number;
  readonly uploadBytesPerSecond: number;
  readonly trust: boolean;
  readonly done: string;
}

export function webtorrentArgv(peer: WebtorrentPeer): string[] {
  const module = npmPeerFile('webtorrent/index.js');
  return [process.execPath, peerFile('webtorrent_peer.mjs'), module, JSON.stringify(peer)];
}

/** It cannot be told an address: it listens on all of them. */
export const webtorrent: Client = {
  name: 'webtorrent',
  mostMib: ANY_SIZE,
  missing: () => missingNpm('webtorrent'),
  command: ({ torrent, folder, port, uploadBytesPerSecond, done }, role) => ({
    argv: webtorrentArgv({ torrents: [torrent], folder, port, uploadBytesPerSecond, trust: role === 'seed', done }),
  }),
};
