// One running program: what it says goes to a file, its memory is sampled, and it ends with the bench, however that ends.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { NO_USAGE, type Usage, usageOf, waitedSeconds } from './proc.ts';

const SAMPLE_MS = 50;
const GRACE_MS = 4000;

/** All that run: for the end of the bench by a signal. */
const running = new Set<Program>();

/** The kernel ends what we start when we end, were it by SIGKILL. */
const leash: readonly string[] =
  spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0
    ? ['setpriv', '--pdeathsig', 'KILL']
    : [];

export interface Command {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class Program {
  readonly name: string;
  readonly startedMs: number;
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly #timer: NodeJS.Timeout;
  readonly #exited: Promise<void>;
  #last: Usage = NO_USAGE;
  #peakRssMib = 0;
  #peakPrivateMib = 0;
  #ended = false;

  /** `home` becomes HOME and the current folder; `log` takes stdout and stderr. */
  constructor(name: string, command: Command, home: string, log: string) {
    this.name = name;
    this.#log = log;
    const output = openSync(log, 'a');
    const words = [...leash, ...command.argv];
    this.startedMs = Date.now();
    this.#child = spawn(words[0]!, words.slice(1), {
      cwd: home,
      stdio: ['ignore', output, output],
      env: { ...process.env, HOME: home, LC_ALL: 'C.UTF-8', PYTHONUNBUFFERED: '1', ...command.env },
    });
    closeSync(output);
    this.#exited = new Promise((done) => {
      const ended = (): void => {
        this.#ended = true;
        clearInterval(this.#timer);
        running.delete(this);
        done();
      };
      this.#child.on('exit', ended).on('error', ended);
    });
    this.#timer = setInterval(() => this.usage(), SAMPLE_MS);
    running.add(this);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The use of the machine now, or the last that was seen. */
  usage(): Usage {
    const now = this.#ended || this.#child.pid === undefined ? null : usageOf(this.#child.pid);
    if (now === null || now.rssMib === 0) return this.#last;
    this.#last = now;
    this.#peakRssMib = Math.max(this.#peakRssMib, now.rssMib);
    this.#peakPrivateMib = Math.max(this.#peakPrivateMib, now.privateMib);
    return now;
  }

  /** How long its main thread has waited for a core so far; 0 where the system does not say. */
  waitedSeconds(): number {
    const { pid } = this.#child;
    return (pid === undefined ? null : waitedSeconds(pid)) ?? 0;
  }

  /** The most memory seen since the start or the last {@link forgetPeaks}. */
  get peaks(): { readonly rssMib: number; readonly privateMib: number } {
    return { rssMib: this.#peakRssMib, privateMib: this.#peakPrivateMib };
  }

  forgetPeaks(): void {
    this.#peakRssMib = 0;
    this.#peakPrivateMib = 0;
  }

  /** What it said last, for a failed run. */
  lastWords(): string {
    return readFileSync(this.#log, 'utf8').trimEnd().split('\n').slice(-3).join(' / ').slice(-300);
  }

  /** SIGTERM, and SIGKILL after a while. Idempotent. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), GRACE_MS);
    await this.#exited;
    clearTimeout(kill);
  }

  /** At once, without waiting: for the end of the bench. */
  static killAll(): void {
    for (const program of running) program.#child.kill('SIGKILL');
  }
}
