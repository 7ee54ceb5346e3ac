// What the page knows of the tracker: the types of its API, from where they are made, and the one way to ask.

import type { ErrorCode } from '../../src/base/errors.ts';
import type { HistoryColumn, TrackerHistory } from '../../src/tracker/server/status/history.ts';
import type { TrackerStats } from '../../src/tracker/server/status/stats.ts';
import type { FilesJson, PublishedJson, SearchJson, TorrentJson } from '../../src/tracker/site/api-types.ts';

export type { FilesJson, HistoryColumn, PublishedJson, SearchJson, TorrentJson, TrackerHistory, TrackerStats };

/** OFFLINE: nothing answered. */
export type FaultCode = ErrorCode | 'OFFLINE';

/** What went wrong, in the API's own words. */
export class ApiFault extends Error {
  readonly code: FaultCode;

  constructor(code: FaultCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Every promise may be rejected with an {@link ApiFault}. */
export interface TrackerApi {
  stats(): Promise<TrackerStats>;
  history(): Promise<TrackerHistory>;
  /** `query`: as the API's search takes it. */
  search(query: URLSearchParams): Promise<SearchJson>;
  torrent(hash: string): Promise<TorrentJson>;
  files(hash: string, offset: number, limit: number): Promise<FilesJson>;
  torrentFile(hash: string): Promise<Blob>;
  /** `onSent` hears how much of the file has gone, 0 to 1. */
  publish(file: Blob, onSent: (fraction: number) => void): Promise<PublishedJson>;
  remove(hash: string): Promise<void>;
  /** An address for links: with the passkey, if there is one. */
  url(path: string, query?: URLSearchParams): string;
}
