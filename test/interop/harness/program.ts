// One running program: its output is kept, its life is bounded, and nothing of it outlives `stop`.

import { type ChildProcess, spawn } from 'node:child_process';
import { until } from './until.ts';

/** A program that a lost test run left behind ends by itself after this time. */
const LIFE_S = 170;
const GRACE_MS = 3000;
/** What a failed test shows of each program. */
const SHOWN_LINES = 60;

/** What a program says on stdout, a JSON object a line. */
export type Said = Readonly<Record<string, unknown>>;

export interface ProgramOptions {
  /** Words before the command, such as {@link Network.entrance}. */
  readonly entrance?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
}

export class Program {
  readonly name: string;
  stdout = '';
  stderr = '';
  readonly #command: string;
  readonly #child: ChildProcess;
  #exit: { readonly code: number | null; readonly signal: string | null } | null = null;
  #stopping = false;

  constructor(name: string, command: string, args: readonly string[], options: ProgramOptions = {}) {
    this.name = name;
    this.#command = [command, ...args].join(' ');
    const words = ['--foreground', '-k', '2', String(LIFE_S), ...(options.entrance ?? []), command, ...args];
    // Detached: a process group of its own, that is signalled as a whole.
    this.#child = spawn('timeout', words, {
      detached: true,
      stdio: 'pipe',
      env: { ...process.env, LC_ALL: 'C.UTF-8', PYTHONUNBUFFERED: '1', ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#child.on('error', (error) => {
      this.stderr += String(error);
      this.#exit = { code: null, signal: null };
    });
    this.#child.on('close', (code, signal) => {
      this.#exit = { code, signal };
    });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdin?.end(options.stdin ?? '');
  }

  get ended(): boolean {
    return this.#exit !== null;
  }

  /** Whether it ended and nobody told it to. */
  get endedByItself(): boolean {
    return this.ended && !this.#stopping;
  }

  /** The lines of stdout that are JSON objects. */
  get said(): readonly Said[] {
    return this.stdout
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Said);
  }

  /** The exit code, once it has ended; null: a signal ended it. */
  async exit(timeoutMs?: number): Promise<number | null> {
    const exit = await until(`the end of ${this.name}`, () => this.#exit, timeoutMs);
    return exit.code;
  }

  /** SIGTERM, and SIGKILL to what is left after a while. Idempotent. */
  async stop(): Promise<number | null> {
    this.#stopping = true;
    // `timeout` passes it on, and once only: a second one would mean hurry.
    this.#signal('SIGTERM', 'leader');
    try {
      return await this.exit(GRACE_MS);
    } catch {
      this.#signal('SIGKILL', 'group');
      return await this.exit(GRACE_MS);
    }
  }

  #signal(signal: NodeJS.Signals, to: 'leader' | 'group'): void {
    const { pid } = this.#child;
    if (this.ended || pid === undefined) return;
    try {
      process.kill(to === 'group' ? -pid : pid, signal);
    } catch {
      // It ended just now.
    }
  }

  /** What a person needs who looks into a failure. */
  report(): string {
    const state = this.#exit ? `ended with ${this.#exit.code ?? this.#exit.signal}` : 'running';
    const tail = (text: string): string => text.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');
    return `---- ${this.name} (${state}): ${this.#command}\n${tail(this.stdout)}\n${tail(this.stderr)}`;
  }
}
