// Where a Redis is, as a URL says it:
//
//   redis://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…][/DATABASE][?prefix=TEXT&ca=FILE]     several hosts: a cluster
//   …&sharded=yes        one address before several servers (a proxy that divides keys among them)
//   rediss://…           TLS
//   redis+cluster://…    a cluster, known by one of its hosts     (rediss+cluster://…)
//   unix:///PATH[?db=DATABASE&user=&password=&prefix=]

import { ShoalError } from '../../../base/errors.ts';

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

export interface RedisPlace {
  /** At least one, unless there is a socket. */
  readonly hosts: readonly RedisHost[];
  /** Path of a Unix socket. */
  readonly socket: string | null;
  readonly isCluster: boolean;
  /** Keys are on different servers: no command has two of them. */
  readonly isSharded: boolean;
  readonly isTls: boolean;
  readonly user: string | null;
  readonly password: string | null;
  readonly database: number;
  /** What keys begin with. */
  readonly prefix: string;
  /** PEM file of certificates to trust; null: those that Node trusts. */
  readonly caFile: string | null;
  /** Without secrets. */
  readonly name: string;
}

const DEFAULT_PORT = 6379;
const DEFAULT_PREFIX = 'shoal:';
const SCHEMES =
  /^(redis|rediss|redis\+cluster|rediss\+cluster):\/\/(?:([^@/?]*)@)?([^@/?#]+)(?:\/(\d*))?(?:\?([^#]*))?$/;
const SOCKET = /^unix:\/\/(\/[^?#]+)(?:\?([^#]*))?$/;
const EXAMPLE =
  'redis://HOST:6379, rediss://USER:PASSWORD@HOST/0?prefix=films: or redis://HOST1,HOST2,HOST3 for a cluster';

/** Throws USAGE for what is no place; its message never has the password. */
export function parseRedisPlace(text: string): RedisPlace {
  const socket = SOCKET.exec(text);
  if (socket !== null) return ofSocket(socket[1]!, queryOf(socket[2]));
  const parts = SCHEMES.exec(text);
  if (parts === null) throw wrong('it is no URL of a Redis');
  const [, scheme, login, hostTexts, database, query] = parts;
  const hosts = hostTexts!.split(',').map(parseHost);
  const options = queryOf(query, ['prefix', 'ca', 'sharded']);
  const isCluster = scheme!.endsWith('+cluster') || hosts.length > 1;
  const number = Number(database || 0);
  const sharded = options.get('sharded');
  if (sharded !== null && sharded !== 'yes') throw wrong('sharded is yes, or is left out');
  if (isCluster && number !== 0) throw wrong('a cluster has one database, 0');
  const [user, password] = loginOf(login);
  const name = `${scheme}://${hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',')}`;
  return {
    hosts,
    socket: null,
    isCluster,
    isSharded: isCluster || sharded === 'yes',
    isTls: scheme!.startsWith('rediss'),
    user,
    password,
    database: number,
    prefix: options.get('prefix') ?? DEFAULT_PREFIX,
    caFile: options.get('ca') ?? null,
    name,
  };
}

function ofSocket(path: string, options: URLSearchParams): RedisPlace {
  const database = options.get('db') ?? '0';
  if (!/^\d+$/.test(database)) throw wrong('db is a number');
  return {
    hosts: [],
    socket: decoded(path),
    isCluster: false,
    isSharded: false,
    isTls: false,
    user: options.get('user'),
    password: options.get('password'),
    database: Number(database),
    prefix: options.get('prefix') ?? DEFAULT_PREFIX,
    caFile: null,
    name: `unix://${path}`,
  };
}

/** `host`, `host:port`, `[::1]:port`. */
function parseHost(text: string): RedisHost {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const port = Number(parts?.[3] ?? DEFAULT_PORT);
  if (parts === null || port < 1 || port > 65535) throw wrong('it has what is no HOST or HOST:PORT');
  return { host: (parts[1] ?? parts[2])!, port };
}

/** `user:password`, `:password`, and, as Redis's own tools have it, `password` alone is a user without one. */
function loginOf(text: string | undefined): readonly [string | null, string | null] {
  if (text === undefined || text === '') return [null, null];
  const colon = text.indexOf(':');
  const user = colon < 0 ? text : text.slice(0, colon);
  return [user === '' ? null : decoded(user), colon < 0 ? null : decoded(text.slice(colon + 1))];
}

function queryOf(
  text: string | undefined,
  known: readonly string[] = ['db', 'user', 'password', 'prefix'],
): URLSearchParams {
  const query = new URLSearchParams(text ?? '');
  // Not named: a password that was not escaped may end up here, or in the place of a host.
  for (const name of query.keys()) if (!known.includes(name)) throw wrong(`behind the ? it takes ${known.join(', ')}`);
  return query;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('it has a % that is no escape; write %25 for one');
  }
}

function wrong(why: string): ShoalError {
  return new ShoalError('USAGE', `this store cannot be used: ${why}; give for example ${EXAMPLE}`);
}
