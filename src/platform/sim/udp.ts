// Simulated UDP: datagrams that may be lost, doubled or late, and a queue that drops what does not fit.

import { Address } from '../../base/address.ts';
import type { UdpSocket } from '../../ports/sockets.ts';
import type { Flow, Pipe, Route } from './link.ts';
import { leavePort, type Machine, type Network, portFor, type UdpPort } from './network.ts';
import type { SimProgram } from './program.ts';

/** Largest payload of a UDP datagram over IPv4. */
const MAX_DATAGRAM_BYTES = 65507;

/** What a socket's queue holds towards a slow line, as a system's socket buffers do; the rest is lost. */
const QUEUE_BYTES = 256 * 1024;

const POISON = 0xdd;

interface Datagram {
  readonly bytes: Uint8Array;
  readonly ip: Uint8Array;
  readonly port: number;
}

/** Datagrams that wait for their turn at a pipe. */
class DatagramQueue implements Flow {
  isQueued = false;
  readonly #pipe: Pipe;
  readonly #through: (datagram: Datagram) => void;
  #waiting: Datagram[] = [];
  #head = 0;
  #bytes = 0;

  constructor(pipe: Pipe, through: (datagram: Datagram) => void) {
    this.#pipe = pipe;
    this.#through = through;
  }

  /** `isFromNet`: it may go through at once. */
  push(datagram: Datagram, isFromNet: boolean): void {
    if (this.#bytes + datagram.bytes.length > QUEUE_BYTES) return;
    this.#bytes += datagram.bytes.length;
    this.#waiting.push(datagram);
    if (isFromNet) this.#pipe.enter(this);
    else this.#pipe.wake(this);
  }

  begin(): number {
    return this.#waiting[this.#head]?.bytes.length ?? -1;
  }

  finish(): void {
    const datagram = this.#waiting[this.#head++]!;
    this.#bytes -= datagram.bytes.length;
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    }
    this.#through(datagram);
  }
}

export class SimUdpSocket implements UdpSocket, UdpPort {
  readonly address: Address;
  readonly ip: Uint8Array | null;
  readonly program: SimProgram;
  readonly #network: Network;
  readonly #machine: Machine;
  readonly #onMessage: (message: Uint8Array, from: Address) => void;
  readonly #out: DatagramQueue;
  readonly #loop: DatagramQueue;
  readonly #in: DatagramQueue;
  #isClosed = false;

  constructor(
    network: Network,
    machine: Machine,
    program: SimProgram,
    bound: { ip: Uint8Array | null; port: number },
    onMessage: (message: Uint8Array, from: Address) => void,
  ) {
    this.#network = network;
    this.#machine = machine;
    this.program = program;
    this.ip = bound.ip;
    this.address = new Address(bound.ip ?? new Uint8Array(4), bound.port);
    this.#onMessage = onMessage;
    this.#out = new DatagramQueue(machine.up, (datagram) => this.#depart(datagram));
    this.#loop = new DatagramQueue(machine.loopback, (datagram) => this.#depart(datagram));
    this.#in = new DatagramQueue(machine.down, (datagram) => this.#deliver(datagram));
    program.opened(this, 'UDP socket');
  }

  send(bytes: Uint8Array, to: Address): void {
    if (!this.program.canAct() || this.#isClosed || bytes.length > MAX_DATAGRAM_BYTES) return;
    const queue = this.#network.machineAt(this.#machine, to.ip) === this.#machine ? this.#loop : this.#out;
    queue.push({ bytes: bytes.slice(), ip: to.ip, port: to.port }, false);
  }

  close(): Promise<void> {
    if (!this.#isClosed && this.program.canAct()) {
      this.#isClosed = true;
      leavePort<UdpPort>(this.#machine.udpPorts, this.address.port, this);
      this.program.closed(this);
    }
    return this.program.answer(0, 'closing UDP socket', () => undefined);
  }

  arrive(message: Uint8Array, from: Address, isLocal: boolean): void {
    const datagram = { bytes: message, ip: from.ip, port: from.port };
    if (isLocal) this.#deliver(datagram);
    else this.#in.push(datagram, true);
  }

  #depart(datagram: Datagram): void {
    const network = this.#network;
    const far = network.machineAt(this.#machine, datagram.ip);
    if (far === undefined || !this.#machine.isUp) return;
    const route = network.route(this.#machine, far);
    if (route.isCut || network.random.chance(route.lossRate)) return;
    this.#carry(route, far, datagram);
    if (network.random.chance(route.duplicateRate)) this.#carry(route, far, datagram);
  }

  #carry(route: Route, far: Machine, datagram: Datagram): void {
    const network = this.#network;
    const late = network.random.chance(route.reorderRate) ? (route.latencyMs * network.random.below(1000)) / 1000 : 0;
    const isLocal = far === this.#machine;
    const from = new Address(isLocal ? datagram.ip : (this.ip ?? this.#machine.ip), this.address.port);
    network.schedule.at(network.schedule.nowMs + route.latencyMs + late, null, () => {
      if (!far.isUp || route.isCut) return;
      portFor(far.udpPorts, datagram.ip, datagram.port)?.arrive(datagram.bytes.slice(), from, isLocal);
    });
  }

  #deliver(datagram: Datagram): void {
    if (this.#isClosed || !this.program.isAlive) return;
    this.program.noteBytes('datagram', datagram.bytes);
    this.#onMessage(datagram.bytes, new Address(datagram.ip, datagram.port));
    datagram.bytes.fill(POISON);
  }
}
