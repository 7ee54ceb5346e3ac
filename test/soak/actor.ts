// One process of the soak: the JSON lines that it says, its end, and what is left in it after a collection of garbage.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { bornOf, type Usage, usageOf } from './system.ts';

export type Event = Readonly<Record<string, unknown>>;

export interface ActorOptions {
  readonly name: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Called with every JSON line of stdout. */
  readonly onEvent?: (event: Event) => void;
  /** A Node program that is asked what it holds (`probe`). */
  readonly watched?: boolean;
}

/** Of a watched process: from the system, and from itself after a collection. */
export interface Probe extends Usage {
  readonly heapMib: number;
  readonly externalMib: number;
  readonly timers: number;
}

/** Of what a process says, but for its events, the end is kept, to tell why it failed. */
const LAST_WORDS = 2000;
const PROBE_MS = 20_000;
/** More than the 3 s in which a command ends. */
const CLEAN_END_MS = 8000;

export class Actor {
  static readonly #alive: Set<Actor> = new Set();
  /** Every process that there was, by its id, and when it began: none of them may be left at the end. */
  static readonly births: Map<number, string> = new Map();
  readonly name: string;
  readonly ended: Promise<number | null>;
  lastWords = '';
  readonly #child: ChildProcess;
  readonly #waiting: { readonly kind: string | undefined; readonly take: (event: Event | null) => void }[] = [];
  #hasEnded = false;

  constructor({ name, argv, cwd, onEvent, watched = false }: ActorOptions) {
    this.name = name;
    const [command, ...args] = watched ? [process.execPath, ...watchWords(), ...argv.slice(1)] : argv;
    this.#child = spawn(command!, args, {
      cwd,
      // A group of its own: Ctrl-C is for the soak alone, which ends its actors itself.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', ...(watched ? (['ipc'] as const) : [])],
      env: { ...process.env, HOME: cwd, LC_ALL: 'C.UTF-8', NO_COLOR: '1', PYTHONUNBUFFERED: '1' },
    });
    const { pid } = this.#child;
    const born = pid === undefined ? null : bornOf(pid);
    if (pid !== undefined && born !== null) Actor.births.set(pid, born);
    Actor.#alive.add(this);
    this.#child.stdin?.on('error', () => undefined);
    this.#child.on('error', (error) => {
      this.lastWords += String(error);
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#keep(text));
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      if (!line.startsWith('{')) {
        this.#keep(`${line}\n`);
        return;
      }
      const event = JSON.parse(line) as Event;
      onEvent?.(event);
      this.#tell(event);
    });
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code) => {
        this.#hasEnded = true;
        Actor.#alive.delete(this);
        for (const { take } of this.#waiting.splice(0)) take(null);
        resolve(code);
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The next event of this kind (undefined: the next line without one); null: the process ends without one. */
  event(kind: string | undefined): Promise<Event | null> {
    if (this.#hasEnded) return Promise.resolve(null);
    return new Promise((take) => {
      this.#waiting.push({ kind, take });
    });
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** SIGTERM; `late`: it did not end in time, and was killed. */
  async stop(): Promise<{ readonly code: number | null; readonly late: boolean }> {
    this.#child.kill('SIGTERM');
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#child.kill('SIGKILL');
    }, CLEAN_END_MS);
    const code = await this.ended;
    clearTimeout(timer);
    return { code, late };
  }

  /** null: it has ended, or does not answer. */
  async probe(): Promise<Probe | null> {
    const said = await new Promise<{ heapBytes: number; externalBytes: number; timers: number } | null>((resolve) => {
      const timer = setTimeout(() => resolve(null), PROBE_MS);
      this.#child.once('message', (message) => {
        clearTimeout(timer);
        resolve(message as { heapBytes: number; externalBytes: number; timers: number });
      });
      if (this.#hasEnded || !this.#child.connected) resolve(null);
      else this.#child.send('probe', () => undefined);
    });
    const usage = usageOf(this.pid);
    if (said === null || usage === null) return null;
    const { heapBytes, externalBytes, timers } = said;
    return { ...usage, heapMib: heapBytes / 2 ** 20, externalMib: externalBytes / 2 ** 20, timers };
  }

  /** `kill -9` to everything that still runs. */
  static async killAll(): Promise<void> {
    await Promise.all([...Actor.#alive].map((actor) => actor.kill()));
  }

  /** As {@link killAll}, where nothing can be waited for any more. */
  static killAllNow(): void {
    for (const actor of Actor.#alive) actor.#child.kill('SIGKILL');
  }

  #keep(text: string): void {
    this.lastWords = (this.lastWords + text).slice(-LAST_WORDS);
  }

  #tell(event: Event): void {
    const at = this.#waiting.findIndex(({ kind }) => kind === event.event);
    if (at >= 0) this.#waiting.splice(at, 1)[0]!.take(event);
  }
}

function watchWords(): readonly string[] {
  return ['--expose-gc', '--import', new URL('probe.mjs', HERE).href];
}

/** The folder of this file, also when it was bundled: who bundles it says so. */
export const HERE: string = process.env.SHOAL_SOAK_SOURCES ?? new URL('.', import.meta.url).href;
export const HOME: string = fileURLToPath(new URL('../../', HERE));
