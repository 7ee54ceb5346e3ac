// What a session is asked for.

import type { Address } from '../base/address.ts';
import type { Magnet, Metainfo } from '../metainfo/types.ts';

export interface SessionOptions {
  /** `ip` concrete: everything leaves from it. `port` null: 6881 or the next free one; 0: any. */
  readonly listen: { readonly ip: Uint8Array | null; readonly port: number | null };
  /** Bytes per second over all torrents; null: no limit. */
  readonly maxDownloadBytesPerSecond?: number | null;
  readonly maxUploadBytesPerSecond?: number | null;
  readonly maxConnections?: number;
}

export interface AddRequest {
  /** Exactly one of both. */
  readonly metainfo?: Metainfo;
  readonly magnet?: Magnet;
  /** The torrent file as it was read: kept for later runs. Without it one is made. */
  readonly metainfoBytes?: Uint8Array;
  /** Every tracker is always told (`.mtorrent`). */
  readonly everyTracker?: boolean;
  /** Where the content is, or shall be. Without it: `saveFolder` and the torrent's name. */
  readonly contentPath?: string;
  readonly saveFolder?: string;
  /** `seed`: all content must be there and good, and is never written. */
  readonly mode: 'get' | 'seed';
  /**
   * What is hashed before anything else. `as-needed`: what no earlier run vouches for. `never`: nothing, because this
   * process has just hashed it all (only for `seed`).
   */
  readonly recheck: 'always' | 'as-needed' | 'never';
  readonly peers?: readonly Address[];
  /** Patterns that `only` was made of: kept for later runs, not looked at here. */
  readonly selection?: readonly string[];
  /** Selects files by path below the torrent's folder, and index. */
  readonly only?: (path: string, index: number) => boolean;
  readonly sequential?: boolean;
  readonly preallocate?: boolean;
  readonly maxDownloadBytesPerSecond?: number | null;
  readonly maxUploadBytesPerSecond?: number | null;
}
