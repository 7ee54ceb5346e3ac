// The net that hosts are in: who has which address, the ways between them, names.

import { type Address, formatIp, isLoopback } from '../../base/address.ts';
import { assert } from '../../base/assert.ts';
import { equalBytes } from '../../base/bytes.ts';
import type { ByteStream } from '../../ports/sockets.ts';
import { Pipe, Route } from './link.ts';
import type { SimProgram } from './program.ts';
import type { SeededRandom } from './random.ts';
import type { Schedule } from './schedule.ts';

/** What listens on a TCP port. */
export interface TcpPort {
  /** Null: on every address of the host. */
  readonly ip: Uint8Array | null;
  readonly program: SimProgram;
  readonly accept: (stream: ByteStream) => void;
}

/** What is bound to a UDP port. */
export interface UdpPort {
  readonly ip: Uint8Array | null;
  readonly program: SimProgram;
  /** `message` is its to keep. `isLocal`: from the host itself, past its access line. */
  arrive(message: Uint8Array, from: Address, isLocal: boolean): void;
}

/** One end of a stream, as its machine sees it. */
export interface StreamEnd {
  /** The program is gone. `tell`: the kernel lives on and resets the connection. */
  vanish(tell: boolean): void;
  /** The machine that lost power is back and knows nothing of this end: answers what the remote has sent meanwhile. */
  refuseLate(): void;
}

// Where automatic ports are taken from (RFC 6335: the dynamic ones).
const FIRST_DYNAMIC_PORT = 49152;

/** A host as the net sees it: addresses, access line, ports. Outlives the programs that run on it. */
export class Machine {
  readonly id: number;
  readonly ip: Uint8Array;
  /** Its share of the latency of every way, one way. */
  readonly latencyMs: number;
  readonly up: Pipe;
  readonly down: Pipe;
  /** To itself: no bandwidth limit. */
  readonly loopback: Pipe;
  readonly tcpPorts: Map<number, TcpPort[]> = new Map();
  readonly udpPorts: Map<number, UdpPort[]> = new Map();
  /** All that is connected or connecting. */
  readonly streams: Set<StreamEnd> = new Set();
  /** False after a power cut: nothing arrives and nobody answers. */
  isUp = true;
  #nextPort = FIRST_DYNAMIC_PORT;

  constructor(schedule: Schedule, id: number, ip: Uint8Array, line: { up: number; down: number; latencyMs: number }) {
    this.id = id;
    this.ip = ip;
    this.latencyMs = line.latencyMs;
    this.up = new Pipe(schedule, line.up);
    this.down = new Pipe(schedule, line.down);
    this.loopback = new Pipe(schedule, Number.POSITIVE_INFINITY);
  }

  owns(ip: Uint8Array): boolean {
    return isLoopback(ip) || equalBytes(ip, this.ip);
  }

  /** A port that neither TCP nor UDP uses. */
  freePort(): number {
    for (let tries = 0; tries <= 65535 - FIRST_DYNAMIC_PORT; tries++) {
      const port = this.#nextPort;
      this.#nextPort = port === 65535 ? FIRST_DYNAMIC_PORT : port + 1;
      if (!this.tcpPorts.has(port) && !this.udpPorts.has(port)) return port;
    }
    throw new Error('the simulated host has no free port left');
  }
}

/** Adds to the ports of a machine; false where the address is taken. */
export function takePort<T extends { readonly ip: Uint8Array | null }>(
  ports: Map<number, T[]>,
  port: number,
  entry: T,
): boolean {
  const there = ports.get(port) ?? [];
  if (there.some((other) => other.ip === null || entry.ip === null || equalBytes(other.ip, entry.ip))) return false;
  ports.set(port, [...there, entry]);
  return true;
}

export function leavePort<T>(ports: Map<number, T[]>, port: number, entry: T): void {
  const rest = (ports.get(port) ?? []).filter((other) => other !== entry);
  if (rest.length > 0) ports.set(port, rest);
  else ports.delete(port);
}

/** Who hears what comes for `ip` and `port`. */
export function portFor<T extends { readonly ip: Uint8Array | null }>(
  ports: Map<number, T[]>,
  ip: Uint8Array,
  port: number,
): T | undefined {
  return ports.get(port)?.find((entry) => entry.ip === null || equalBytes(entry.ip, ip));
}

export class Network {
  readonly schedule: Schedule;
  readonly random: SeededRandom;
  /** Whether chunks are split at random. */
  readonly splits: boolean;
  readonly windowBytes: number;
  readonly #machines: Map<string, Machine> = new Map();
  readonly #names: Map<string, readonly Uint8Array[]> = new Map();
  readonly #routes: Map<number, Route> = new Map();

  constructor(schedule: Schedule, random: SeededRandom, options: { splits: boolean; windowBytes: number }) {
    this.schedule = schedule;
    this.random = random;
    this.splits = options.splits;
    this.windowBytes = options.windowBytes;
  }

  add(machine: Machine): void {
    const key = formatIp(machine.ip);
    assert(!this.#machines.has(key), `the address ${key} is free`);
    this.#machines.set(key, machine);
  }

  /** Whom `ip` reaches when `from` sends to it. */
  machineAt(from: Machine, ip: Uint8Array): Machine | undefined {
    return isLoopback(ip) ? from : this.#machines.get(formatIp(ip));
  }

  route(a: Machine, b: Machine): Route {
    const [low, high] = a.id < b.id ? [a, b] : [b, a];
    const key = low.id * 2 ** 24 + high.id;
    let route = this.#routes.get(key);
    if (route === undefined) {
      route = new Route(this.schedule, a === b ? LOOPBACK_LATENCY_MS : a.latencyMs + b.latencyMs);
      this.#routes.set(key, route);
    }
    return route;
  }

  /** Makes `name` stand for these addresses; none: it is unknown again. */
  register(name: string, ips: readonly Uint8Array[]): void {
    if (ips.length === 0) this.#names.delete(name.toLowerCase());
    else this.#names.set(name.toLowerCase(), ips);
  }

  lookUp(name: string): readonly Uint8Array[] | undefined {
    return this.#names.get(name.toLowerCase());
  }
}

const LOOPBACK_LATENCY_MS = 0.02;
