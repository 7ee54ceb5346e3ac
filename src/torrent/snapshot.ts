// What a torrent looks like from outside: plain readonly data, the same for command line, page and tests.

import type { Bitfield } from '../base/bitfield.ts';
import { toHex } from '../base/bytes.ts';
import type { ErrorCode, ShoalError } from '../base/errors.ts';
import type { TorrentInfo } from '../metainfo/types.ts';
import type { Peer } from '../peer/peer.ts';
import type { TrackerState } from '../tracker/client/tracked.ts';
import type { Live } from './live.ts';

export interface TorrentIdentity {
  readonly infoHashV1: Uint8Array | null;
  /** 32 bytes. */
  readonly infoHashV2: Uint8Array | null;
}

export type TorrentState = 'metadata' | 'checking' | 'downloading' | 'seeding' | 'stopped' | 'failed';

export interface PeerSnapshot {
  /** `ip:port` as connected. */
  readonly address: string;
  readonly client: string;
  readonly peerId: string;
  readonly outgoing: boolean;
  readonly nearness: 'machine' | 'network' | 'internet';
  readonly isSeed: boolean;
  /** Share of the pieces that it has, 0 to 1. */
  readonly progress: number;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly downloadBytesPerSecond: number;
  readonly uploadBytesPerSecond: number;
  readonly amChoking: boolean;
  readonly amInterested: boolean;
  readonly isChoking: boolean;
  readonly isInterested: boolean;
  readonly snubbed: boolean;
  /** Requests on their way to it. */
  readonly requests: number;
}

export interface TorrentSnapshot {
  readonly name: string | null;
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
  readonly state: TorrentState;
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
  readonly path: string | null;
  /** The content without padding; null while the metadata is unknown. */
  readonly lengthBytes: number | null;
  /** What was selected of it. */
  readonly wantedBytes: number;
  /** Verified bytes of what was selected. */
  readonly verifiedBytes: number;
  readonly pieceCount: number;
  readonly piecesVerified: number;
  /** Share of the check that runs now, 0 to 1; 1 when none runs. */
  readonly checkedFraction: number;
  /** Payload in this run, whatever became of it, and what of it was of no use. */
  readonly downloadedBytes: number;
  readonly wastedBytes: number;
  /** Payload in all runs. */
  readonly uploadedBytes: number;
  /** Uploaded over the content's length. */
  readonly ratio: number;
  readonly downloadBytesPerSecond: number;
  readonly uploadBytesPerSecond: number;
  readonly peers: number;
  readonly seeds: number;
  readonly knownAddresses: number;
  readonly etaS: number | null;
  readonly trackers: readonly TrackerState[];
  readonly peerList: readonly PeerSnapshot[];
}

/** `nowMs`: rates are those of this moment. */
export function peerSnapshot(peer: Peer, nowMs: number): PeerSnapshot {
  return {
    address: peer.address.key,
    client: peer.client,
    peerId: toHex(peer.peerId),
    outgoing: peer.outgoing,
    nearness: peer.nearness,
    isSeed: peer.isSeed,
    progress: peer.have && peer.have.length > 0 ? peer.have.count / peer.have.length : 0,
    downloadedBytes: peer.down.total,
    uploadedBytes: peer.up.total,
    downloadBytesPerSecond: peer.down.bytesPerSecond(nowMs),
    uploadBytesPerSecond: peer.up.bytesPerSecond(nowMs),
    amChoking: peer.amChoking,
    amInterested: peer.amInterested,
    isChoking: peer.isChoking,
    isInterested: peer.isInterested,
    snubbed: peer.snubbed,
    requests: peer.requests.count,
  };
}

/** What a snapshot is taken of. */
export interface SnapshotSource {
  readonly identity: TorrentIdentity;
  readonly state: TorrentState;
  readonly error: ShoalError | null;
  /** What the magnet link calls it. */
  readonly name: string | null;
  readonly info: TorrentInfo | null;
  readonly path: string | null;
  readonly have: Bitfield | null;
  /** Bytes of the check that runs; a total of 0: none runs. */
  readonly checked: { readonly done: number; readonly total: number };
  readonly uploadedBytes: number;
  readonly trackers: readonly TrackerState[];
  readonly live: Live | null;
  readonly nowMs: number;
}

export function takeSnapshot(source: SnapshotSource): TorrentSnapshot {
  const { identity, state, error, info, live, checked, uploadedBytes, nowMs } = source;
  return {
    name: info?.name ?? source.name,
    infoHashV1: identity.infoHashV1 && toHex(identity.infoHashV1),
    infoHashV2: identity.infoHashV2 && toHex(identity.infoHashV2),
    state,
    error: error && { code: error.code, message: error.message },
    path: source.path,
    lengthBytes: info?.lengthBytes ?? null,
    wantedBytes: live?.core ? live.amounts.wantedBytes : (info?.lengthBytes ?? 0),
    verifiedBytes: live?.amounts.verifiedWantedBytes ?? 0,
    pieceCount: info?.pieceCount ?? 0,
    piecesVerified: source.have?.count ?? 0,
    checkedFraction: checked.total > 0 ? checked.done / checked.total : state === 'checking' ? 0 : 1,
    uploadedBytes,
    ratio: info && info.lengthBytes > 0 ? uploadedBytes / info.lengthBytes : 0,
    trackers: source.trackers,
    ...(live ? swarmFigures(live, nowMs) : NO_SWARM),
  };
}

const NO_SWARM = {
  downloadedBytes: 0,
  wastedBytes: 0,
  downloadBytesPerSecond: 0,
  uploadBytesPerSecond: 0,
  peers: 0,
  seeds: 0,
  knownAddresses: 0,
  etaS: null,
  peerList: [],
};

function swarmFigures(live: Live, nowMs: number): Pick<TorrentSnapshot, keyof typeof NO_SWARM> {
  const peers = live.swarm.peers;
  const down = live.down.bytesPerSecond(nowMs);
  const left = live.amounts.wantedBytes - live.amounts.verifiedWantedBytes;
  return {
    downloadedBytes: live.down.total,
    wastedBytes: live.exchange?.download.wastedBytes ?? 0,
    downloadBytesPerSecond: down,
    uploadBytesPerSecond: live.up.bytesPerSecond(nowMs),
    peers: peers.length,
    seeds: peers.filter((peer) => peer.isSeed).length,
    knownAddresses: live.swarm.book.size,
    etaS: live.core && left > 0 && down > 0 ? Math.ceil(left / down) : null,
    peerList: peers.map((peer) => peerSnapshot(peer, nowMs)),
  };
}
