// The swarm of the demo: two trackers, a seed and three leeches, and the accidents that happen to them.

import { join } from 'node:path';
import type { ShoalError } from '../../base/errors.ts';
import type { StatusEvent } from '../status.ts';
import { Actor, type ActorEvent, type ActorEvents } from './actor.ts';
import { Ledger } from './ledger.ts';

export const LEECHES: readonly string[] = ['leech 1', 'leech 2', 'leech 3'];
export const SEED = 'seed';

/** Each process has a loopback address of its own, so that it is known by it. */
const ADDRESSES: Readonly<Record<string, string>> = {
  'tracker 1': '127.0.0.1',
  'tracker 2': '127.0.0.1',
  [SEED]: '127.0.0.2',
  'leech 1': '127.0.0.3',
  'leech 2': '127.0.0.4',
  'leech 3': '127.0.0.5',
};

/** Often enough for a lively screen, and for the ledger to miss little. */
const STATUS_S = '0.2';

export interface Finish {
  /** From the start of the leeches. */
  readonly seconds: number;
}

export class SwarmShow implements ActorEvents {
  readonly ledger: Ledger = new Ledger(new Map(Object.entries(ADDRESSES).map(([name, ip]) => [ip, name])));
  /** The last status of each process. */
  readonly statuses: Map<string, StatusEvent> = new Map();
  /** Leeches that have all and have verified it. */
  readonly finished: Map<string, Finish> = new Map();
  /** Pieces that some leech has verified. */
  readonly #out: Set<number> = new Set();
  readonly #actors: Map<string, Actor> = new Map();
  readonly #bin: string;
  readonly #folder: string;
  #leechesBeganMs = 0;
  #wake: () => void = () => undefined;
  #failure: ShoalError | null = null;
  readonly #ready: Map<string, ActorEvent & { event: 'ready' }> = new Map();

  /** `bin`: the launcher; `folder`: where states and copies go. */
  constructor(bin: string, folder: string) {
    this.#bin = bin;
    this.#folder = folder;
  }

  get piecesOut(): number {
    return this.#out.size;
  }

  get leechSeconds(): number {
    return (performance.now() - this.#leechesBeganMs) / 1000;
  }

  /** Starts a tracker; its announce URL. */
  async startTracker(name: string): Promise<string> {
    this.#start(name, ['tracker', '--listen', `${ADDRESSES[name]!}:0`]);
    await this.until(() => this.#ready.has(name));
    return this.#ready.get(name)!.urls![0]!;
  }

  /** Starts the seed; resolves when it has verified its content and serves. */
  async startSeed(torrent: string, source: string, uploadRate: number): Promise<void> {
    this.#start(SEED, ['seed', torrent, source, ...this.#peerOptions(SEED, uploadRate)]);
    await this.until(() => this.#ready.has(SEED));
  }

  async startLeeches(torrent: string, uploadRate: number): Promise<void> {
    this.#leechesBeganMs = performance.now();
    for (const name of LEECHES) {
      const options = ['--keep-seeding', ...this.#peerOptions(name, uploadRate)];
      this.#start(name, ['get', torrent, '-o', this.copyFolder(name), ...options]);
    }
    await this.until(() => LEECHES.every((name) => this.#ready.has(name)));
  }

  /** The folder that a leech fetches into. */
  copyFolder(leech: string): string {
    return join(this.#folder, leech.replace(' ', '-'));
  }

  kill(name: string): Promise<void> {
    return this.#take(name).kill();
  }

  async stop(name: string): Promise<void> {
    await this.#take(name).stop();
  }

  /** Ends all that still runs, at once. */
  async close(): Promise<void> {
    await Promise.all([...this.#actors.keys()].map((name) => this.kill(name)));
  }

  /** Resolves when the condition holds, looked at after every event; rejects when a process has failed. */
  async until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    signal?.addEventListener('abort', () => this.#wake(), { once: true });
    while (!condition()) {
      signal?.throwIfAborted();
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  onEvent(actor: Actor, event: ActorEvent): void {
    if (event.event === 'ready') this.#ready.set(actor.name, event);
    if (event.event === 'complete') this.finished.set(actor.name, { seconds: this.leechSeconds });
    if (event.event === 'status') {
      this.statuses.set(actor.name, event);
      this.ledger.add(actor.name, event);
      for (const piece of event.newPieces) this.#out.add(piece);
    }
    this.#wake();
  }

  onFailed(_: Actor, error: ShoalError): void {
    this.#failure ??= error;
    this.#wake();
  }

  #start(name: string, args: readonly string[]): void {
    const state = ['--state', join(this.#folder, 'state', name.replace(' ', '-'))];
    this.#actors.set(name, new Actor(this.#bin, name, [...args, ...state, '--json'], this));
  }

  #peerOptions(name: string, uploadRate: number): string[] {
    return ['--listen', `${ADDRESSES[name]!}:0`, '--max-upload', `${uploadRate}`, '--status', STATUS_S];
  }

  #take(name: string): Actor {
    const actor = this.#actors.get(name)!;
    this.#actors.delete(name);
    return actor;
  }
}
