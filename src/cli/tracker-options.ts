// The options of `shoal tracker`, and what the tracker's server is told by them.

import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { LocalNetwork } from '../base/address.ts';
import { fileError } from '../platform/node/system-errors.ts';
import type { Sockets, TlsKeys } from '../ports/sockets.ts';
import type { SwarmStore } from '../ports/swarm-store.ts';
import type { Threads } from '../ports/threads.ts';
import type { TrackerServerOptions } from '../tracker/server/server.ts';
import type { MetricsAccess } from '../tracker/server/status/status-routes.ts';
import type { SiteShare } from '../tracker/site/site-protocol.ts';
import {
  DEFAULT_TRACKER_PORT,
  type ListenText,
  parseCount,
  parseListen,
  parseNetwork,
  parseSeconds,
  parseSize,
  UsageError,
} from './args.ts';
import { LEVELS } from './log.ts';
import { type JsonOption, many, one } from './options.ts';
import { resolveListen } from './world.ts';

export interface TrackerOptions extends JsonOption {
  readonly listen: readonly ListenText[];
  readonly state?: string;
  /** False with `--no-udp`, `--no-http`, `--no-ws`. */
  readonly udp: boolean;
  readonly http: boolean;
  readonly ws: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly workers?: number;
  readonly store?: string;
  readonly interval?: number;
  readonly minInterval?: number;
  readonly peers?: number;
  readonly near: readonly LocalNetwork[];
  readonly proxy: readonly LocalNetwork[];
  readonly maxTorrents?: number;
  readonly maxPeers?: number;
  readonly maxConnections?: number;
  readonly wsInterval?: number;
  readonly maxWebsockets?: number;
  readonly maxWebsocketsPerAddress?: number;
  readonly maxWebsocketMemory?: number;
  readonly maxPeersPerAddress?: number;
  readonly maxPeersPerAddressAndTorrent?: number;
  readonly maxAnnouncesPerAddress?: number;
  readonly maxScrapesPerAddress?: number;
  readonly fullScrape?: boolean;
  readonly keepPeerIds?: boolean;
  readonly metrics?: MetricsAccess;
  readonly status?: number;
  readonly printConfig?: boolean;
}

/** More threads than any machine has cores for: a slip of the finger, which would take all of its memory. */
const MAX_WORKERS = 256;

const METRICS: readonly MetricsAccess[] = ['all', 'local', 'off'];

export function addTracker(command: Command): Command {
  const count = parseCount(1);
  return command
    .option('--config <FILE>', 'take settings from a TOML file; SHOAL_* variables and flags go before it')
    .option('--print-config', 'show the settings that hold (passwords as ***), and where they come from, and end')
    .addOption(many('--listen <HOST:PORT>', 'where to listen (default: all addresses, port 6969)', parseListen))
    .option('--no-udp', 'do not serve UDP')
    .option('--no-http', 'do not serve HTTP')
    .option('--no-ws', 'do not serve WebSocket (WebTorrent)')
    .option('--tls-cert <FILE>', 'PEM certificates: HTTPS too, on the same ports')
    .option('--tls-key <FILE>', 'the private key of the first of them')
    .addOption(one('--workers <N>', 'threads that serve (default: 1)', parseCount(1, MAX_WORKERS)))
    .option('--store <URL>', 'a Redis or Valkey by which trackers share their swarms, such as redis://HOST:6379')
    .addOption(one('--interval <SECONDS>', 'time between announces (default: 1800)', parseSeconds))
    .addOption(one('--min-interval <SECONDS>', 'time before which none is welcome (default: 30)', parseSeconds))
    .addOption(one('--ws-interval <SECONDS>', 'time between announces over WebSocket (default: 120)', parseSeconds))
    .addOption(
      one('--peers <N>', 'peers in an answer where none are asked for (default: 50, at most 200)', parseCount(1, 200)),
    )
    .addOption(many('--near <CIDR>', 'a rack or site, whose peers are told of each other first', parseNetwork))
    .addOption(many('--proxy <CIDR>', 'a proxy whose X-Forwarded-For is believed', parseNetwork))
    .addOption(one('--max-torrents <N>', 'info hashes known at most (default: 2000000)', count))
    .addOption(one('--max-peers <N>', 'peers known at most (default: 8000000)', count))
    .addOption(one('--max-connections <N>', 'HTTP connections at once (default: 4096)', count))
    .addOption(one('--max-websockets <N>', 'WebSocket connections at once (default: 16384)', count))
    .addOption(one('--max-websockets-per-address <N>', 'of one address (default: 500)', count))
    .addOption(one('--max-websocket-memory <SIZE>', 'that all of them may hold (default: 64MiB)', parseSize))
    .addOption(one('--max-peers-per-address <N>', 'of one address in all torrents (default: 50000)', count))
    .addOption(one('--max-peers-per-address-and-torrent <N>', 'of one address in one (default: 500)', count))
    .addOption(one('--max-announces-per-address <N>', 'of one address a second (default: 500)', count))
    .addOption(one('--max-scrapes-per-address <N>', 'of one address a second (default: 100)', count))
    .option('--full-scrape', 'answer scrapes of all torrents at once (HTTP)')
    .option('--keep-peer-ids', 'keep peer ids for clients that want dictionaries: 20 bytes a peer')
    .addOption(
      new Option(
        '--metrics <WHO>',
        'who may fetch /metrics: all, this machine and private networks, nobody (default: local)',
      ).choices(METRICS),
    )
    .option('--log-file <FILE>', 'write the log there; SIGHUP has it opened anew')
    .addOption(
      new Option('--log-level <LEVEL>', 'what is logged (default: warn; info with --log-file or JSON)').choices(LEVELS),
    )
    .addOption(
      new Option('--log-format <FORMAT>', 'lines for people or programs (default: text; json in a file)').choices([
        'text',
        'json',
      ]),
    )
    .addOption(one('--status <SECONDS>', 'with --json: an event with all numbers so often', parseSeconds));
}

