// What a tracker can be told, and what it does when it is not told.

import type { LocalNetwork } from '../../base/address.ts';
import type { Gzip } from '../../ports/gzip.ts';
import type { ListenOptions } from '../../ports/sockets.ts';
import type { SwarmStore } from '../../ports/swarm-store.ts';
import type { Threads } from '../../ports/threads.ts';
import { DEFAULT_INTERVAL_S } from '../protocol/announce.ts';
import type { AccessRules, AnnounceLedger } from './access.ts';
import type { AddressLimits } from './address-counts.ts';
import { MAX_PEERS_PER_REPLY } from './announce.ts';
import type { OtherRequests } from './http/http-connection.ts';
import type { PageFile } from './http/pages.ts';
import { LONGEST_INTERVAL_S } from './pacing.ts';
import type { ProcessMeter } from './status/process-meter.ts';
import type { MetricsAccess } from './status/status-routes.ts';
import type { TableLimits } from './table/swarm-table.ts';

/** Plain values, which can be passed to another thread as they are. */
export interface TrackerValues {
  /** Seconds between regular announces. Default: 1800. Longer while there is too much to do; see {@link Pacing}. */
  readonly intervalS?: number;
  /** Seconds before which no further announce is welcome. Default: 30, or the interval where that is shorter. */
  readonly minIntervalS?: number;
  /** Announces a second above which intervals grow. Default: 50,000 a thread. */
  readonly busyPerSecond?: number;
  /** Peers in a reply where the client names no number. Default: 50. */
  readonly peersPerReply?: number;
  /** Peers in a reply at most. Default, and never more than: 200. */
  readonly maxPeersPerReply?: number;
  /** Info hashes known at most. Default: 2,000,000. */
  readonly maxSwarms?: number;
  /** Peers known at most. Default: 8,000,000. */
  readonly maxPeers?: number;
  /** HTTP connections at once, a thread. Default: 4096. */
  readonly maxConnections?: number;
  /** Serve UDP, HTTP, WebSocket. Default: true. */
  readonly udp?: boolean;
  readonly http?: boolean;
  readonly ws?: boolean;
  /** Seconds between announces over WebSocket: each brings new offers. Default: 120, or the interval where that is shorter. */
  readonly wsIntervalS?: number;
  /** WebSocket connections at once, a thread; and of one address (an IPv6 /64) of them. Defaults: 16,384 and 500. */
  readonly maxWebSockets?: number;
  readonly maxWebSocketsPerAddress?: number;
  /** Bytes that WebSocket connections may hold all together, a thread; see {@link WebMemory}. Default: 64 MiB. */
  readonly maxWebSocketBytes?: number;
  /** All swarms may be scraped at once, over HTTP. Default: false. */
  readonly fullScrape?: boolean;
  /** Torrents can be searched and published here: told in the numbers. Default: false. */
  readonly hasCatalogue?: boolean;
  /** Who may fetch `/metrics`. Default: `local`. */
  readonly metrics?: MetricsAccess;
  /** Peer ids are kept, for replies with dictionaries: 20 bytes a peer. Default: false. */
  readonly keepsPeerIds?: boolean;
  /** Networks whose peers are told of each other first, beside those that share a public address. */
  readonly near?: readonly LocalNetwork[];
  /** Who may say by X-Forwarded-For or `ip=` which address a peer has. */
  readonly proxies?: readonly LocalNetwork[];
  /**
   * Limits of one address (an IPv6 /64): peers in all, peers in a swarm, announces and scrapes a second of a thread.
   * Defaults: 50,000, 500, 500 and 100. They hold for addresses of this machine once one of them is set.
   */
  readonly maxPeersPerAddress?: number;
  readonly maxPeersPerAddressAndSwarm?: number;
  readonly maxAnnouncesPerAddress?: number;
  readonly maxScrapesPerAddress?: number;
}

