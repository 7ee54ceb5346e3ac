// Shoal as a library: sessions on Node, and making and reading torrents. The parts have entries of their own (`shoal/bencode` …).

export { Address } from './base/address.ts';
export { type ErrorCode, isShoalError, ShoalError } from './base/errors.ts';
export {
  type Created,
  type CreateMtorrentOptions,
  type CreateOptions,
  createMtorrent,
  createTorrent,
} from './create/create.ts';
export { createNodeEnv, type NodeEnv, type NodeEnvOptions } from './platform/node/env.ts';
export type { Env } from './ports/env.ts';
export { Registry, type TorrentRecord } from './session/registry.ts';
export type { AddRequest, SessionOptions } from './session/request.ts';
export { Session } from './session/session.ts';
export type { PeerSnapshot, TorrentSnapshot, TorrentState } from './torrent/snapshot.ts';
export type { StallCode, StallReason } from './torrent/stall.ts';
export type { Torrent, TorrentChange } from './torrent/torrent.ts';
