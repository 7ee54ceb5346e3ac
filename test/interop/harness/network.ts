// A network of its own for one test: a loopback device with addresses of 198.18.0.0/24 and nothing else. Nothing in it
// reaches beyond, and its ports are all free. (Transmission refuses peers in 127.0.0.0/8.)

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { until } from './until.ts';

const ADDRESSES = 40;
/** Below the ports that the system gives to outgoing connections. */
const FIRST_PORT = 10_000;
const PORTS = 20_000;

export interface Place {
  readonly ip: string;
  readonly port: number;
  /** `ip:port` */
  readonly text: string;
}

export class Network {
  /** Words before a command that runs in this network. */
  readonly entrance: readonly string[];
  readonly #holder: ChildProcess;
  #given = 0;

  /** Resolves when the device is up. The network ends with `close`, or with the test's process, whose pipe `cat` reads. */
  static async open(): Promise<Network> {
    const add = Array.from({ length: ADDRESSES }, (_, i) => `ip addr add 198.18.0.${i + 1}/32 dev lo`);
    const script = ['ip link set lo up', ...add, 'echo up', 'exec cat'].join(' && ');
    const holder = spawn('unshare', ['-n', 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
    let said = '';
    holder.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until('a network of its own', () => said.includes('up') || holder.exitCode !== null, 10_000);
    if (holder.exitCode !== null) throw new Error('the network namespace could not be made');
    return new Network(holder);
  }

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
    this.entrance = ['nsenter', `--net=/proc/${holder.pid}/ns/net`, '--'];
  }

  /** An address that no other program of this network was given, and a random port. */
  place(): Place {
    this.#given++;
    if (this.#given > ADDRESSES) throw new Error(`a network has ${ADDRESSES} addresses`);
    const ip = `198.18.0.${this.#given}`;
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    return { ip, port, text: `${ip}:${port}` };
  }

  /** Whether a program listens there. */
  listens(place: Place, protocol: 'tcp' | 'udp' = 'tcp'): boolean {
    const ip = place.ip.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
    const local = `${ip.reverse().join('')}:${place.port.toString(16).padStart(4, '0')}`.toUpperCase();
    const table = readFileSync(`/proc/${this.#holder.pid}/net/${protocol}`, 'utf8');
    return table.split('\n').some((line) => {
      const [, address, , state] = line.trim().split(/\s+/);
      return address === local && (protocol === 'udp' || state === '0A');
    });
  }

  async close(): Promise<void> {
    if (this.#holder.exitCode !== null) return;
    const ended = once(this.#holder, 'exit');
    this.#holder.stdin?.end();
    await ended;
  }
}

/** Whether this process may make networks: it takes root. */
export function canMakeNetworks(): boolean {
  return spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' }).status === 0;
}
