// `--status SECONDS`: a JSON line that says how a torrent is doing, again and again, for programs that watch.

import type { TorrentSnapshot } from '../torrent/snapshot.ts';
import type { Torrent } from '../torrent/torrent.ts';
import { printJson } from './output.ts';

/** The event; totals are those of this run. */
export interface StatusEvent {
  readonly event: 'status';
  readonly name: string | null;
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
  readonly state: TorrentSnapshot['state'];
  /** Verified bytes of what is wanted. */
  readonly verified: number;
  readonly wanted: number;
  readonly downloaded: number;
  readonly uploaded: number;
  readonly downloadBytesPerSecond: number;
  readonly uploadBytesPerSecond: number;
  readonly eta: number | null;
  readonly seeds: number;
  /** Pieces that were verified since the last status. */
  readonly newPieces: readonly number[];
  readonly peers: readonly {
    readonly address: string;
    readonly client: string;
    readonly downloaded: number;
    readonly uploaded: number;
  }[];
}

/** Tells until the returned function is called (idempotent), which tells a last time. Does nothing without seconds. */
export function reportStatus(torrents: readonly Torrent[], everyS: number | undefined): () => void {
  if (everyS === undefined) return () => undefined;
  const ended = new AbortController();
  const watched = torrents.map((torrent) => ({ torrent, pieces: collectPieces(torrent, ended.signal) }));
  const tell = (): void => {
    for (const { torrent, pieces } of watched) printJson(statusOf(torrent.snapshot(), pieces.splice(0)));
  };
  const timer = setInterval(tell, everyS * 1000);
  return () => {
    if (ended.signal.aborted) return;
    clearInterval(timer);
    tell();
    ended.abort();
  };
}

/** A list that grows by every piece that is verified from now on. */
function collectPieces(torrent: Torrent, signal: AbortSignal): number[] {
  const pieces: number[] = [];
  const collect = async (): Promise<void> => {
    for await (const change of torrent.changes({ signal })) if (change.kind === 'piece') pieces.push(change.piece);
  };
  void collect();
  return pieces;
}

function statusOf(torrent: TorrentSnapshot, newPieces: readonly number[]): StatusEvent {
  return {
    event: 'status',
    name: torrent.name,
    infoHashV1: torrent.infoHashV1,
    infoHashV2: torrent.infoHashV2,
    state: torrent.state,
    verified: torrent.verifiedBytes,
    wanted: torrent.wantedBytes,
    downloaded: torrent.downloadedBytes,
    uploaded: torrent.uploadedBytes,
    downloadBytesPerSecond: Math.round(torrent.downloadBytesPerSecond),
    uploadBytesPerSecond: Math.round(torrent.uploadBytesPerSecond),
    eta: torrent.etaS,
    seeds: torrent.seeds,
    newPieces,
    peers: torrent.peerList.map(({ address, client, downloadedBytes, uploadedBytes }) => ({
      address,
      client,
      downloaded: downloadedBytes,
      uploaded: uploadedBytes,
    })),
  };
}
