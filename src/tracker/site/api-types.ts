// What the API answers, as types alone: the web page and the commands have them from here.

import type { ErrorCode } from '../../base/errors.ts';

/** As the API tells a torrent. */
export interface TorrentJson {
  readonly infoHash: string;
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
  readonly name: string;
  readonly comment: string;
  readonly length: number;
  readonly pieceLength: number;
  readonly fileCount: number;
  readonly private: boolean;
  readonly createdAt: number | null;
  readonly publishedAt: number;
  readonly publisher: string;
  readonly seeds: number;
  readonly leeches: number;
  readonly magnet: string;
  readonly torrent: string;
}

/** `GET /api/search`. */
export interface SearchJson {
  readonly torrents: readonly TorrentJson[];
  readonly total: number;
  /** False: there are `total` or more. */
  readonly isExact: boolean;
}

/** `GET /api/torrents/HASH/files`. */
export interface FilesJson {
  readonly files: readonly { readonly path: string; readonly length: number }[];
}

/** `POST /api/torrents`. */
export interface PublishedJson {
  readonly torrent: TorrentJson;
  readonly isNew: boolean;
}

/** What is wrong: one line for a person; the code is stable. */
export interface FaultJson {
  readonly error: { readonly code: ErrorCode; readonly message: string };
}
