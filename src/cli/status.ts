// `--status SECONDS`: a JSON line that says how a torrent is doing, again and again, for programs that watch.

import type { Bitfield } from '../base/bitfield.ts';
import type { PeerSnapshot, TorrentSnapshot } from '../torrent/snapshot.ts';
import type { Torrent } from '../torrent/torrent.ts';
import { printJson } from './output.ts';

/** The event; totals are those of this run. */
export interface StatusEvent {
  readonly event: 'status';
  /** Milliseconds since 1970, when it was so. */
  readonly time: number;
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
  /** Pieces that were verified since the last status; in the first one, all that are. */
  readonly newPieces: readonly number[];
  /** Those that are connected. */
  readonly peers: readonly {
    readonly peerId: string;
    readonly address: string;
    readonly client: string;
    readonly downloaded: number;
    readonly uploaded: number;
  }[];
  /** What was exchanged with each peer, over all its connections, those that have ended included. */
  readonly traffic: readonly PeerTraffic[];
}

export interface PeerTraffic {
  /** 40 hex digits. */
  readonly peerId: string;
  /** Bytes of content that came from it. */
  readonly downloaded: number;
  readonly uploaded: number;
}

/** Tells until the returned function is called (idempotent), which tells a last time. Does nothing without seconds. */
export function reportStatus(torrents: readonly Torrent[], everyS: number | undefined): () => void {
  if (everyS === undefined) return () => undefined;
  const ended = new AbortController();
  const reporters = torrents.map((torrent) => new Reporter(torrent, ended.signal));
  const tell = (): void => {
    for (const reporter of reporters) printJson(reporter.next());
  };
  const timer = setInterval(tell, everyS * 1000);
  return () => {
    if (ended.signal.aborted) return;
    clearInterval(timer);
    tell();
    ended.abort();
  };
}

/** Peers that are remembered when they have gone; who watches a swarm of more has the totals. */
const MAX_GONE = 1000;

class Reporter {
  readonly #torrent: Torrent;
  /** By peer id: what connections that have ended have moved. */
  readonly #gone: Map<string, PeerTraffic> = new Map();
  /** The pieces of the last status. */
  #told: Bitfield | null = null;

  constructor(torrent: Torrent, signal: AbortSignal) {
    this.#torrent = torrent;
    void this.#collect(signal);
  }

  next(): StatusEvent {
    const torrent = this.#torrent.snapshot();
    return {
      event: 'status',
      time: Date.now(),
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
      newPieces: this.#newPieces(),
      peers: torrent.peerList.map(({ peerId, address, client, downloadedBytes, uploadedBytes }) => ({
        peerId,
        address,
        client,
        downloaded: downloadedBytes,
        uploaded: uploadedBytes,
      })),
      traffic: this.#traffic(torrent.peerList),
    };
  }

  async #collect(signal: AbortSignal): Promise<void> {
    for await (const change of this.#torrent.changes({ signal })) {
      if (change.kind === 'peer-left') addTraffic(this.#gone, change.peer, MAX_GONE);
    }
  }

  #newPieces(): number[] {
    const out: number[] = [];
    const now = this.#torrent.verifiedPieces();
    now?.forEach((piece) => {
      if (!this.#told?.has(piece)) out.push(piece);
    });
    this.#told = now;
    return out;
  }

  #traffic(connected: readonly PeerSnapshot[]): PeerTraffic[] {
    const sums = new Map(this.#gone);
    for (const peer of connected) addTraffic(sums, peer, Number.POSITIVE_INFINITY);
    return [...sums.values()];
  }
}

/** Peers that moved nothing are left out. */
function addTraffic(sums: Map<string, PeerTraffic>, peer: PeerSnapshot, most: number): void {
  const { peerId, downloadedBytes, uploadedBytes } = peer;
  const before = sums.get(peerId);
  if (downloadedBytes + uploadedBytes === 0 || (!before && sums.size >= most)) return;
  const downloaded = (before?.downloaded ?? 0) + downloadedBytes;
  sums.set(peerId, { peerId, downloaded, uploaded: (before?.uploaded ?? 0) + uploadedBytes });
}
