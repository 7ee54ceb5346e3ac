// The shared swarm store in Redis or Valkey, one server or a cluster, by the package `redis`. It is loaded when a tracker
// asks for it, and not before. Connecting again is the caller's.

import { ErrorReply } from 'redis';
import { utf8 } from '../../../base/bytes.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { SwarmAnswer, SwarmEar, SwarmExchange, SwarmLink, SwarmStore } from '../../../ports/swarm-store.ts';
import { errnoOf, networkError } from '../system-errors.ts';
import { type Connection, connectionTo, openAll, serverAt } from './redis-connection.ts';
import { RedisLane } from './redis-lane.ts';
import { parseRedisPlace, type RedisPlace } from './redis-place.ts';

/** Sorted sets kept as one list, scripts that say the time, users with rights: what is needed is there since 6.2. */
const OLDEST = [6, 2] as const;

/** `place` as in redis-place.ts. Throws USAGE. */
export function createRedisSwarmStore(place: string): SwarmStore {
  const parsed = parseRedisPlace(place);
  let tries = 0;
  return {
    name: parsed.name,
    place,
    open: (onLost) => open(parsed, onLost),
    listen: (at, hear, onLost) => listen(parsed, tries++, channelOf(parsed, at), hear, onLost),
  };
}

async function open(place: RedisPlace, onLost: (error: Error) => void): Promise<SwarmLink> {
  // Redis takes turns among connections: on one of their own those that somebody waits for are soon served.
  const connections = [connectionTo(place), connectionTo(place)] as const;
  await openAll(connections, () => Promise.all(connections.map(greet)), onLost).catch((error: unknown) => {
    throw openError(error, place);
  });
  return new RedisLink(connections, place);
}

/** On a connection of its own, in a cluster to any one of its servers: what is published at one is heard at all. */
async function listen(
  place: RedisPlace,
  tries: number,
  channel: string,
  hear: (bytes: Uint8Array) => void,
  onLost: (error: Error) => void,
): Promise<SwarmEar> {
  const host = place.hosts[tries % Math.max(1, place.hosts.length)];
  const connection = serverAt(host === undefined ? place : { ...place, hosts: [host] });
  const greetings = async (): Promise<void> => {
    await connection.connect();
    await connection.subscribe(channel, hear);
  };
  await openAll([connection], greetings, onLost).catch((error: unknown) => {
    throw openError(error, place);
  });
  return { close: () => connection.destroy() };
}

/** `PREFIXweb:PLACE`. What is sent there has the form of store/far-relays.ts: another one is to have another name. */
function channelOf({ prefix }: RedisPlace, at: number): string {
  return `${prefix}web:${at.toString(16).padStart(8, '0')}`;
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
  readonly #place: RedisPlace;
  readonly #prefix: Uint8Array;
  #isClosed = false;

  constructor(connections: readonly [Connection, Connection], place: RedisPlace) {
    this.#connections = connections;
    const [most, urgent] = connections;
    const { isSharded, prefix } = place;
    this.#lanes = [new RedisLane(most.send, isSharded), new RedisLane(urgent.send, isSharded)];
    this.#place = place;
    this.#prefix = utf8(prefix);
  }

  exchange(request: SwarmExchange): Promise<SwarmAnswer> {
    return this.#lanes[request.isUrgent ? 1 : 0].exchange(request, this.#keyOf(request.infoHash));
  }

  async send(at: number, bytes: Uint8Array): Promise<void> {
    const channel = Buffer.from(channelOf(this.#place, at));
    const { buffer, byteOffset, length } = bytes;
    await this.#connections[0].send(channel, ['PUBLISH', channel, Buffer.from(buffer, byteOffset, length)]);
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
    return refused('its user may not do what is needed: EVALSHA, EVAL, INFO, sorted sets, PUBLISH and SUBSCRIBE');
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
