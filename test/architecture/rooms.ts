// The plan of the house (docs/architecture.md): each room's rank, and what only some rooms may do.

/** A file imports from its own room and from rooms of lower rank. */
export const RANKS: Readonly<Record<string, number>> = {
  base: 0,
  ports: 1,
  bencode: 1,
  metainfo: 2,
  wire: 2,
  'tracker/protocol': 2,
  picker: 3,
  choker: 3,
  rates: 3,
  utp: 3,
  'platform/node': 3,
  'platform/sim': 3,
  storage: 4,
  'tracker/client': 4,
  dht: 4,
  discovery: 4,
  peer: 4,
  torrent: 5,
  create: 5,
  'tracker/server': 5,
  session: 6,
  lab: 7,
  'tracker/site': 7,
  daemon: 7,
  cli: 8,
  // src/index.ts, src/tracker/index.ts and the like: what users of the library import.
  'the public index': 9,
};

/** Rooms that may name node modules, global clocks, timers, chance and the console. */
export const WORLDLY: ReadonlySet<string> = new Set(['platform/node', 'daemon', 'cli', 'tracker/site']);

/** Rooms that may import npm packages. */
export const WITH_PACKAGES: ReadonlySet<string> = new Set(['platform/node', 'daemon', 'cli', 'lab', 'tracker/site']);

/** Rooms that may make a world; everyone else gets it as an argument. */
export const WITH_PLATFORM: ReadonlySet<string> = new Set(['the public index', 'cli', 'daemon', 'tracker/site', 'lab']);

/** Rules and bytes: they never wait. */
export const NEVER_AWAIT: ReadonlySet<string> = new Set([
  'bencode',
  'metainfo',
  'wire',
  'tracker/protocol',
  'picker',
  'choker',
  'rates',
]);

/** Globals that reach the world past Env. */
export const BANNED: ReadonlySet<string> = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
  'queueMicrotask',
  'performance',
  'process',
  'Buffer',
  'console',
  'crypto',
  'fetch',
  'require',
  'globalThis',
]);

export const MAX_LINES = 300;
export const MAX_TEST_LINES = 400;

/** The room of a path below src; null for a folder that the plan does not have. */
export function roomOf(path: string): string | null {
  const parts = path.split('/');
  for (const room of [parts.slice(0, 2).join('/'), parts[0]!]) {
    if (parts.length > room.split('/').length && room in RANKS) return room;
  }
  return /^(\w+\/)?index\.ts$/.test(path) ? 'the public index' : null;
}
