// Runs the built program as a person would, in a folder and with a state of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const BIN: string = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));

/** A program that still runs after this is killed: no test may take so long, and none may leave anything behind. */
const LIFE_MS = 115_000;
/** What a test waits for a text that must come; far more than it takes. */
const PATIENCE_MS = 30_000;

const alive: Set<ChildProcess> = new Set();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as it was written. */
  readonly bytes: Uint8Array;
}

/** A program that stays. */
export interface Running {
  readonly child: ChildProcess;
  /** The next line on stdout; rejects when the program ends without one. */
  nextLine(): Promise<string>;
  /** The next JSON event. */
  nextEvent(): Promise<Record<string, unknown>>;
  /** The next JSON event of this kind; others are passed over. */
  event(kind: string): Promise<Record<string, unknown>>;
  /** Resolves when stderr has it, now or before; rejects when it does not come. */
  saying(pattern: RegExp, withinMs?: number): Promise<void>;
  /** Sends a signal (default SIGTERM) and resolves when the program has ended. */
  stop(signal?: NodeJS.Signals): Promise<Outcome>;
  readonly ended: Promise<Outcome>;
}

/** A place for one test: files in `folder`, state beside it; `close` ends what still runs and removes both. */
export class Workplace {
  readonly folder: string;
  /** Variables for what is started from now on. */
  env: Readonly<Record<string, string>> = {};
  readonly #state: string;
  readonly #started: { readonly line: string; readonly running: Running; log(): string }[] = [];

  private constructor(folder: string, state: string) {
    this.folder = folder;
    this.#state = state;
  }

  static async open(): Promise<Workplace> {
    const base = await mkdtemp(join(tmpdir(), 'shoal-e2e-'));
    return new Workplace(base, join(base, '.state'));
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  /** Runs to the end. */
  run(...args: readonly string[]): Promise<Outcome> {
    return this.start(...args).ended;
  }

  /** Runs to the end with bytes on stdin. */
  runWith(input: Uint8Array, ...args: readonly string[]): Promise<Outcome> {
    const running = this.start(...args);
    running.child.stdin!.end(input);
    return running.ended;
  }

  start(...args: readonly string[]): Running {
    const env = { ...process.env, XDG_STATE_HOME: this.#state, NO_COLOR: '1', ...this.env };
    const child = spawn(process.execPath, [BIN, ...args], { cwd: this.folder, env, stdio: 'pipe' });
    const watched = watch(child);
    this.#started.push({ line: `shoal ${args.join(' ')}`, ...watched });
    return watched.running;
  }

  /** Kills all that still runs. */
  async killAll(): Promise<void> {
    for (const { running } of this.#started) running.child.kill('SIGKILL');
    await Promise.all(this.#started.map(({ running }) => running.ended));
  }

  /** `show`: prints what each program said, for a test that failed. */
  async close(show = false): Promise<void> {
    await this.killAll();
    if (show) for (const { line, log } of this.#started) console.error(`$ ${line}\n${log()}`);
    await rm(this.folder, { recursive: true, force: true });
  }
}

function watch(child: ChildProcess): { running: Running; log(): string } {
  const stdout: Uint8Array[] = [];
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout!.on('data', (chunk: Uint8Array) => stdout.push(chunk));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  alive.add(child);
  const life = setTimeout(() => child.kill('SIGKILL'), LIFE_MS).unref();
  const ended = new Promise<Outcome>((resolve) => {
    child.on('close', (exitCode) => {
      alive.delete(child);
      clearTimeout(life);
      const bytes = Buffer.concat(stdout);
      resolve({ exitCode, bytes, stdout: bytes.toString('utf8'), stderr });
      for (const listener of listeners) listener();
    });
  });
  const nextLine = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done) throw new Error(`the program ended without another line; it said: ${stderr}`);
    return line.value;
  };
  const nextEvent = async (): Promise<Record<string, unknown>> =>
    JSON.parse(await nextLine()) as Record<string, unknown>;
  const saying = (pattern: RegExp, withinMs = PATIENCE_MS): Promise<void> =>
    new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        listeners.delete(look);
      };
      const fail = (why: string): void => {
        end();
        reject(new Error(`${why} without saying ${pattern}; it said: ${stderr}`));
      };
      const look = (): void => {
        if (pattern.test(stderr)) {
          end();
          resolve();
        } else if (!alive.has(child)) fail('the program ended');
      };
      const timer = setTimeout(() => fail(`${withinMs} ms went by`), withinMs);
      listeners.add(look);
      look();
    });
  const running: Running = {
    child,
    ended,
    nextLine,
    nextEvent,
    saying,
    async event(kind) {
      for (;;) {
        const event = await nextEvent();
        if (event.event === kind) return event;
      }
    },
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
  return { running, log: () => `${Buffer.concat(stdout).toString('utf8')}${stderr}` };
}
