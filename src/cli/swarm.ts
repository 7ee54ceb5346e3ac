// What get, seed and share have in common: a session with the options of the command line, shown while it runs.

import type { Address } from '../base/address.ts';
import type { Magnet } from '../metainfo/types.ts';
import { giveBackIdleMemory } from '../platform/node/idle-memory.ts';
import type { Env } from '../ports/env.ts';
import type { AddRequest } from '../session/request.ts';
import { Session } from '../session/session.ts';
import type { TorrentSnapshot } from '../torrent/snapshot.ts';
import type { Torrent } from '../torrent/torrent.ts';
import { pathMatcher } from './globs.ts';
import type { SwarmOptions } from './options.ts';
import type { Progress, ProgressState } from './progress.ts';
import { CLOSE_DEADLINE_MS } from './signals.ts';
import type { FileSource, MagnetSource } from './source.ts';
import { openWorld, resolveListen, resolvePeers, usableStateFolder } from './world.ts';

/** A running session; `close` ends it within the time that Ctrl-C may take. */
export interface Swarm {
  readonly env: Env;
  readonly session: Session;
  /** The concrete address that everything leaves from, if there is one. */
  readonly from: Uint8Array | null;
  readonly peers: readonly Address[];
  close(): Promise<void>;
}

export async function openSwarm(options: SwarmOptions): Promise<Swarm> {
  const env = await openWorld(usableStateFolder(options.state));
  try {
    const listen = await resolveListen(env.sockets, options.listen);
    const peers = await resolvePeers(env.sockets, options.peer);
    const session = await Session.open(env, {
      listen,
      maxDownloadBytesPerSecond: options.maxDownload ?? null,
      maxUploadBytesPerSecond: options.maxUpload ?? null,
    });
    const endLooks = giveBackIdleMemory();
    const close = async (): Promise<void> => {
      endLooks();
      await session.close({ deadlineMs: CLOSE_DEADLINE_MS });
      await env.close();
    };
    return { env, session, from: listen.ip, peers, close };
  } catch (error) {
    await env.close();
    throw error;
  }
}

/** The part of an AddRequest that the source and the shared options say. */
export async function requestOf(
  source: FileSource | MagnetSource,
  swarm: Swarm,
  options: SwarmOptions,
): Promise<RequestBase> {
  const shared = { sequential: options.sequential ?? false, ...selectionOf(source, options) };
  if (source.kind !== 'magnet') {
    const { metainfo, bytes, kind } = source;
    return { ...shared, peers: swarm.peers, metainfo, metainfoBytes: bytes, everyTracker: kind === 'mtorrent' };
  }
  const { magnet } = source;
  // Peers in a link are hints: one whose name is not known is no reason to give up.
  const hints = await Promise.allSettled(magnet.peers.map((peer) => resolvePeers(swarm.env.sockets, [peer])));
  const peers = hints.flatMap((hint) => (hint.status === 'fulfilled' ? hint.value : []));
  return { ...shared, peers: [...swarm.peers, ...peers], magnet };
}

type RequestBase = Pick<
  AddRequest,
  'magnet' | 'metainfo' | 'metainfoBytes' | 'everyTracker' | 'only' | 'selection' | 'peers' | 'sequential'
>;

/** `--only`, else the files that a magnet link selects (BEP 53). */
function selectionOf(
  source: FileSource | MagnetSource,
  options: SwarmOptions,
): Pick<RequestBase, 'only' | 'selection'> {
  if (options.only.length > 0) return { only: pathMatcher(options.only), selection: options.only };
  return source.kind === 'magnet' ? selectedBy(source.magnet) : {};
}

/** The files that a magnet link selects, by their place in the torrent. */
export function selectedBy({ selectOnly }: Magnet): Pick<AddRequest, 'only'> {
  if (selectOnly === null) return {};
  return { only: (_, index) => selectOnly.some(([first, last]) => index >= first && index <= last) };
}

/** Shows all torrents of the session until stopped. Where nothing can be drawn the means for it are not loaded. */
export async function showTorrents(session: Session): Promise<Progress> {
  if (!process.stderr.isTTY) return { stop: () => undefined };
  const { startProgress } = await import('./progress.ts');
  return startProgress(() => session.torrents.map((torrent) => progressOf(torrent.snapshot())));
}

function progressOf(torrent: TorrentSnapshot): ProgressState {
  const { state } = torrent;
  const wanted = torrent.wantedBytes;
  const fraction = state === 'checking' ? torrent.checkedFraction : wanted === 0 ? 0 : torrent.verifiedBytes / wanted;
  const moving = state === 'downloading' || state === 'seeding';
  return {
    name: torrent.name ?? torrent.infoHashV1 ?? torrent.infoHashV2 ?? 'torrent',
    state: state === 'metadata' ? 'asking peers for the metadata' : state,
    fraction,
    doneBytes: torrent.verifiedBytes,
    totalBytes: state === 'downloading' ? wanted : null,
    downloadBytesPerSecond: moving ? torrent.downloadBytesPerSecond : null,
    uploadBytesPerSecond: moving ? torrent.uploadBytesPerSecond : null,
    etaS: state === 'downloading' ? torrent.etaS : null,
    peers: state === 'checking' ? null : torrent.peers,
    seeds: torrent.seeds,
    ratio: moving ? torrent.ratio : null,
  };
}

export function listenTexts(session: Session): string[] {
  return session.listening.map((address) => address.key);
}

/** The facts that every JSON event about a torrent carries. */
export function torrentFacts(torrent: Torrent): {
  name: string | null;
  infoHashV1: string | null;
  infoHashV2: string | null;
  path: string | null;
  length: number | null;
} {
  const { name, infoHashV1, infoHashV2, path, lengthBytes } = torrent.snapshot();
  return { name, infoHashV1, infoHashV2, path, length: lengthBytes };
}

/** What was moved, as the last event of a command that stays has it. */
export function trafficFacts(torrent: Torrent): ReturnType<typeof torrentFacts> & {
  downloaded: number;
  uploaded: number;
  ratio: number;
} {
  const { downloadedBytes, uploadedBytes, ratio } = torrent.snapshot();
  return { ...torrentFacts(torrent), downloaded: downloadedBytes, uploaded: uploadedBytes, ratio };
}