/** What the server is told. `share`: what its other threads get of the site. Swarms are kept in the store under the number of the first port, but for any free one. */
export async function serverOptions(
  sockets: Sockets,
  options: TrackerOptions,
  share: (() => SiteShare) | null,
): Promise<TrackerServerOptions> {
  if (!options.udp && !options.http && !options.ws) {
    throw new UsageError('with --no-udp, --no-http and --no-ws nothing is served');
  }
  const { DEFAULT_INTERVAL_S } = await import('../tracker/protocol/announce.ts');
  const interval = options.interval ?? DEFAULT_INTERVAL_S;
  if ((options.minInterval ?? 0) > interval)
    throw new UsageError(`--min-interval is longer than --interval (${interval})`);
  const tls = await readKeys(options);
  const texts = options.listen.length > 0 ? options.listen : [{ host: null, port: null }];
  const listen = await Promise.all(
    texts.map(async (text) => {
      const { ip, port } = await resolveListen(sockets, text);
      return { ip, port: port ?? DEFAULT_TRACKER_PORT, tls };
    }),
  );
  const first = listen[0]!.port;
  return {
    listen,
    stateKey: first === 0 ? null : `tracker/${first}`,
    ...((options.workers ?? 1) > 1 && {
      workers: { count: options.workers!, threads: await loadThreads(share, options.store) },
    }),
    ...(options.store !== undefined && { swarmStore: await openStore(options.store, options) }),
    udp: options.udp,
    http: options.http,
    ws: options.ws,
    near: options.near,
    proxies: options.proxy,
    fullScrape: options.fullScrape ?? false,
    keepsPeerIds: options.keepPeerIds ?? false,
    ...(options.metrics !== undefined && { metrics: options.metrics }),
    ...given('intervalS', options.interval),
    ...given('minIntervalS', options.minInterval),
    ...given('peersPerReply', options.peers),
    ...given('maxSwarms', options.maxTorrents),
    ...given('maxPeers', options.maxPeers),
    ...given('maxConnections', options.maxConnections),
    ...given('wsIntervalS', options.wsInterval),
    ...given('maxWebSockets', options.maxWebsockets),
    ...given('maxWebSocketsPerAddress', options.maxWebsocketsPerAddress),
    ...given('maxWebSocketBytes', options.maxWebsocketMemory),
    ...given('maxPeersPerAddress', options.maxPeersPerAddress),
    ...given('maxPeersPerAddressAndSwarm', options.maxPeersPerAddressAndTorrent),
    ...given('maxAnnouncesPerAddress', options.maxAnnouncesPerAddress),
    ...given('maxScrapesPerAddress', options.maxScrapesPerAddress),
  };
}

async function loadThreads(share: (() => SiteShare) | null, store: string | undefined): Promise<Threads> {
  return (await import('./tracker-threads.ts')).trackerThreads(share, store ?? null);
}

/** The client of Redis is loaded for trackers that use one. */
async function openStore(url: string, { keepPeerIds }: TrackerOptions): Promise<SwarmStore> {
  if (keepPeerIds) throw new UsageError('--keep-peer-ids does not go with --store: peer ids are not shared');
  return (await import('../platform/node/redis/redis-swarm-store.ts')).createRedisSwarmStore(url);
}

function given<K extends string>(name: K, value: number | undefined): { [key in K]?: number } {
  return value === undefined ? {} : ({ [name]: Math.ceil(value) } as { [key in K]: number });
}

async function readKeys({ tlsCert, tlsKey }: TrackerOptions): Promise<TlsKeys | null> {
  if (tlsCert === undefined && tlsKey === undefined) return null;
  if (tlsCert === undefined || tlsKey === undefined) throw new UsageError('--tls-cert and --tls-key go together');
  const [cert, key] = await Promise.all([readText(tlsCert), readText(tlsKey)]);
  return { cert, key };
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw fileError(error, `read "${path}"`);
  });
}
