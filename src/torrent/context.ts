// What a torrent needs of the session above it, and the options it is started with.

import type { Address, LocalNetwork } from '../base/address.ts';
import type { Metainfo } from '../metainfo/types.ts';
import type { Env } from '../ports/env.ts';
import type { TokenBucket } from '../rates/token-bucket.ts';
import type { PieceReader } from '../storage/read.ts';
import type { TrackerClient } from '../tracker/client/client.ts';
import type { Connections } from './connections.ts';
import type { SlotShares } from './slot-shares.ts';

/** The session as one torrent sees it. */
export interface TorrentHost {
  readonly env: Env;
  /** Our peer id, the same for all torrents of the session. */
  readonly peerId: Uint8Array;
  /** `Shoal 0.1.0`: for the extended handshake. */
  readonly clientName: string;
  readonly trackers: TrackerClient;
  readonly reader: PieceReader;
  /** The IP that everything leaves from; null: the system chooses. */
  readonly from: Uint8Array | null;
  /** Networks this machine is in. */
  readonly networks: readonly LocalNetwork[];
  /** The port we listen on, as told to trackers and peers. */
  listenPort(): number;
  /** The session's connections, which its torrents share. */
  readonly connections: Connections;
  /** Who may take memory for pieces. */
  readonly slotShares: SlotShares;
  /** Rate limits over the whole session. */
  readonly down: TokenBucket;
  readonly up: TokenBucket;
  /** The torrent's limits or these have run dry: `tokensArrived` of the torrent is wanted at the next shared tick. */
  wantTokens(torrent: { tokensArrived(): void }): void;
}

export interface TorrentOptions {
  readonly mode: 'get' | 'seed';
  /** `always`: hash everything before anything else. `as-needed`: trust the journal where the files are as it says. `never`: all is good. */
  readonly recheck: 'always' | 'as-needed' | 'never';
  /** Where the content is, or will be; null: `saveFolder` and the torrent's name. */
  readonly contentPath: string | null;
  readonly saveFolder: string;
  readonly everyTracker: boolean;
  /** Selects files by their path below the torrent's folder and their index; null: all. */
  readonly only: ((path: string, index: number) => boolean) | null;
  readonly sequential: boolean;
  readonly preallocate: boolean;
  readonly peers: readonly Address[];
  /** The torrent's own rate limits. */
  readonly down: TokenBucket;
  readonly up: TokenBucket;
  readonly maxPeers: number;
  /** Key under which the session's store keeps this torrent's journal. */
  readonly storeKey: string;
}

/** What the session hears of one torrent. */
export interface TorrentEvents {
  /** Metadata of a magnet link has arrived: the session keeps it for later runs. */
  onMetadata(metainfo: Metainfo, contentPath: string): void;
  /** Everything that was wanted is verified, written and synced. */
  onCompleted(contentPath: string): void;
}
