// A tracker in memory: the page's API as tests want it, typed as the real one.

import {
  ApiFault,
  type FilesJson,
  type HistoryColumn,
  type PublishedJson,
  type TorrentJson,
  type TrackerApi,
  type TrackerHistory,
  type TrackerStats,
} from '../src/tracker-api.ts';

const faults = {
  malformed: 0,
  tooLarge: 0,
  unknownAction: 0,
  expiredConnectionId: 0,
  refused: 0,
  tooManyPeers: 0,
  rateLimited: 0,
  tooManyScrapes: 0,
  full: 0,
  tooSlow: 0,
  tooManyConnections: 0,
  tooMuchHeld: 0,
};

export const QUIET: TrackerStats = {
  uptimeS: 0,
  threads: 1,
  intervalS: 1800,
  swarms: 0,
  peers: 0,
  seeds: 0,
  leeches: 0,
  memoryBytes: 0,
  http: { connections: 0, announces: 0, scrapes: 0, errors: 0, refusedConnections: 0 },
  udp: { connects: 0, announces: 0, scrapes: 0, errors: 0 },
  ws: { connections: 0, heldBytes: 0, announces: 0, scrapes: 0, offers: 0, answers: 0, errors: 0 },
  bytes: { httpIn: 0, httpOut: 0, udpIn: 0, udpOut: 0, wsIn: 0, wsOut: 0 },
  faults,
  process: null,
  catalogue: true,
  store: null,
};

/** Columns that are not given are of the same length, and zero. */
export function historyOf(given: Partial<Record<HistoryColumn, number[]>>): TrackerHistory {
  const length = Object.values(given)[0]?.length ?? 0;
  const zeros = Array.from({ length }, () => 0);
  const columns = {
    announcesHttp: zeros,
    announcesUdp: zeros,
    announcesWs: zeros,
    scrapes: zeros,
    errors: zeros,
    bytesIn: zeros,
    bytesOut: zeros,
    peers: zeros,
    seeds: zeros,
    torrents: zeros,
    loopDelayMs: zeros,
    rssBytes: zeros,
  };
  return { stepS: 10, endMs: 100_000, columns: { ...columns, ...given } };
}

export const TORRENT: TorrentJson = {
  infoHash: 'ab'.repeat(20),
  infoHashV1: 'ab'.repeat(20),
  infoHashV2: null,
  name: 'a torrent',
  comment: '',
  length: 5,
  pieceLength: 16384,
  fileCount: 1,
  private: false,
  createdAt: null,
  publishedAt: 0,
  publisher: 'ci',
  seeds: 0,
  leeches: 0,
  magnet: 'magnet:?xt=urn:btih:ab',
  torrent: 'http://tracker.example/api/torrents/ab/torrent',
};

/** Tests set what it answers; a fault, and all is answered with that. */
export class FakeApi implements TrackerApi {
  now: TrackerStats = QUIET;
  past: TrackerHistory = historyOf({});
  fault: ApiFault | null = null;
  /** Files of every torrent. */
  fileCount = 0;
  /** What was asked, in order. */
  readonly asked: string[] = [];

  stats(): Promise<TrackerStats> {
    return this.#answer('stats', this.now);
  }

  history(): Promise<TrackerHistory> {
    return this.#answer('history', this.past);
  }

  search(query: URLSearchParams): Promise<{ torrents: TorrentJson[]; total: number; isExact: boolean }> {
    return this.#answer(`search ${query}`, { torrents: [TORRENT], total: 1, isExact: true });
  }

  torrent(hash: string): Promise<TorrentJson> {
    return this.#answer(`torrent ${hash}`, TORRENT);
  }

  files(hash: string, offset: number, limit: number): Promise<FilesJson> {
    const length = Math.max(0, Math.min(limit, this.fileCount - offset));
    const files = Array.from({ length }, (_, i) => ({ path: `file ${offset + i}`, length: 1 }));
    return this.#answer(`files ${hash} ${offset}`, { files });
  }

  torrentFile(hash: string): Promise<Blob> {
    return this.#answer(`file ${hash}`, new Blob());
  }

  async publish(file: Blob, onSent: (fraction: number) => void): Promise<PublishedJson> {
    onSent(0.5);
    if (file.size === 0) throw new ApiFault('METAINFO_INVALID', 'the file is empty');
    return this.#answer('publish', { torrent: TORRENT, isNew: true });
  }

  remove(hash: string): Promise<void> {
    return this.#answer(`remove ${hash}`, undefined);
  }

  url(path: string, query?: URLSearchParams): string {
    return `/${path}?${query ?? ''}`;
  }

  #answer<T>(what: string, value: T): Promise<T> {
    this.asked.push(what);
    return this.fault === null ? Promise.resolve(value) : Promise.reject(this.fault);
  }
}
