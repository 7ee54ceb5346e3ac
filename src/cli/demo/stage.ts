// Where the demo happens: a temporary folder and the processes in it, all gone when it is closed, however the demo ends.

import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ShoalError } from '../../base/errors.ts';
import { Actor, type ActorEvent, endedBadly } from './actor.ts';

export class Stage {
  readonly folder: string;
  readonly #keep: boolean;
  readonly #actors: Set<Actor> = new Set();
  readonly #clearNow: () => void = () => this.#clear();
  #onFailure: (error: ShoalError) => void = () => undefined;

  private constructor(folder: string, keep: boolean) {
    this.folder = folder;
    this.#keep = keep;
    // Where the end cannot be awaited (a second Ctrl-C, a bug) nothing stays behind either.
    process.on('exit', this.#clearNow);
  }

  /** `keep`: the folder stays. */
  static async open(keep: boolean): Promise<Stage> {
    return new Stage(await mkdtemp(join(tmpdir(), 'shoal-demo-')), keep);
  }

  /** Called when a process ends that should not. */
  onFailure(callback: (error: ShoalError) => void): void {
    this.#onFailure = callback;
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  /** Starts a shoal command that stays. */
  start(name: string, args: readonly string[], onEvent: (event: ActorEvent) => void): Actor {
    const actor: Actor = new Actor(name, args, this.#env(), {
      onLine: (line) => onEvent(line as ActorEvent),
      onEnded: (exitCode, lastWords) => {
        this.#actors.delete(actor);
        this.#onFailure(endedBadly(name, exitCode, lastWords));
      },
    });
    this.#actors.add(actor);
    return actor;
  }

  /** Runs a shoal command to its end; the JSON document that it prints. Throws where it fails. */
  run(name: string, args: readonly string[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let document: unknown = null;
      const actor: Actor = new Actor(name, args, this.#env(), {
        onLine: (line) => {
          document = line;
        },
        onEnded: (exitCode, lastWords) => {
          this.#actors.delete(actor);
          if (exitCode === 0) resolve(document);
          else reject(endedBadly(name, exitCode, lastWords));
        },
      });
      this.#actors.add(actor);
    });
  }

  /** Ends all processes at once and removes the folder. */
  async close(): Promise<void> {
    await Promise.all([...this.#actors].map((actor) => actor.kill()));
    this.#actors.clear();
    if (!this.#keep) await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
    process.off('exit', this.#clearNow);
  }

  #clear(): void {
    for (const actor of this.#actors) actor.killNow();
    if (!this.#keep) rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** What earlier runs shared and fetched is none of the demo's business. */
  #env(): NodeJS.ProcessEnv {
    return { ...process.env, XDG_STATE_HOME: this.path('state') };
  }
}
