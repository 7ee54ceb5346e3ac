// The shared swarm store in Redis or Valkey, one server or a cluster, by the package `redis`. It is loaded when a tracker
// asks for it, and not before. Connecting again is the caller's.

import { readFileSync } from 'node:fs';
import type { RedisClientOptions } from 'redis';
import { createClient, createCluster, ErrorReply, RESP_TYPES } from 'redis';
import { utf8 } from '../../../base/bytes.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { SwarmAnswer, SwarmExchange, SwarmLink, SwarmStore } from '../../../ports/swarm-store.ts';
import { errnoOf, fileError, networkError } from '../system-errors.ts';
import { RedisLane, type Send } from './redis-lane.ts';
import { parseRedisPlace, type RedisPlace } from './redis-place.ts';

/** For the whole of connecting: name, TLS, password, version. */
const OPEN_MS = 3000;
/** Sorted sets kept as one list, scripts that say the time, users with rights: what is needed is there since 6.2. */
const OLDEST = [6, 2] as const;
/** Without the package's own time limit, which costs more than all else: whoever asks has one. */
const AS_BYTES = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer }, timeout: 0 } as const;

type Options = RedisClientOptions;

/** `place` as in redis-place.ts. Throws USAGE. */
export function createRedisSwarmStore(place: string): SwarmStore {
  const parsed = parseRedisPlace(place);
  return { name: parsed.name, place, open: (onLost) => open(parsed, onLost) };
}

/** What both kinds of client have in common, as far as it is used. */
interface Connection {
  readonly send: Send;
  info(): Promise<string>;
  connect(): Promise<unknown>;
  destroy(): void;
  onError(listener: (error: Error) => void): void;
}

async function open(place: RedisPlace, onLost: (error: Error) => void): Promise<SwarmLink> {
  // Redis takes turns among connections: on one of their own those that somebody waits for are soon served.
  const connections = [connectionTo(place), connectionTo(place)] as const;
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
      Promise.all(connections.map(greet)).then(() => resolve(), reject);
    });
  } catch (error) {
    for (const connection of connections) connection.destroy();
    throw openError(error, place);
  } finally {
    clearTimeout(timer);
  }
  isOpen = true;
  return new RedisLink(connections, utf8(place.prefix), place.isSharded);
}

async function greet(connection: Connection): Promise<void> {
  await connection.connect();
  const info = await connection.info().catch((error: unknown) => {
    // A user may lack the right to ask for the version, and nothing else.
    if (error instanceof ErrorReply && error.message.startsWith('NOPERM')) return '';
    throw error;
  });
  const [, major, minor] = /^redis_version:(\d+)\.(\d+)/m.exec(info) ?? [];
  if (major === undefined) return;
  if (Number(major) * 1000 + Number(minor) < OLDEST[0] * 1000 + OLDEST[1]) {
    throw new ShoalError(
      'STORE_REFUSED',
      `Redis ${major}.${minor} is too old: it takes ${OLDEST.join('.')}, or Valkey`,
    );
  }
}

class RedisLink implements SwarmLink {
  /** For most, and for those that somebody waits for. */
  readonly #connections: readonly [Connection, Connection];
  readonly #lanes: readonly [RedisLane, RedisLane];
  readonly #prefix: Uint8Array;
  #isClosed = false;

  constructor(connections: readonly [Connection, Connection], prefix: Uint8Array, isSharded: boolean) {
    this.#connections = connections;
    const [most, urgent] = connections;
    this.#lanes = [new RedisLane(most.send, isSharded), new RedisLane(urgent.send, isSharded)];
    this.#prefix = prefix;
  }

  exchange(request: SwarmExchange): Promise<SwarmAnswer> {
    return this.#lanes[request.isUrgent ? 1 : 0].exchange(request, this.#keyOf(request.infoHash));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const connection of this.#connections) connection.destroy();
  }

  /** `PREFIX{info hash}` */
  #keyOf(infoHash: Uint8Array): Buffer {
    const { length } = this.#prefix;
    const key = Buffer.allocUnsafe(length + infoHash.length + 2);
    key.set(this.#prefix);
    key[length] = BRACE;
    key.set(infoHash, length + 1);
    key[key.length - 1] = END_BRACE;
    return key;
  }
}

const BRACE = 0x7b;
const END_BRACE = 0x7d;

function connectionTo(place: RedisPlace): Connection {
  return place.isCluster ? clusterAt(place) : serverAt(place);
}

function serverAt(place: RedisPlace): Connection {
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

/** What a person can act on: nobody is there, or somebody with whom it cannot be done. */
function openError(error: unknown, { name }: RedisPlace): ShoalError {
  if (error instanceof ShoalError) {
    return error.code === 'STORE_REFUSED'
      ? new ShoalError('STORE_REFUSED', `cannot use the store ${name}: ${error.message}`)
      : error;
  }
  const message = error instanceof Error ? error.message : String(error);
  const refused = (why: string): ShoalError =>
    new ShoalError('STORE_REFUSED', `cannot use the store ${name}: ${why}`, error);
  if (/^(WRONGPASS|NOAUTH|ERR invalid password|ERR AUTH|ERR Client sent AUTH)/.test(message))
    return refused('its password, or user, is another one');
  if (message.startsWith('NOPERM'))
    return refused('its user may not do what is needed: EVALSHA, EVAL, INFO and sorted sets');
  if (/^Unknown RESP type|unexpected.*RESP/i.test(message)) return refused('who answers there is no Redis');
  if (/^ERR DB index/i.test(message)) return refused('it has no such database');
  if (/^ERR (unknown command|This instance has cluster support disabled)/i.test(message))
    return refused(`it says "${message}"`);
  if (
    /^ERR .*certificate|certificate|self.signed/i.test(message) ||
    /^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(errnoOf(error))
  ) {
    return refused(`TLS: ${message}`);
  }
  return networkError('CONNECT_FAILED', error, `reach the store ${name}`);
}
