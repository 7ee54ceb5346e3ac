// A network of its own for one test: a loopback device with addresses of 198.18.0.0/24, or with one of 2001:db8::/32, and
// nothing else. Nothing in it reaches beyond, and its ports are all free. (Transmission refuses peers in 127.0.0.0/8.)

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { until } from './until.ts';

const ADDRESSES = 40;
/** Below the ports that the system gives to outgoing connections. */
const FIRST_PORT = 10_000;
const PORTS = 20_000;

const LOCALHOST = '127.0.0.1';
/** All programs have it: who announces from a machine with several is known by the one that the kernel likes best. */
const IPV6 = '2001:db8::1';

export type Family = 'IPv4' | 'IPv6';

export interface Place {
  readonly family: Family;
  readonly ip: string;
  readonly port: number;
  /** `ip:port`, `[ip]:port` */
  readonly text: string;
}

export class Network {
  /** Words before a command that runs in this network. */
  readonly entrance: readonly string[];
  readonly #holder: ChildProcess;
  readonly #family: Family;
  #given = 0;

  /** Resolves when the device is up. The network ends with `close`, or with the test's process, whose pipe `cat` reads. */
  static async open(family: Family = 'IPv4'): Promise<Network> {
    const add =
      family === 'IPv4'
        ? Array.from({ length: ADDRESSES }, (_, i) => addIpv4(i + 1))
        : // Transmission uses IPv6 where there is a way out, which here leads back, and is told what to do over IPv4.
          [addIpv4(1), `ip -6 addr add ${IPV6}/128 dev lo nodad`, `ip -6 route add 2000::/3 dev lo src ${IPV6}`];
    const script = ['ip link set lo up', ...add, 'echo up', 'exec cat'].join(' && ');
    const holder = spawn('unshare', ['-n', 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
    let said = '';
    holder.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until('a network of its own', () => said.includes('up') || holder.exitCode !== null, 10_000);
    if (holder.exitCode !== null) throw new Error('the network namespace could not be made');
    return new Network(holder, family);
  }

  private constructor(holder: ChildProcess, family: Family) {
    this.#holder = holder;
    this.#family = family;
    this.entrance = ['nsenter', `--net=/proc/${holder.pid}/ns/net`, '--'];
  }

  /** A random port; of IPv4 with an address that no other program of this network was given. */
  place(): Place {
    this.#given++;
    if (this.#given > ADDRESSES) throw new Error(`a network has ${ADDRESSES} addresses`);
    const family = this.#family;
    // Those of one address are kept apart.
    const port = FIRST_PORT + Math.floor(Math.random() * (PORTS / ADDRESSES)) * ADDRESSES + this.#given - 1;
    if (family === 'IPv6') return { family, ip: IPV6, port, text: `[${IPV6}]:${port}` };
    const ip = `198.18.0.${this.#given}`;
    return { family, ip, port, text: `${ip}:${port}` };
  }

  /** A place of the loopback device's own address, for what only this machine asks. */
  localPlace(): Place {
    const { port } = this.place();
    return { family: 'IPv4', ip: LOCALHOST, port, text: `${LOCALHOST}:${port}` };
  }

  /** Whether a program listens there. */
  listens(place: Place, protocol: 'tcp' | 'udp' = 'tcp'): boolean {
    const port = place.port.toString(16).padStart(4, '0').toUpperCase();
    const local = `${place.family === 'IPv6' ? KERNEL_IPV6 : kernelIpv4(place.ip)}:${port}`;
    const file = `${protocol}${place.family === 'IPv6' ? '6' : ''}`;
    const table = readFileSync(`/proc/${this.#holder.pid}/net/${file}`, 'utf8');
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

function addIpv4(n: number): string {
  return `ip addr add 198.18.0.${n}/32 dev lo`;
}

/** As the tables of the kernel have them: words of 32 bits, the bytes of each in reverse. */
const KERNEL_IPV6 = 'B80D0120000000000000000001000000';

function kernelIpv4(ip: string): string {
  const bytes = ip.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return bytes.reverse().join('').toUpperCase();
}

/** Whether this process may make networks: it takes root. */
export function canMakeNetworks(): boolean {
  return spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' }).status === 0;
}
