// The load generators as programs: ours in C, compiled when it is first needed, and second ones by other hands. Each runs
// for a while and prints one line of JSON.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { missingPrograms } from '../clients/here.ts';
import { HOME, PYTHON } from '../run/home.ts';
import type { Outcome } from '../run/transfer.ts';

const SOURCE = join(HOME, 'bench', 'load');
/** Beyond the time that a generator has by itself: connection ids of all addresses, packets made beforehand. */
const GRACE_MS = 30_000;
/**
 * For connections that are all opened before the first announce: Node accepts one a turn, and serves those that it has in between, so
 * that the last of 64 may wait more than a second for its first reply. Runs are longer, or nobody would hear of what never comes.
 */
export const PATIENT_SECONDS = 3;

/** What is asked of a generator. */
export interface Load {
  readonly protocol: 'udp' | 'http' | 'ws';
  readonly torrents: number;
  readonly peersPerTorrent: number;
  readonly numWant: number;
  /** A reply with fewer peers makes the run a failure. */
  readonly leastPeers: number;
  readonly seconds: number;
  /** Announces under way, or connections (of which each is a peer over WebSocket). */
  readonly window: number;
  /** null: as fast as the replies come. */
  readonly perSecond: number | null;
  /** Ours alone: a reply that takes longer is lost, and the run a failure. One second where it is not said. */
  readonly patienceSeconds?: number;
  /** A connection for every announce. */
  readonly closes: boolean;
  /** Every peer announces once, then it is over. */
  readonly isFill: boolean;
  /** Ours alone: others need its core too, while it has nothing to do. */
  readonly isSharing?: boolean;
}

/** What a generator says. */
export interface LoadFigures {
  readonly answered: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly peersPerReply: number;
  /** Its own share of a core: near 1 at full load, it was the limit itself. */
  readonly core?: number;
}

interface Said extends LoadFigures {
  readonly lost: number;
  readonly refused: number;
  readonly broken: number;
  readonly thin: number;
}

export interface Generator {
  readonly name: string;
  /** null: it is here; else what is missing. */
  missing(load: Pick<Load, 'protocol'>): string | null;
  argv(load: Load, ip: string, port: number): readonly string[];
}

/** The info hash of a torrent in all generators. */
export function infoHash(torrent: number): Buffer {
  const hash = Buffer.alloc(20);
  hash.writeUInt32BE(Math.imul(torrent, 2654435761) >>> 0, 0);
  hash.writeUInt32BE(torrent, 4);
  hash.write('tracker-load', 8);
  return hash;
}

/** bench/load/*.c */
export const OWN: Generator = {
  name: 'own',
  missing: () => (compiled() === null ? 'no C compiler for the load generator' : null),
  argv(load, ip, port) {
    const rate = load.perSecond === null ? [] : ['-r', String(load.perSecond)];
    const patience = load.patienceSeconds === undefined ? [] : ['-l', String(load.patienceSeconds)];
    const flags = [...(load.isFill ? ['-f'] : []), ...(load.closes ? ['-c'] : []), ...(load.isSharing ? ['-y'] : [])];
    return [compiled()!, load.protocol, ip, String(port), ...shape(load), ...rate, ...patience, ...flags];
  },
};

/** wrk for HTTP, a program in Python for UDP, none for WebSocket. */
export const SECOND: Generator = {
  name: 'second',
  missing: ({ protocol }) =>
    protocol === 'ws'
      ? 'no second load generator for WebSocket'
      : protocol === 'http'
        ? missingPrograms('wrk')
        : existsSync(PYTHON)
          ? null
          : `no ${PYTHON}`,
  argv(load, ip, port) {
    if (load.protocol === 'udp') {
      return [
        PYTHON,
        join(SOURCE, 'announce_udp.py'),
        ip,
        String(port),
        ...shape(load),
        ...(load.isFill ? ['-f'] : []),
      ];
    }
    const { torrents, numWant, leastPeers, closes, window, seconds } = load;
    const script = [torrents, numWant, leastPeers].map(String).concat(closes ? 'close' : 'keep-alive');
    const options = ['-t', '1', '-c', String(window), '-d', `${Math.ceil(seconds)}s`];
    return ['wrk', ...options, '-s', join(SOURCE, 'announce.lua'), `http://${ip}:${port}/`, '--', ...script];
  },
};

function shape({ torrents, peersPerTorrent, numWant, leastPeers, seconds, window }: Load): readonly string[] {
  const words = { t: torrents, p: peersPerTorrent, n: numWant, m: leastPeers, d: seconds, w: window };
  return Object.entries(words).flatMap(([name, value]) => [`-${name}`, String(value)]);
}

/** Runs a generator on the cores that `pin` names (words before a command). A run in which a reply was missing or wrong is a failure. */
export async function generate(
  generator: Generator,
  load: Load,
  at: { readonly ip: string; readonly port: number },
  pin: readonly string[],
): Promise<Outcome<LoadFigures>> {
  const words = [...pin, ...generator.argv(load, at.ip, at.port)];
  const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  const end = (): void => void child.kill('SIGKILL');
  process.on('exit', end);
  const timer = setTimeout(end, load.seconds * 1000 + GRACE_MS);
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const code = await new Promise<number | null>((done) => child.on('close', done).on('error', () => done(null)));
  clearTimeout(timer);
  process.off('exit', end);
  const line = output.trim().split('\n').at(-1) ?? '';
  if (code !== 0 || !line.startsWith('{'))
    return { ok: false, why: `${generator.name}: ${errors.trim() || `exit ${code}`}` };
  return judge(generator, load, JSON.parse(line) as Said, errors.trim());
}

function judge(generator: Generator, load: Load, said: Said, errors: string): Outcome<LoadFigures> {
  const { lost, refused, broken, thin, ...figures } = said;
  const faults = Object.entries({ lost, refused, broken, 'with too few peers': thin }).filter(([, count]) => count > 0);
  const expected = load.isFill ? load.torrents * load.peersPerTorrent : 1;
  if (said.answered < expected) faults.push(['answered', said.answered]);
  if (faults.length === 0) return { ok: true, figures };
  const counts = faults.map(([name, count]) => `${count} ${name}`).join(', ');
  return { ok: false, why: `${generator.name}: ${counts} of ${said.answered} replies ${errors}`.trim() };
}

let program: string | null | undefined;

/** Our generator, compiled; null where there is no compiler. */
function compiled(): string | null {
  if (program === undefined) program = compile();
  return program;
}

function compile(): string | null {
  const files = readdirSync(SOURCE)
    .filter((name) => /\.[ch]$/.test(name))
    .sort();
  const key = createHash('sha256');
  for (const name of files) key.update(readFileSync(join(SOURCE, name)));
  const folder = join(HOME, '.cache');
  const target = join(folder, `load-${key.digest('hex').slice(0, 12)}`);
  if (existsSync(target)) return target;
  mkdirSync(folder, { recursive: true });
  const beside = `${target}.${process.pid}`;
  const sources = files.filter((name) => name.endsWith('.c')).map((name) => join(SOURCE, name));
  const { status } = spawnSync('cc', ['-std=gnu11', '-O2', '-o', beside, ...sources], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) return null;
  renameSync(beside, target);
  return target;
}
