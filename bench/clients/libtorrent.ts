// libtorrent (rasterbar), by a small Python program of ours.

import { PYTHON, peerFile } from '../run/home.ts';
import { ANY_SIZE, type Client } from './client.ts';
import { missingLibtorrent } from './here.ts';

export interface LibtorrentPeer {
  readonly torrents: readonly string[];
  readonly folder: string;
  readonly ip: string;
  readonly port: number;
  readonly uploadBytesPerSecond: number;
  readonly downloadBytesPerSecond: number;
  /** Take the content for good without looking. */
  readonly trust: boolean;
  readonly done: string;
}

export function libtorrentArgv(peer: LibtorrentPeer): string[] {
  return [PYTHON, peerFile('libtorrent_peer.py'), JSON.stringify(peer)];
}

export const libtorrent: Client = {
  name: 'libtorrent',
  mostMib: ANY_SIZE,
  v2: true,
  missing: missingLibtorrent,
  command: ({ torrent, folder, ip, port, uploadBytesPerSecond, downloadBytesPerSecond, done }, role) => ({
    argv: libtorrentArgv({
      torrents: [torrent],
      folder,
      ip,
      port,
      uploadBytesPerSecond,
      downloadBytesPerSecond,
      trust: role === 'seed',
      done,
    }),
  }),
};
