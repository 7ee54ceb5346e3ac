// What the routes of the API share: what they may use, how a torrent is told, and how a fault is.

import { toHex } from '../../base/bytes.ts';
import { describeError, type ErrorCode, isShoalError } from '../../base/errors.ts';
import { formatMagnet } from '../../metainfo/magnet.ts';
import type { AccessMode } from './access-gate.ts';
import type { FaultJson, TorrentJson } from './api-types.ts';
import { type ApiContext, RetryLater } from './caller.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import type { CountSwarms, Site, SwarmCounts } from './site.ts';
import type { CatalogueTorrent } from './torrents.ts';

export interface ApiOptions {
  readonly site: Site;
  readonly gatekeeper: Gatekeeper;
  readonly mode: AccessMode;
  /** Where people reach this tracker (`https://tracker.example`); null: as the request says. */
  readonly publicUrl: string | null;
  /** Bytes of an upload at most. */
  readonly maxUploadBytes: number;
  readonly countSwarms: CountSwarms;
}

type FaultStatus = 400 | 401 | 403 | 404 | 409 | 413 | 422 | 429 | 500 | 503 | 507;

/** A code keeps its status. */
const STATUS: Readonly<Partial<Record<ErrorCode, FaultStatus>>> = {
  REQUEST_INVALID: 400,
  TOKEN_REFUSED: 401,
  PERMISSION: 403,
  NOT_FOUND: 404,
  TORRENT_UNKNOWN: 404,
  NAME_UNKNOWN: 404,
  NAME_TAKEN: 409,
  FILE_TOO_LARGE: 413,
  METAINFO_INVALID: 422,
  MTORRENT_INVALID: 422,
  BENCODE_INVALID: 422,
  TOO_MANY_REQUESTS: 429,
  DISK_FULL: 507,
  STOPPED: 503,
};

const INSIDE: Readonly<Partial<Record<ErrorCode, string>>> = {
  DISK_FULL: 'the disk of the tracker is full',
  STOPPED: 'the catalogue is not available now: try again in a moment',
};

/** Whether it is we who failed, not the request. */
export function isOwnFault(error: unknown): boolean {
  return !isShoalError(error) || (STATUS[error.code] ?? 500) >= 500;
}

/** The answer to a fault: one line for a person, a code for a program, and nothing of how we are made. */
export function faultResponse(error: unknown): Response {
  const code: ErrorCode = isShoalError(error) ? error.code : 'INTERNAL';
  const status = STATUS[code] ?? 500;
  // What went wrong inside is for the log: it may name files.
  const message = isOwnFault(error)
    ? (INSIDE[code] ?? 'something went wrong inside the tracker')
    : describeError(error);
  const headers: Record<string, string> = {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
  };
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  if (error instanceof RetryLater) headers['retry-after'] = String(error.seconds);
  return new Response(JSON.stringify({ error: { code, message } } satisfies FaultJson), { status, headers });
}

/** `https://tracker.example`, without a slash at the end. */
export function baseUrl(c: ApiContext, { publicUrl }: ApiOptions): string {
  return publicUrl ?? new URL(c.req.url).origin;
}

/** Where a client announces: with the passkey of whom the torrent file is for. */
export function announceUrl(base: string, passkey: string | null): string {
  return passkey === null ? `${base}/announce` : `${base}/${passkey}/announce`;
}

/**
 * Trackers of the served file: this one, and for a public torrent at a public tracker those that it came with, so that
 * its swarm stays one.
 */
export function servedTrackers(
  torrent: CatalogueTorrent,
  announce: string,
  mode: AccessMode,
): readonly (readonly string[])[] {
  if (torrent.private || mode === 'private') return [[announce]];
  const others = torrent.trackers.map((tier) => tier.filter((url) => url !== announce));
  return [[announce], ...others.filter((tier) => tier.length > 0)];
}

export function torrentJson(
  torrent: CatalogueTorrent,
  counts: SwarmCounts,
  base: string,
  passkey: string | null,
  mode: AccessMode,
): TorrentJson {
  const { hashV1, hashV2 } = torrent;
  const infoHash = toHex((hashV1 ?? hashV2)!);
  const magnet = formatMagnet({
    infoHashV1: hashV1,
    infoHashV2: hashV2,
    name: torrent.name,
    lengthBytes: torrent.lengthBytes,
    trackers: servedTrackers(torrent, announceUrl(base, passkey), mode).flat(),
    webSeeds: [],
    peers: [],
    selectOnly: null,
  });
  return {
    infoHash,
    infoHashV1: hashV1 && toHex(hashV1),
    infoHashV2: hashV2 && toHex(hashV2),
    name: torrent.name,
    comment: torrent.comment,
    length: torrent.lengthBytes,
    pieceLength: torrent.pieceLengthBytes,
    fileCount: torrent.fileCount,
    private: torrent.private,
    createdAt: torrent.createdAt,
    publishedAt: torrent.publishedAt,
    publisher: torrent.publisher,
    seeds: counts.seeds,
    leeches: counts.leeches,
    magnet,
    torrent: `${base}/api/torrents/${infoHash}/torrent${passkey === null ? '' : `?passkey=${passkey}`}`,
  };
}
