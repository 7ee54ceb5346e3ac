import type { Address } from '../base/address.ts';
import type { Metainfo, Magnet } from '../metainfo/types.ts';
import type { Env } from '../ports/env.ts';
export interface SessionOptions { listen: { ip: Uint8Array | null; port: number | null }; maxDownloadBytesPerSecond: number | null; maxUploadBytesPerSecond: number | null; maxConnections?: number; }
export declare class Session {
  static open(env: Env, options: SessionOptions): Promise<Session>;
  readonly listening: readonly Address[];
  add(request: AddRequest): Promise<Torrent>;
  readonly torrents: readonly Torrent[];
  close(options: { deadlineMs: number }): Promise<void>;
}
export interface AddRequest {
  metainfo?: Metainfo; magnet?: Magnet; metainfoBytes?: Uint8Array;
  everyTracker?: boolean;
  contentPath?: string; saveFolder?: string;
  mode: 'get' | 'seed';
  recheck: 'always' | 'as-needed';
  peers?: readonly Address[]; only?: (path: string) => boolean; sequential?: boolean;
  maxDownloadBytesPerSecond?: number | null; maxUploadBytesPerSecond?: number | null; preallocate?: boolean;
}
export interface StallReason { readonly code: string; readonly text: string }
export interface TorrentChange { readonly kind: string }
export interface TrackerState { readonly url: string }
export interface PeerSnapshot { readonly address: string; readonly downloadedBytes: number; readonly uploadedBytes: number }
export interface Torrent {
  metadata(o?: {signal?: AbortSignal}): Promise<Metainfo>; completed(o?: {signal?: AbortSignal}): Promise<void>;
  snapshot(): TorrentSnapshot; changes(o: {signal: AbortSignal}): AsyncIterable<TorrentChange>; why(): readonly StallReason[];
}
export interface TorrentSnapshot { name: string|null; infoHashV1: string|null; infoHashV2: string|null; state: 'metadata'|'checking'|'downloading'|'seeding'|'stopped'|'failed'; error: {code: string, message: string}|null; path: string|null; lengthBytes: number|null; wantedBytes: number|null; verifiedBytes: number; pieceCount: number|null; piecesVerified: number; checkedFraction: number; downloadedBytes: number; uploadedBytes: number; ratio: number; downloadBytesPerSecond: number; uploadBytesPerSecond: number; peers: number; seeds: number; etaS: number|null; trackers: readonly TrackerState[]; peerList: readonly PeerSnapshot[]; }
