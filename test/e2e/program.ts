// Runs the built program as a person would, in a folder and with a state of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const BIN: string = fileURLToPath(new URL('../../bin/shoal.js', import.meta.url));

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
  /** Sends a signal (default SIGTERM) and resolves when the program has ended. */
  stop(signal?: NodeJS.Signals): Promise<Outcome>;
  readonly ended: Promise<Outcome>;
}

/** A place for one test: files in `folder`, state beside it; `close` ends what still runs and removes both. */
export class Workplace {
  readonly folder: string;
  readonly #state: string;
  readonly #running: Set<ChildProcess> = new Set();

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
    const env = { ...process.env, XDG_STATE_HOME: this.#state, NO_COLOR: '1' };
    const child = spawn(process.execPath, [BIN, ...args], { cwd: this.folder, env, stdio: 'pipe' });
    this.#running.add(child);
    return watch(child, () => this.#running.delete(child));
  }

  async close(): Promise<void> {
    for (const child of this.#running) child.kill('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}

function watch(child: ChildProcess, onEnd: () => void): Running {
  const stdout: Uint8Array[] = [];
  let stderr = '';
  child.stdout!.on('data', (chunk: Uint8Array) => stdout.push(chunk));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const ended = new Promise<Outcome>((resolve) => {
    child.on('close', (exitCode) => {
      onEnd();
      const bytes = Buffer.concat(stdout);
      resolve({ exitCode, bytes, stdout: bytes.toString('utf8'), stderr });
    });
  });
  const nextLine = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done) throw new Error(`the program ended without another line; it said: ${stderr}`);
    return line.value;
  };
  return {
    child,
    ended,
    nextLine,
    nextEvent: async () => JSON.parse(await nextLine()) as Record<string, unknown>,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}
