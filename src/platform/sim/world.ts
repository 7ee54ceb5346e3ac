// The simulated world: hosts, the net between them, and virtual time, all from one seed.
//
// Events happen one after another. After each one that called the program or settled a promise of it, every promise
// continuation must have run before the next event, or the order of things would depend on how long chains of awaits are.
// A macrotask is the only thing that is sure to come after all microtasks, so the driver of macrotasks (`turn`) is asked
// for one. They are taken in batches ahead: those of one batch follow each other in one round of the program's event
// loop, with all microtasks in between, which is five times as fast as one round each. Events that only move
// packets along call nobody, and need no turn.

import { formatIp, parseIp } from '../../base/address.ts';
import { assert } from '../../base/assert.ts';
import type { Hashes } from '../../ports/hashes.ts';
import { type HostOptions, type HostWorld, SimHost } from './host.ts';
import type { RouteSettings } from './link.ts';
import { Network } from './network.ts';
import { SeededRandom } from './random.ts';
import { Schedule } from './schedule.ts';
import { Trace, type TraceWatcher } from './trace.ts';

export interface WorldOptions {
  /** A whole number. The same seed and the same program give the same trace. */
  readonly seed: number;
  readonly hashes: Hashes;
  /** Resolves in a macrotask of its own: in Node `() => new Promise((resolve) => setImmediate(resolve))`. */
  readonly turn: () => Promise<void>;
  /** `random` (default): what arrives is split anywhere; `whole`: chunks as they were sent, for speed. */
  readonly chunks?: 'random' | 'whole';
  /** Bytes of a stream that may be under way or unread. */
  readonly windowBytes?: number;
  /** Sees every delivery: for finding where two runs part. */
  readonly watch?: TraceWatcher;
}

/** Turns taken ahead: enough to make the event loop's own work small, few enough to throw away at the end of a run. */
const TURNS_AHEAD = 32;

/** 256 KiB: 5.7 MB/s a stream at the default latency, and queues at slow lines that stay short. */
const DEFAULT_WINDOW_BYTES = 256 * 1024;

const DEFAULT_LIMIT_MS = 3_600_000;

export class SimWorld {
  readonly seed: number;
  readonly #schedule: Schedule = new Schedule();
  readonly #trace: Trace;
  readonly #shared: HostWorld;
  readonly #hosts: SimHost[] = [];
  readonly #turn: () => Promise<void>;
  #turns: Promise<void>[] = [];
  #nextTurn = 0;
  #isRunning = false;

  constructor(options: WorldOptions) {
    this.seed = options.seed;
    this.#turn = options.turn;
    this.#trace = new Trace(options.watch);
    const network = new Network(this.#schedule, new SeededRandom(options.seed, 'network'), {
      splits: (options.chunks ?? 'random') === 'random',
      windowBytes: options.windowBytes ?? DEFAULT_WINDOW_BYTES,
    });
    this.#shared = { seed: options.seed, network, trace: this.#trace, hashes: options.hashes };
  }

  /** Virtual milliseconds since the world began: what every host's clock says. */
  get nowMs(): number {
    return this.#schedule.nowMs;
  }

  get hosts(): readonly SimHost[] {
    return this.#hosts;
  }

  /** Deliveries to programs so far. */
  get deliveries(): number {
    return this.#trace.count;
  }

  /** A new host, its program started. Default addresses count up from 10.0.0.1. */
  addHost(options: HostOptions = {}): SimHost {
    const id = this.#hosts.length;
    const name = options.name ?? `host-${id + 1}`;
    assert(!this.#hosts.some((host) => host.name === name), `the name ${name} is free`);
    const number = id + 1;
    const ip = options.ip === undefined ? Uint8Array.of(10, number >> 16, number >> 8, number) : parseIp(options.ip);
    assert(ip, `"${options.ip}" is an IP address`);
    const host = new SimHost(this.#shared, id, name, ip, options);
    this.#shared.network.add(host.machine);
    this.#hosts.push(host);
    return host;
  }

  /** Makes a host name stand for these addresses; without any it is unknown again. */
  dns(name: string, ...ips: readonly Uint8Array[]): void {
    this.#shared.network.register(name, ips);
  }

  /** Says what the way between two hosts is like. */
  link(a: SimHost, b: SimHost, settings: RouteSettings): void {
    this.#shared.network.route(a.machine, b.machine).set(settings);
  }

  /** Nothing gets from one to the other: streams stand still, datagrams are lost. */
  cut(a: SimHost, b: SimHost): void {
    this.#shared.network.route(a.machine, b.machine).cut();
  }

  heal(a: SimHost, b: SimHost): void {
    this.#shared.network.route(a.machine, b.machine).heal();
  }

  /**
   * Lets events happen until `work` settles, and settles alike. Throws where nothing is left to happen before, or where
   * it takes more than `limitMs` of virtual time: with the seed and what is open. One run at a time.
   */
  async run<T>(work: Promise<T>, limitMs: number = DEFAULT_LIMIT_MS): Promise<T> {
    const deadlineMs = this.nowMs + limitMs;
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    work.then(settle, settle);
    await this.#drive(deadlineMs, () => isSettled);
    if (!isSettled) throw new Error(this.#stuck(deadlineMs));
    return work;
  }

  /** Lets time go on by `ms`. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    await this.#drive(untilMs, () => false);
    this.#schedule.skipTo(untilMs);
  }

  /** A hash over all that was delivered until now: when, what, to whom, which bytes. */
  traceHash(): string {
    return this.#trace.hash();
  }

  /** What programs that live have open; empty when everything was closed. */
  leaks(): string[] {
    return this.#hosts.flatMap((host) => host.leaks());
  }

  async #drive(untilMs: number, isDone: () => boolean): Promise<void> {
    assert(!this.#isRunning, 'the world runs once at a time: await one run before the next');
    this.#isRunning = true;
    // Turns left over from the last run have come already: waiting for one would wait for nothing.
    this.#turns = [];
    this.#nextTurn = 0;
    try {
      await this.#settlePromises();
      while (!isDone()) {
        const before = this.#trace.count;
        if (!this.#schedule.step(untilMs)) return;
        if (this.#trace.count !== before) await this.#settlePromises();
      }
    } finally {
      this.#isRunning = false;
    }
  }

  #settlePromises(): Promise<void> {
    if (this.#nextTurn === this.#turns.length) {
      this.#nextTurn = 0;
      for (let i = 0; i < TURNS_AHEAD; i++) this.#turns[i] = this.#turn();
    }
    return this.#turns[this.#nextTurn++]!;
  }

  #stuck(deadlineMs: number): string {
    const why = this.#schedule.pending === 0 ? 'nothing is left to happen' : `the limit of ${deadlineMs} ms has come`;
    const open = this.leaks().slice(0, 20).join('; ') || 'nothing';
    const places = this.#hosts.length === 1 ? formatIp(this.#hosts[0]!.ip) : `${this.#hosts.length} hosts`;
    return `seed ${this.seed}: still waiting at ${this.nowMs} ms, but ${why} (${places}; open: ${open})`;
  }
}