export interface TrackerServerOptions extends TrackerValues {
  /** Every one serves HTTP, WebSocket and UDP; port 0 picks one that is free for all. */
  readonly listen: readonly ListenOptions[];
  /** Key in the store under which swarms outlive the process; null: they do not. Default: null. */
  readonly stateKey?: string | null;
  /**
   * So many threads serve, this one among them; what decides and notes on the others they make themselves, of what
   * `threads` gives them (see {@link runTrackerWorker}). Default: one.
   */
  readonly workers?: { readonly count: number; readonly threads: Threads };
  /** Default: everyone may announce everything. */
  readonly access?: AccessRules;
  readonly ledger?: AnnounceLedger;
  /** The swarms are shared with all trackers that have the same store. Default: they are this tracker's own. */
  readonly swarmStore?: SwarmStore;
  /** The web page; see {@link PageFile}. Default: none, `/` is answered with a line of text. */
  readonly pages?: readonly PageFile[];
  /** Takes what is neither announce nor scrape, page, `/stats` nor `/healthz`: an API, WebSocket. */
  readonly others?: OtherRequests;
  /** For large replies; each of the other threads has one of its own. Default: none is compressed. */
  readonly gzip?: Gzip;
  /** What the process costs; each of the other threads has one of its own. Default: nobody measures it. */
  readonly meter?: ProcessMeter;
}

/** The values with their defaults. */
export interface Settings {
  readonly intervalS: number;
  readonly minIntervalS: number;
  readonly busyPerSecond: number;
  readonly peersPerReply: number;
  readonly maxPeersPerReply: number;
  readonly maxConnections: number;
  readonly udp: boolean;
  readonly http: boolean;
  readonly ws: boolean;
  readonly wsIntervalS: number;
  readonly maxWebSockets: number;
  readonly maxWebSocketsPerAddress: number;
  readonly maxWebSocketBytes: number;
  readonly fullScrape: boolean;
  readonly hasCatalogue: boolean;
  readonly metrics: MetricsAccess;
  readonly near: readonly LocalNetwork[];
  readonly proxies: readonly LocalNetwork[];
  readonly table: TableLimits;
  readonly perAddress: AddressLimits;
  readonly announcesPerAddress: number;
  readonly scrapesPerAddress: number;
  readonly limitsLoopback: boolean;
}

export function settingsOf(options: TrackerValues): Settings {
  const intervalS = Math.min(options.intervalS ?? DEFAULT_INTERVAL_S, LONGEST_INTERVAL_S);
  const maxPeersPerReply = Math.min(options.maxPeersPerReply ?? MAX_PEERS_PER_REPLY, MAX_PEERS_PER_REPLY);
  const { maxPeersPerAddress, maxPeersPerAddressAndSwarm, maxWebSocketsPerAddress } = options;
  const { maxAnnouncesPerAddress, maxScrapesPerAddress } = options;
  const numbers = [maxPeersPerAddress, maxPeersPerAddressAndSwarm, maxWebSocketsPerAddress];
  const limits = [...numbers, maxAnnouncesPerAddress, maxScrapesPerAddress];
  return {
    intervalS,
    minIntervalS: options.minIntervalS ?? Math.min(30, intervalS),
    busyPerSecond: options.busyPerSecond ?? 50_000,
    peersPerReply: Math.min(options.peersPerReply ?? 50, maxPeersPerReply),
    maxPeersPerReply,
    maxConnections: options.maxConnections ?? 4096,
    udp: options.udp ?? true,
    http: options.http ?? true,
    ws: options.ws ?? true,
    wsIntervalS: Math.min(options.wsIntervalS ?? 120, intervalS),
    maxWebSockets: options.maxWebSockets ?? 16_384,
    maxWebSocketsPerAddress: maxWebSocketsPerAddress ?? 500,
    // As many connections as the default allows, each in ten swarms, take a sixth of it.
    maxWebSocketBytes: options.maxWebSocketBytes ?? 64 * 1024 * 1024,
    fullScrape: options.fullScrape ?? false,
    hasCatalogue: options.hasCatalogue ?? false,
    metrics: options.metrics ?? 'local',
    near: options.near ?? [],
    proxies: options.proxies ?? [],
    table: {
      maxSwarms: options.maxSwarms ?? 2_000_000,
      maxPeers: options.maxPeers ?? 8_000_000,
      maxPicked: maxPeersPerReply,
      keepsIds: options.keepsPeerIds ?? false,
    },
    // Whole campuses and providers announce from one address; nobody has more torrents than a seedbox.
    perAddress: { perSwarm: maxPeersPerAddressAndSwarm ?? 500, overall: maxPeersPerAddress ?? 50_000 },
    announcesPerAddress: maxAnnouncesPerAddress ?? 500,
    // One may ask for a hundred torrents, and clients scrape less than they announce.
    scrapesPerAddress: maxScrapesPerAddress ?? 100,
    limitsLoopback: limits.some((limit) => limit !== undefined),
  };
}
