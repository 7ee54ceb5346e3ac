// One process of the demo: a shoal command with its own state, watched by the JSON events that it prints.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ShoalError } from '../../base/errors.ts';
import type { StatusEvent } from '../status.ts';

/** What a process says of itself; which keys are there depends on `event`. */
export type ActorEvent =
  | { readonly event: 'ready'; readonly listen: readonly string[]; readonly urls?: readonly string[] }
  | StatusEvent
  | { readonly event: 'complete'; readonly seconds: number; readonly bytesPerSecond: number }
  | { readonly event: 'waiting' | 'stopped' };

export interface ActorEvents {
  onEvent(actor: Actor, event: ActorEvent): void;
  /** It ended though nobody told it to. */
  onFailed(actor: Actor, error: ShoalError): void;
}

export class Actor {
  /** `seed`, `leech 2`: as it is called on screen. */
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #endWanted = false;

  /** Starts `shoal ARGS` as a process of its own. */
  constructor(bin: string, name: string, args: readonly string[], events: ActorEvents) {
    this.name = name;
    this.#child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-2000);
    });
    const lines = createInterface({ input: this.#child.stdout! });
    lines.on('line', (line) => events.onEvent(this, JSON.parse(line) as ActorEvent));
    this.#ended = new Promise((resolve) => {
      this.#child.on('close', () => {
        if (!this.#endWanted) {
          const last = said.trimEnd().split('\n').pop() ?? '';
          events.onFailed(this, new ShoalError('INTERNAL', `the demo's ${name} ended by itself: ${last}`));
        }
        resolve();
      });
    });
  }

  /** As an accident would: at once, without a word to anyone. */
  async kill(): Promise<void> {
    this.#endWanted = true;
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** As Ctrl-C would: it takes its leave. */
  async stop(): Promise<void> {
    this.#endWanted = true;
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}
