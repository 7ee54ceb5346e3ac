// One process of the demo: a shoal command with --json, watched by the lines that it prints.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ShoalError } from '../../base/errors.ts';
import { HOME } from '../home.ts';
import type { StallReport } from '../stall.ts';
import type { StatusEvent } from '../status.ts';

const BIN: string = fileURLToPath(new URL('bin/shoal.js', HOME));
/** Of what a process says on stderr the end is kept, to tell why it failed. */
const MAX_LAST_WORDS = 2000;

export interface ReadyEvent {
  readonly event: 'ready';
  readonly listen: readonly string[];
  /** Of a tracker. */
  readonly urls?: readonly string[];
  /** Of a seed and a leech. */
  readonly peerId?: string;
}

export interface CompleteEvent {
  readonly event: 'complete';
  readonly seconds: number;
  readonly bytesPerSecond: number;
}

/** What a command that stays says of itself. */
export type ActorEvent =
  | ReadyEvent
  | StatusEvent
  | CompleteEvent
  | ({ readonly event: 'waiting' } & StallReport)
  | { readonly event: 'stopped' };

export interface ActorEvents {
  /** One JSON line. */
  onLine(line: unknown): void;
  /** It ended though nobody told it to; a command that does not stay ends with code 0. */
  onEnded(exitCode: number | null, lastWords: string): void;
}

export class Actor {
  /** As it is called on screen: `tracker 1`, `seed`, `leech A`. */
  readonly name: string;
  readonly #child: ChildProcess;
  /** Resolves with the exit code when it has ended and all it said was heard; null: by a signal. */
  readonly #ended: Promise<number | null>;
  #endWanted = false;

  /** Starts `shoal ARGS --json`. */
  constructor(name: string, args: readonly string[], env: NodeJS.ProcessEnv, events: ActorEvents) {
    this.name = name;
    this.#child = spawn(process.execPath, [BIN, ...args, '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-MAX_LAST_WORDS);
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      const value = parsed(line);
      if (value !== null) events.onLine(value);
    });
    this.#ended = new Promise((resolve) => {
      const end = (exitCode: number | null, lastWords: string): void => {
        if (!this.#endWanted) events.onEnded(exitCode, lastWords);
        resolve(exitCode);
      };
      this.#child.on('error', (error) => end(null, error.message));
      this.#child.on('close', (exitCode) => end(exitCode, said.trimEnd().split('\n').pop() ?? ''));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** As a power cut would (kill -9): at once, without a word to anyone. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.killNow();
    await this.#ended;
  }

  /** The same, without waiting. */
  killNow(): void {
    this.#endWanted = true;
    this.#child.kill('SIGKILL');
  }

  /** As Ctrl-C would: it takes its leave. Throws where that is no clean end. */
  async stop(): Promise<void> {
    this.#endWanted = true;
    this.#child.kill('SIGTERM');
    const exitCode = await this.#ended;
    if (exitCode !== 0) throw endedBadly(this.name, exitCode, 'when it was told to stop');
  }
}

/** Null: a process that was killed broke off in the middle of the line. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** UNFINISHED: a process ended, or ended otherwise than it should have. */
export function endedBadly(name: string, exitCode: number | null, words: string): ShoalError {
  const how = exitCode === null ? 'was killed' : `ended with exit code ${exitCode}`;
  return new ShoalError('UNFINISHED', `${name} ${how}${words === '' ? '' : `: ${words.replace(/^shoal: /, '')}`}`);
}
