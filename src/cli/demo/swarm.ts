// The swarm of the demo as its processes tell of it: who runs, who has which pieces, who sent how much to whom.

import { Bitfield } from '../../base/bitfield.ts';
import { ShoalError } from '../../base/errors.ts';
import type { StatusEvent } from '../status.ts';
import type { Actor, ActorEvent, CompleteEvent, ReadyEvent } from './actor.ts';
import type { Caps } from './caps.ts';
import type { Stage } from './stage.ts';

/** Often enough for a lively screen, and for the kills to come soon after the content is out. */
const STATUS_S = '0.2';
/** Nobody gets anything for so long: something is broken, and waiting for it is no use. */
const SILENCE_MS = 30_000;
const LOCAL: readonly string[] = ['--listen', '127.0.0.1:0'];

export interface Member {
  readonly name: string;
  readonly actor: Pick<Actor, 'pid' | 'kill' | 'stop'>;
  readonly ready: ReadyEvent;
}

export class Leech {
  readonly name: string;
  readonly actor: Member['actor'];
  /** The folder that it fetches into. */
  readonly folder: string;
  ready: ReadyEvent | null = null;
  status: StatusEvent | null = null;
  complete: CompleteEvent | null = null;
  completeAtSeconds = 0;
  /** Pieces that it has verified and written. */
  readonly have: Bitfield;
  /** When it was connected to everybody else, in seconds. */
  metAllAtSeconds: number | null = null;

  constructor(name: string, actor: Member['actor'], folder: string, pieceCount: number) {
    this.name = name;
    this.actor = actor;
    this.folder = folder;
    this.have = new Bitfield(pieceCount);
  }

  get isComplete(): boolean {
    return this.complete !== null || this.have.isFull;
  }
}

/** Fails with UNFINISHED when a process ends by itself, or when nothing happens any more. */
export class DemoSwarm {
  readonly trackers: Member[] = [];
  seed: Member | null = null;
  readonly leeches: Leech[] = [];
  /** Names of those that were killed. */
  readonly killed: Set<string> = new Set();
  /** Pieces that at least one leech has. */
  out: Bitfield = new Bitfield(0);
  readonly #stage: Stage;
  readonly #waiting: Set<() => void> = new Set();
  #failure: Error | null = null;
  #beginMs = 0;
  #newsMs = 0;

  constructor(stage: Stage, signal: AbortSignal) {
    this.#stage = stage;
    const fail = (error: Error): void => {
      this.#failure ??= error;
      this.#wake();
    };
    stage.onFailure(fail);
    signal.addEventListener('abort', () => fail(signal.reason as Error), { once: true });
  }

  // ---- who takes part

  async startTracker(name: string): Promise<Member> {
    const member = await this.#startReady(name, ['tracker', ...LOCAL, '--state', this.#stage.path('state', name)]);
    this.trackers.push(member);
    return member;
  }

  /** Resolves when it has verified its content and serves it. */
  async startSeed(torrent: string, content: string, caps: Caps): Promise<Member> {
    const args = ['seed', torrent, content, ...this.#swarmOptions('seed', caps.seedBytesPerSecond)];
    this.seed = await this.#startReady('seed', args);
    return this.seed;
  }

  /** From now on seconds are counted. Resolves when all are up. */
  async startLeeches(names: readonly string[], torrent: string, pieceCount: number, caps: Caps): Promise<void> {
    this.#beginMs = performance.now();
    this.out = new Bitfield(pieceCount);
    for (const name of names) {
      const folder = this.#stage.path(name.replace(' ', '-'));
      const options = [...this.#swarmOptions(name, caps.leechBytesPerSecond), '--status', STATUS_S];
      const args = ['get', torrent, '-o', folder, '--keep-seeding', ...options];
      const leech: Leech = new Leech(
        name,
        this.#stage.start(name, args, (event) => this.#heard(leech, event)),
        folder,
        pieceCount,
      );
      this.leeches.push(leech);
    }
    await this.until(() => this.leeches.every((leech) => leech.ready !== null));
  }

  #swarmOptions(name: string, uploadBytesPerSecond: number): string[] {
    return [...LOCAL, '--max-upload', String(uploadBytesPerSecond), '--state', this.#stage.path('state', name)];
  }

  async #startReady(name: string, args: readonly string[]): Promise<Member> {
    let ready: ReadyEvent | null = null;
    const actor = this.#stage.start(name, args, (event) => {
      if (event.event === 'ready') ready = event;
      this.#wake();
    });
    this.#newsMs = performance.now();
    await this.until(() => ready !== null);
    return { name, actor, ready: ready! };
  }

  async kill(member: Member): Promise<void> {
    this.killed.add(member.name);
    await member.actor.kill();
  }

  // ---- what is known

  /** Since the leeches were started. */
  get seconds(): number {
    return (performance.now() - this.#beginMs) / 1000;
  }

  /** Bytes of content that came to `to` from `from`, as the receiver counts. */
  sent(from: Member | Leech, to: Leech): number {
    const peerId = from.ready?.peerId;
    return to.status?.traffic.find((each) => each.peerId === peerId)?.downloaded ?? 0;
  }

  /** Those that a leech is connected to. */
  connected(leech: Leech): (Member | Leech)[] {
    const ids = new Set(leech.status?.peers.map((peer) => peer.peerId));
    return this.#others(leech).filter((other) => ids.has(other.ready?.peerId ?? ''));
  }

  #others(leech: Leech): (Member | Leech)[] {
    return [...(this.seed ? [this.seed] : []), ...this.leeches.filter((other) => other !== leech)];
  }

  /** Resolves when the condition holds, looked at after every event. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.#failure) end(() => reject(this.#failure as Error));
        else if (condition()) end(resolve);
      };
      const end = (tell: () => void): void => {
        this.#waiting.delete(look);
        clearInterval(timer);
        tell();
      };
      const timer = setInterval(() => {
        if (performance.now() - this.#newsMs > SILENCE_MS) this.#failure ??= this.#silence();
        look();
      }, 1000);
      this.#waiting.add(look);
      look();
    });
  }

  /** Waits, and fails as {@link until} does. */
  async pause(seconds: number): Promise<void> {
    this.#newsMs = performance.now();
    const endMs = this.#newsMs + seconds * 1000;
    const timer = setTimeout(() => this.#wake(), seconds * 1000 + 1);
    await this.until(() => performance.now() >= endMs).finally(() => clearTimeout(timer));
  }

  /** Resolves when every leech has said how it stands from now on. */
  async nextWords(): Promise<void> {
    const fromMs = Date.now();
    await this.until(() => this.leeches.every((leech) => (leech.status?.time ?? 0) >= fromMs));
  }

  #silence(): ShoalError {
    return new ShoalError('UNFINISHED', `nothing has happened for ${SILENCE_MS / 1000} s; the demo gives up`);
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }

  #heard(leech: Leech, event: ActorEvent): void {
    if (event.event === 'ready') leech.ready = event;
    if (event.event === 'complete') {
      leech.complete = event;
      leech.completeAtSeconds = this.seconds;
    }
    if (event.event === 'status') this.#heardStatus(leech, event);
    else if (event.event !== 'waiting') this.#newsMs = performance.now();
    this.#wake();
  }

  #heardStatus(leech: Leech, status: StatusEvent): void {
    leech.status = status;
    for (const piece of status.newPieces) {
      leech.have.set(piece);
      this.out.set(piece);
    }
    if (status.newPieces.length > 0) this.#newsMs = performance.now();
    if (this.connected(leech).length === this.#others(leech).length) leech.metAllAtSeconds ??= this.seconds;
  }
}
