// A simulated host: a machine on the net with a disk, and one program on it at a time, which can be killed.

import { assert } from '../../base/assert.ts';
import type { Env } from '../../ports/env.ts';
import type { Hashes } from '../../ports/hashes.ts';
import { type Log, silentLog } from '../../ports/log.ts';
import { SimClock } from './clock.ts';
import { type DiskSettings, SimDisk } from './disk.ts';
import { DiskHands } from './disk-hands.ts';
import { SimFiles } from './files.ts';
import { SimHttp } from './http.ts';
import { Machine, type Network, type StreamEnd } from './network.ts';
import { SimPieceIo } from './piece-io.ts';
import { SimProgram } from './program.ts';
import { SeededRandom } from './random.ts';
import { SimSockets } from './sockets.ts';
import { SimStore } from './store.ts';
import type { Trace } from './trace.ts';

export interface HostOptions {
  /** For reports; must be its own. Also seeds the chance of the host. */
  readonly name?: string;
  /** Text of an IPv4 or IPv6 address that no other host has. */
  readonly ip?: string;
  /** The access line. Default: no limit. */
  readonly upBytesPerSecond?: number;
  readonly downBytesPerSecond?: number;
  /** Its share of the latency of each way, one way. */
  readonly latencyMs?: number;
  /** Memory for pieces that are fetched. */
  readonly slotBudgetBytes?: number;
  readonly disk?: DiskSettings;
  /** Where `env.log` goes. Default: nowhere. */
  readonly log?: Log;
}

/** What hosts of one world share. */
export interface HostWorld {
  readonly seed: number;
  readonly network: Network;
  readonly trace: Trace;
  readonly hashes: Hashes;
}

const DEFAULT_SLOT_BUDGET_BYTES = 64 * 1024 * 1024;

export class SimHost {
  readonly name: string;
  readonly ip: Uint8Array;
  /** Faults, capacity, costs. It outlives the program. */
  readonly disk: SimDisk;
  /** Looks at the disk and changes it without a program. */
  readonly hands: DiskHands;
  /** The host on the net. */
  readonly machine: Machine;
  readonly #world: HostWorld;
  readonly #options: HostOptions;
  #program: SimProgram;
  #env: Env;
  #starts = 0;
  /** Streams that died with the power: their remotes know nothing of it. */
  #orphans: StreamEnd[] = [];

  constructor(world: HostWorld, id: number, name: string, ip: Uint8Array, options: HostOptions) {
    this.name = name;
    this.ip = ip;
    this.#world = world;
    this.#options = options;
    this.machine = new Machine(world.network.schedule, id, ip, {
      up: options.upBytesPerSecond ?? Number.POSITIVE_INFINITY,
      down: options.downBytesPerSecond ?? Number.POSITIVE_INFINITY,
      latencyMs: options.latencyMs ?? 10,
    });
    this.disk = new SimDisk(new SeededRandom(world.seed, `${name} disk`), options.disk);
    this.hands = new DiskHands(this.disk);
    [this.#program, this.#env] = this.#start();
  }

  /** What the program on this host is given. Another one after each `restart`. */
  get env(): Env {
    return this.#env;
  }

  /** Changes the access line from the next quantum on. */
  setBandwidth(line: { upBytesPerSecond?: number; downBytesPerSecond?: number }): void {
    if (line.upBytesPerSecond !== undefined) this.machine.up.setBandwidth(line.upBytesPerSecond);
    if (line.downBytesPerSecond !== undefined) this.machine.down.setBandwidth(line.downBytesPerSecond);
  }

  /**
   * kill -9: its timers, sockets and locks are gone, remotes see resets, disk jobs under way are torn. `losesUnsynced`
   * (default true, the harder case): what was not synced may be lost, too, as when the kernel goes down as well.
   */
  crash(options: { losesUnsynced?: boolean } = {}): void {
    this.#kill(options.losesUnsynced ?? true, true);
  }

  /** The machine goes dark: remotes see nothing at all until it is back and they send something. */
  powerCut(): void {
    this.machine.isUp = false;
    this.#orphans = Array.from(this.machine.streams);
    this.#kill(true, false);
  }

  /** Starts the program again on the same disk and address. Only after `crash`, `powerCut` or `close`. */
  restart(): Env {
    assert(!this.#program.isAlive, `${this.name} is down before it starts again`);
    this.machine.isUp = true;
    for (const orphan of this.#orphans) orphan.refuseLate();
    this.#orphans = [];
    [this.#program, this.#env] = this.#start();
    return this.#env;
  }

  /** The program has ended well: throws with what it left open; from now on each call to its `env` throws. */
  close(): void {
    this.#program.end();
  }

  /** What the program has open. */
  leaks(): string[] {
    return this.#program.isAlive ? this.#program.leaks() : [];
  }

  #kill(losesUnsynced: boolean, tellRemotes: boolean): void {
    if (!this.#program.isAlive) return;
    this.#program.note('crash');
    this.#program.crash();
    for (const stream of this.machine.streams) stream.vanish(tellRemotes);
    this.machine.tcpPorts.clear();
    this.machine.udpPorts.clear();
    this.disk.crash(this.#program, losesUnsynced);
  }

  #start(): [SimProgram, Env] {
    const { seed, network, trace, hashes } = this.#world;
    const options = this.#options;
    const program = new SimProgram(network.schedule, trace, this.machine.id, this.name);
    const clock = new SimClock(program);
    const sockets = new SimSockets(network, this.machine, program);
    const env: Env = {
      clock,
      random: new SeededRandom(seed, `${this.name} start ${this.#starts++}`),
      hashes,
      sockets,
      http: new SimHttp(clock, sockets),
      files: new SimFiles(program, this.disk, clock),
      pieceIo: new SimPieceIo(program, this.disk, clock, hashes, options.slotBudgetBytes ?? DEFAULT_SLOT_BUDGET_BYTES),
      store: new SimStore(program, this.disk),
      log: options.log ?? silentLog,
    };
    program.note('start');
    return [program, env];
  }
}
