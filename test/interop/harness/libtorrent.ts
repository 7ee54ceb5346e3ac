// libtorrent, by small Python programs of ours: it also makes and reads torrent files.

import { fileURLToPath } from 'node:url';
import type { Client, Leeching } from './client.ts';
import { libtorrentHere, PYTHON } from './needs.ts';
import type { Stage } from './stage.ts';

const PEER = fileURLToPath(new URL('../peers/libtorrent_peer.py', import.meta.url));
const TORRENTS = fileURLToPath(new URL('../peers/libtorrent_torrents.py', import.meta.url));

interface Job {
  readonly source: string;
  readonly parent: string;
  readonly uploadBytesPerSecond?: number;
  /** Peers to connect to, `ip:port`. */
  readonly peers?: readonly string[];
}

export const libtorrent: Client = {
  name: 'libtorrent',
  need: libtorrentHere,
  habits: {},
  async seed(stage, job) {
    const running = await start(stage, { ...job, source: job.torrent });
    await running.completed();
    return running;
  },
  leech: (stage, job) => start(stage, job),
};

/** As `libtorrent.leech`, connecting to peers by itself. */
export function leechWithLibtorrent(stage: Stage, job: Job): Promise<Leeching> {
  return start(stage, job);
}

async function start(stage: Stage, job: Job): Promise<Leeching> {
  const place = stage.network.place();
  const options = { ...job, ip: place.ip, listen: place.text };
  const program = stage.start('libtorrent', PYTHON, [PEER, JSON.stringify(options)]);
  await stage.listening(program, place);
  const completed = async (): Promise<void> => {
    const isComplete = (): boolean => program.said.some((said) => said.event === 'complete');
    await stage.until('libtorrent to be complete', [program], isComplete);
  };
  return { place, program, completed };
}

export interface MakeJob {
  readonly path: string;
  readonly output: string;
  readonly meta: 'v1' | 'v2' | 'hybrid';
  readonly pieceLength: number;
  readonly keepSymlinks?: boolean;
  readonly tracker?: string;
}

/** What libtorrent reads in a torrent file. */
export interface Read {
  readonly name: string;
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
  readonly pieceLength: number;
  readonly pieceCount: number;
  /** In order, by path below the torrent's name (of a single file: the name). */
  readonly files: readonly { readonly path: string; readonly length: number; readonly padding: boolean }[];
}

/** Makes torrent files and says what is in them. */
export function makeWithLibtorrent(stage: Stage, jobs: readonly MakeJob[]): Promise<readonly Read[]> {
  return torrents(stage, { make: jobs });
}

export function readWithLibtorrent(stage: Stage, files: readonly string[]): Promise<readonly Read[]> {
  return torrents(stage, { read: files });
}

async function torrents(stage: Stage, work: object): Promise<readonly Read[]> {
  return JSON.parse(await stage.run(PYTHON, [TORRENTS], { stdin: JSON.stringify(work) })) as readonly Read[];
}
