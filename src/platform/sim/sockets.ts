// The Sockets port of a simulated host: listening, connecting, datagrams, names.

import { Address, isUnspecified, type LocalNetwork, parseIp } from '../../base/address.ts';
import { ShoalError } from '../../base/errors.ts';
import {
  type AnswerDatagram,
  type ByteStream,
  type ConnectOptions,
  type ListenOptions,
  MAX_ANSWERED_BYTES,
  type Sockets,
  type StreamListener,
  type UdpService,
  type UdpSocket,
} from '../../ports/sockets.ts';
import { leavePort, type Machine, type Network, portFor, type TcpPort, takePort, type UdpPort } from './network.ts';
import type { SimProgram } from './program.ts';
import { SimStream } from './tcp.ts';
import { SimUdpSocket } from './udp.ts';

/** How long a system tries to connect where nobody answers (Linux: six tries). */
const CONNECT_TIMEOUT_MS = 127_000;

/** A name server that is not far away. */
const RESOLVE_MS = 20;

/** `10.0.0.0/8`: all that hosts get by default. */
const NETWORK_PREFIX = 8;

const LOCALHOST: Uint8Array = Uint8Array.of(127, 0, 0, 1);

export class SimSockets implements Sockets {
  readonly #network: Network;
  readonly #machine: Machine;
  readonly #program: SimProgram;

  constructor(network: Network, machine: Machine, program: SimProgram) {
    this.#network = network;
    this.#machine = machine;
    this.#program = program;
  }

  listen(options: ListenOptions, accept: (stream: ByteStream) => void): Promise<StreamListener> {
    return this.#program.answer(0, 'opening listener', () => {
      const program = this.#program;
      const { ip, port } = this.#bindable(options);
      const entry: TcpPort = { ip, program, accept };
      if (!takePort(this.#machine.tcpPorts, port, entry)) throw portTaken(port);
      const listener: StreamListener = {
        address: new Address(ip ?? new Uint8Array(4), port),
        close: () => {
          if (program.canAct()) {
            leavePort(this.#machine.tcpPorts, port, entry);
            program.closed(listener);
          }
          return program.answer(0, 'closing listener', () => undefined);
        },
      };
      program.opened(listener, 'listener');
      return listener;
    });
  }

  connect(to: Address, options: ConnectOptions = {}): ByteStream {
    if (!this.#program.canAct()) return deadStream(to);
    const network = this.#network;
    const machine = this.#machine;
    const far = network.machineAt(machine, to.ip);
    const stream = new SimStream(network, this.#program, machine, far ?? machine, to);
    const fail = (afterMs: number, reason: string) =>
      network.schedule.at(network.schedule.nowMs + afterMs, this.#program, () => stream.fail(reason));
    if (options.from && !machine.owns(options.from)) {
      fail(0, 'this machine does not have that address');
      return stream;
    }
    const giveUp = fail(CONNECT_TIMEOUT_MS, 'no answer in time');
    if (far === undefined) return stream;
    const route = network.route(machine, far);
    const ownIp = far === machine ? to.ip : machine.ip;
    const own = new Address(ownIp, machine.freePort());
    route.carry(0, () => {
      if (!far.isUp) return;
      const isAccepted = accepted(network, far, stream, to, own, machine);
      route.carry(0, () => {
        network.schedule.cancel(giveUp);
        if (isAccepted) stream.open(false);
        else stream.fail('connection refused');
      });
    });
    return stream;
  }

  bindUdp(options: ListenOptions, onMessage: (message: Uint8Array, from: Address) => void): Promise<UdpSocket> {
    return this.#program.answer(0, 'opening UDP socket', () => {
      const { ip, port } = this.#bindable(options);
      if (portsTaken(this.#machine.udpPorts, ip, port)) throw portTaken(port);
      const socket = new SimUdpSocket(this.#network, this.#machine, this.#program, { ip, port }, onMessage);
      takePort<UdpPort>(this.#machine.udpPorts, port, socket);
      return socket;
    });
  }

  async serveUdp(options: ListenOptions, answer: AnswerDatagram): Promise<UdpService> {
    const reply = new Uint8Array(MAX_ANSWERED_BYTES);
    const numbers = new DataView(reply.buffer);
    const socket = await this.bindUdp(options, (packet, from) => {
      if (packet.length > MAX_ANSWERED_BYTES || from.port === 0) return;
      const length = answer(packet, from.ip, from.port, reply, numbers);
      if (length > 0) socket.send(reply.subarray(0, length), from);
    });
    return {
      address: socket.address,
      askedAt: new Uint8Array(16),
      send: (bytes, ip, port) => socket.send(bytes, new Address(ip, port)),
      close: () => socket.close(),
    };
  }

  resolve(host: string, options: { signal?: AbortSignal } = {}): Promise<readonly Uint8Array[]> {
    const signal = options.signal;
    const literal = parseIp(host);
    const found = this.#program.answer(literal ? 0 : RESOLVE_MS, 'name look-up', () => {
      const ips = literal ? [literal] : host.toLowerCase() === 'localhost' ? [LOCALHOST] : this.#network.lookUp(host);
      if (!ips) throw new ShoalError('HOST_NOT_FOUND', `cannot find the host "${host}": no such host name`);
      return [...ips].sort((a, b) => a.length - b.length);
    });
    return signal ? abortable(found, signal) : found;
  }

  networks(): readonly LocalNetwork[] {
    return [{ ip: this.#machine.ip, prefix: NETWORK_PREFIX }];
  }

  #bindable(options: ListenOptions): { ip: Uint8Array | null; port: number } {
    const ip = options.ip === null || isUnspecified(options.ip) ? null : options.ip;
    if (ip !== null && !this.#machine.owns(ip)) {
      throw new ShoalError(
        'LISTEN_FAILED',
        `cannot listen on ${ip.join('.')}: this machine does not have that address`,
      );
    }
    return { ip, port: options.port === 0 ? this.#machine.freePort() : options.port };
  }
}

/** What a connection request does where it arrives: a new stream there, or false where nobody listens. */
function accepted(
  network: Network,
  far: Machine,
  stream: SimStream,
  to: Address,
  own: Address,
  near: Machine,
): boolean {
  const port = portFor(far.tcpPorts, to.ip, to.port);
  if (port === undefined || !port.program.isAlive) return false;
  const other = new SimStream(network, port.program, far, near, own);
  other.join(stream, to);
  stream.join(other, own);
  other.open(true);
  port.program.note('accept');
  port.accept(other);
  return true;
}

function portsTaken(ports: Map<number, UdpPort[]>, ip: Uint8Array | null, port: number): boolean {
  const there = ports.get(port) ?? [];
  return ip === null ? there.length > 0 : portFor(ports, ip, port) !== undefined;
}

function portTaken(port: number): ShoalError {
  return new ShoalError('LISTEN_FAILED', `cannot listen on port ${port}: it is in use by another program`);
}

/** Rejects with the reason of the signal as soon as it aborts. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      work.catch(() => undefined);
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    const settled = (): void => signal.removeEventListener('abort', onAbort);
    work.then(
      (value) => {
        settled();
        resolve(value);
      },
      (error: unknown) => {
        settled();
        reject(error as Error);
      },
    );
  });
}

/** What a program that has crashed gets: nothing ever comes of it. */
function deadStream(remote: Address): ByteStream {
  const nothing = (): void => undefined;
  return {
    remote,
    local: null,
    bufferedBytes: 0,
    attach: nothing,
    write: nothing,
    pause: nothing,
    resume: nothing,
    end: nothing,
    destroy: nothing,
  };
}
