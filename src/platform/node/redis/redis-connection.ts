// Connections to a Redis, one server or a cluster, by the package `redis`. Connecting again is the caller's.

import { readFileSync } from 'node:fs';
import type { RedisClientOptions } from 'redis';
import { createClient, createCluster, RESP_TYPES } from 'redis';
import { fileError } from '../system-errors.ts';
import type { Send } from './redis-lane.ts';
import type { RedisPlace } from './redis-place.ts';

/** For the whole of connecting: name, TLS, password, version. */
const OPEN_MS = 3000;
/** Without the package's own time limit, which costs more than all else: whoever asks has one. */
const AS_BYTES = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer }, timeout: 0 } as const;

type Options = RedisClientOptions;

/** What both kinds of client have in common, as far as it is used. */
export interface Connection {
  readonly send: Send;
  info(): Promise<string>;
  connect(): Promise<unknown>;
  destroy(): void;
  onError(listener: (error: Error) => void): void;
}

export interface ServerConnection extends Connection {
  /** Calls for all that is published there, from when it resolves on. Nothing else can be asked afterwards. */
  subscribe(channel: string, hear: (bytes: Uint8Array) => void): Promise<void>;
}

/**
 * Has connections greeted, in time. Errors after that are told to `onLost`, the first of them. Where it rejects they are all
 * destroyed.
 */
export async function openAll(
  connections: readonly Connection[],
  greet: () => Promise<unknown>,
  onLost: (error: Error) => void,
): Promise<void> {
  let isOpen = false;
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })), OPEN_MS);
      const onError = (error: Error): void => {
        if (isOpen) onLost(error);
        else reject(error);
        isOpen = false;
      };
      for (const connection of connections) connection.onError(onError);
      greet().then(() => resolve(), reject);
    });
  } catch (error) {
    for (const connection of connections) connection.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  isOpen = true;
}

export function connectionTo(place: RedisPlace): Connection {
  return place.isCluster ? clusterAt(place) : serverAt(place);
}

/** One server, also where it is one of a cluster. */
export function serverAt(place: RedisPlace): ServerConnection {
  const { socket, hosts, database } = place;
  const where = socket === null ? hosts[0]! : { path: socket, tls: false as const };
  const client = createClient({
    ...commonOptions(place),
    database,
    socket: { ...socketOptions(place), ...where } as NonNullable<Options['socket']>,
  } as Options);
  return {
    send: (_key, args) => client.sendCommand(args, AS_BYTES),
    info: () => client.sendCommand<string>(['INFO', 'server']),
    connect: () => client.connect(),
    destroy: () => quietly(() => client.destroy()),
    onError: (listener) => void client.on('error', listener),
    subscribe: (channel, hear) => client.subscribe(channel, (bytes) => hear(bytes), true),
  };
}

/** The cluster's client knows by itself where a key has moved to, and connects again to nodes that come back. */
function clusterAt(place: RedisPlace): Connection {
  const defaults = { ...commonOptions(place), socket: { ...socketOptions(place), reconnectStrategy: 500 } };
  const rootNodes = place.hosts.map((at) => ({ socket: { ...at, ...socketOptions(place) } }));
  const cluster = createCluster({ RESP: 2, rootNodes, defaults } as Parameters<typeof createCluster>[0]);
  // A node that is away is told by what is sent to it.
  cluster.on('error', () => undefined);
  cluster.on('node-error', () => undefined);
  return {
    send: (key, args) => cluster.sendCommand(key, false, args, AS_BYTES),
    info: () => cluster.sendCommand<string>(undefined, true, ['INFO', 'server']),
    connect: () => cluster.connect(),
    destroy: () => quietly(() => cluster.destroy()),
    onError: () => undefined,
  };
}

function commonOptions({ user, password }: RedisPlace): object {
  return {
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    ...(user !== null && { username: user }),
    ...(password !== null && { password }),
  };
}

function socketOptions({ isTls, caFile, hosts }: RedisPlace): object {
  const base = { connectTimeout: OPEN_MS, reconnectStrategy: false };
  if (!isTls) return base;
  const host = hosts[0]!.host;
  // A name is told to the server, an IP must not be (RFC 6066, 3).
  return {
    ...base,
    tls: true,
    ...(!/^[\d.]+$|:/.test(host) && { servername: host }),
    ...(caFile !== null && { ca: readCa(caFile) }),
  };
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw fileError(error, `read "${file}"`);
  }
}

/** To destroy what has not quite connected, or has ended, throws. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // It is closed.
  }
}
