// A Redis of a test's own: in a temporary folder, reached by a Unix socket (a cluster: by a free port), without anything on
// disk unless asked for; killed, stopped and started again by its process id.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { ShoalError } from '../../src/base/errors.ts';

const READY_MS = 20_000;
const LOOK_MS = 20;
/** A port may be taken between being found free and being used. */
const TRIES = 5;
const SLOTS = '16383';

export const REDIS: string = 'redis-server';

export function hasProgram(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0;
}

export interface RedisOptions {
  /** `redis-server`, or one that works like it. */
  readonly program?: string;
  /** One node that has all slots. */
  readonly isCluster?: boolean;
  /** What it has is in a file after every command: kill -9 loses nothing, and no slow disk holds it up. */
  readonly isKept?: boolean;
  /** More of its command line. */
  readonly more?: readonly string[];
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class RedisStage {
  /** What a tracker is told. */
  readonly url: string;
  readonly #folder: string;
  readonly #argv: readonly string[];
  readonly #at: { readonly path: string } | { readonly port: number };
  #child: ChildProcess | null = null;
  #hasSlots = false;

  static async start(options: RedisOptions = {}): Promise<RedisStage> {
    for (let tried = 1; ; tried++) {
      const folder = await mkdtemp(join(tmpdir(), 'shoal-redis-'));
      const port = options.isCluster ? await freePort() : 0;
      const stage = new RedisStage(folder, port, options);
      try {
        await stage.comeBack();
        if (options.isCluster) {
          await stage.ask(['CLUSTER', 'ADDSLOTSRANGE', '0', SLOTS]);
          stage.#hasSlots = true;
          await stage.#clusterReady();
        }
        return stage;
      } catch (error) {
        await stage.close();
        if (tried === TRIES) throw error;
      }
    }
  }

  private constructor(folder: string, port: number, { program = REDIS, isCluster, isKept, more = [] }: RedisOptions) {
    const path = join(folder, 'redis.sock');
    this.#folder = folder;
    this.#at = isCluster ? { port } : { path };
    this.url = isCluster ? `redis+cluster://127.0.0.1:${port}` : `unix://${path}`;
    const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(port + 1), '--bind', '127.0.0.1'];
    this.#argv = [
      program,
      ...['--port', String(port), '--unixsocket', path, '--dir', folder, '--save', ''],
      ...(isKept ? ['--appendonly', 'yes', '--appendfsync', 'no'] : ['--appendonly', 'no']),
      ...(isCluster ? cluster : []),
      ...more,
    ];
  }

  /** Starts it (again) and waits until it answers. */
  async comeBack(): Promise<void> {
    const [program, ...args] = this.#argv;
    const child = spawn(program!, args, { stdio: 'ignore' });
    this.#child = child;
    running.add(child);
    child.on('exit', () => running.delete(child));
    await until(async () => {
      if (child.exitCode !== null) throw new ShoalError('IO', `${program} has ended with ${child.exitCode}`);
      return /^PONG|^NOAUTH/.test(String(await this.ask(['PING']).catch((error: Error) => error.message)));
    });
    // A cluster refuses everything for some two seconds more.
    if (this.#hasSlots) await this.#clusterReady();
  }

  #clusterReady(): Promise<void> {
    return until(async () => String(await this.ask(['CLUSTER', 'INFO'])).includes('state:ok'));
  }

  /** kill -9, or a stop as of a hanging process, or its end. */
  async signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const child = this.#child!;
    const ended = signal === 'SIGKILL' ? new Promise((resolve) => child.once('exit', resolve)) : null;
    if (signal === 'SIGKILL' && child.exitCode === null) child.kill('SIGKILL');
    else child.kill(signal);
    await ended;
  }

  /** One command, on a connection of its own. */
  async ask(command: readonly string[]): Promise<unknown> {
    const at = this.#at;
    const where = 'path' in at ? { path: at.path, tls: false as const } : { host: '127.0.0.1', port: at.port };
    const client = createClient({ RESP: 2, socket: { ...where, reconnectStrategy: false } });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await client.sendCommand(command);
    } finally {
      if (client.isOpen) client.destroy();
    }
  }

  /** Makes all that it knows older by so much, as if time had passed. */
  async pass(ms: number): Promise<void> {
    await this.ask(['EVAL', OLDER, '0', String(ms)]);
  }

  async close(): Promise<void> {
    if (this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null)
      await this.signal('SIGKILL');
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Scores are stamps in milliseconds * 2048; below them is the count of completions. */
const OLDER = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  local rows = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  for i = 1, #rows, 2 do
    local score = tonumber(rows[i + 1])
    if score > 4398046511104 then redis.call('ZADD', key, string.format('%.0f', score - ARGV[1] * 2048), rows[i]) end
  end
  local left = redis.call('PTTL', key) - ARGV[1]
  if left > 0 then redis.call('PEXPIRE', key, left) else redis.call('DEL', key) end
end`;

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + READY_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadlineMs) throw new ShoalError('IO', 'redis-server is not ready in time');
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
