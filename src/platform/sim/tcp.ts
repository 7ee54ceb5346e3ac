// A simulated TCP stream: two ends on two machines, each a sender and a receiver.
//
//   write -> sender -> uplink =latency=> downlink of the other host -> receiver -> onChunk
//              ^------------------- window update <=latency= ----------------'
//
// connecting --SYN-ACK--> open --both directions ended, destroy, reset--> closed

import type { Address } from '../../base/address.ts';
import { assert } from '../../base/assert.ts';
import { ShoalError } from '../../base/errors.ts';
import type { ByteStream, StreamSink } from '../../ports/sockets.ts';
import type { Route } from './link.ts';
import type { Machine, Network, StreamEnd } from './network.ts';
import type { SimProgram } from './program.ts';
import { type ReceiverSide, TcpReceiver } from './tcp-receiver.ts';
import { type Packet, type SenderSide, TcpSender } from './tcp-sender.ts';

/** How long the rest of a chunk that chance has split is late: another turn, nearly the same time. */
const SPLIT_DELAY_MS = 0.05;

export class SimStream implements ByteStream, SenderSide, ReceiverSide, StreamEnd {
  readonly remote: Address;
  readonly program: SimProgram;
  readonly #machine: Machine;
  readonly #route: Route;
  readonly #isLoopback: boolean;
  readonly #sender: TcpSender;
  readonly #receiver: TcpReceiver;
  #local: Address | null = null;
  #sink: StreamSink | null = null;
  #other: SimStream | null = null;
  #isOpen = false;
  /** No call but onClose comes any more. */
  #isClosed = false;
  #hasEnded = false;
  #lastArrivalMs = 0;
  #lostSomething = false;

  constructor(network: Network, program: SimProgram, machine: Machine, far: Machine, remote: Address) {
    this.program = program;
    this.remote = remote;
    this.#machine = machine;
    this.#route = network.route(machine, far);
    this.#isLoopback = machine === far;
    this.#sender = new TcpSender(this, network.windowBytes);
    this.#receiver = new TcpReceiver(this, network.windowBytes, network.splits ? network.random : null);
    machine.streams.add(this);
    program.opened(this, 'stream');
  }

  get local(): Address | null {
    return this.#local;
  }

  get bufferedBytes(): number {
    return this.#sender.bufferedBytes;
  }

  attach(sink: StreamSink): void {
    assert(this.#sink === null, 'a stream has one sink');
    this.#sink = sink;
  }

  write(parts: readonly Uint8Array[], released?: () => void): void {
    if (!this.program.canAct()) return;
    if (this.#isClosed || this.#sender.isEnded) {
      if (released) this.program.later(0, 'sent', released);
    } else this.#sender.add(parts, released);
  }

  pause(): void {
    this.#receiver.isPaused = true;
  }

  resume(): void {
    if (this.program.canAct()) this.#receiver.resume();
  }

  end(): void {
    if (!this.program.canAct() || this.#isClosed || this.#sender.isEnded) return;
    this.#sender.end('fin');
  }

  /** As a kernel does: the remote sees an end, or a reset where bytes were left unread or come later. */
  destroy(): void {
    if (!this.program.canAct() || this.#isClosed) return;
    this.#isClosed = true;
    const releases = this.#sender.drop();
    if (this.#receiver.hasUnread && this.#sender.isDone) this.refuse();
    else if (this.#receiver.hasUnread) this.#sender.end('reset');
    else if (!this.#sender.isEnded) this.#sender.end('fin');
    this.program.later(0, 'close', () => this.#close(null, releases));
  }

  // What happens to it, called by the network.

  /** The two ends know each other; `local` is this one's address. */
  join(other: SimStream, local: Address): void {
    this.#other = other;
    this.#local = local;
  }

  /** The connection is up. Accepted streams are open before the program sees them. */
  open(isAccepted: boolean): void {
    if (this.isGone()) {
      // Given up while the answer was on its way.
      this.refuse();
      return;
    }
    this.#isOpen = true;
    this.#sender.connected();
    if (isAccepted) return;
    this.program.note('open');
    assert(this.#sink, ATTACH_RULE);
    this.#sink.onOpen?.();
  }

  fail(reason: string): void {
    if (this.isGone()) return;
    const what = this.#isOpen ? `go on with ${this.remote.key}` : `connect to ${this.remote.key}`;
    this.#isClosed = true;
    const releases = this.#sender.drop();
    this.#sender.stop();
    this.program.note('close');
    this.#close(new ShoalError('CONNECT_FAILED', `cannot ${what}: ${reason}`), releases);
  }

  vanish(tell: boolean): void {
    this.#isClosed = true;
    this.#sender.stop();
    this.#machine.streams.delete(this);
    if (tell) this.refuse();
  }

  refuseLate(): void {
    if (this.#other?.hasLostSomething) this.refuse();
  }

  get hasLostSomething(): boolean {
    return this.#lostSomething;
  }

  // What the sender asks for.

  wake(): void {
    (this.#isLoopback ? this.#machine.loopback : this.#machine.up).wake(this.#sender);
  }

  depart(packet: Packet): void {
    const other = this.#other;
    if (other !== null) {
      this.#lastArrivalMs = this.#route.carry(this.#lastArrivalMs, () => {
        if (!other.#machine.isUp) this.#lostSomething = true;
        else other.#arrive(packet);
      });
    }
    if (packet === 'fin') this.#closeWhenDone();
  }

  told(releases: readonly (() => void)[]): void {
    if (!this.program.isAlive || (releases.length === 0 && !this.#sink?.onWritable)) return;
    this.program.note('sent');
    for (const released of releases) released();
    if (!this.#isClosed) this.#sink?.onWritable?.();
  }

  // What the receiver asks for.

  isGone(): boolean {
    return this.#isClosed || !this.program.isAlive;
  }

  chunk(chunk: Uint8Array): boolean {
    this.program.noteBytes('chunk', chunk);
    assert(this.#sink, ATTACH_RULE);
    this.#sink.onChunk(chunk);
    return !this.#isClosed;
  }

  ended(): void {
    this.#hasEnded = true;
    this.program.note('end');
    assert(this.#sink, ATTACH_RULE);
    if (this.#sink.onEnd) this.#sink.onEnd();
    else this.end();
    this.#closeWhenDone();
  }

  reset(): void {
    this.fail('the remote broke the connection off');
  }

  acknowledge(bytes: number): void {
    const other = this.#other;
    if (other) this.#route.carry(0, () => other.#sender.acknowledged(bytes));
  }

  readLater(): void {
    this.program.schedule.at(this.program.schedule.nowMs + SPLIT_DELAY_MS, this.program, () => {
      if (!this.#isClosed) this.#receiver.read();
    });
  }

  refuse(): void {
    const other = this.#other;
    if (other) this.#lastArrivalMs = this.#route.carry(this.#lastArrivalMs, () => other.#arrive('reset'));
  }

  #arrive(packet: Packet): void {
    this.#receiver.arrive(packet);
    (this.#isLoopback ? this.#machine.loopback : this.#machine.down).enter(this.#receiver);
  }

  #closeWhenDone(): void {
    if (!this.#hasEnded || !this.#sender.isDone || this.#isClosed) return;
    this.#isClosed = true;
    this.program.later(0, 'close', () => this.#close(null, []));
  }

  #close(error: ShoalError | null, releases: readonly (() => void)[]): void {
    this.#machine.streams.delete(this);
    this.program.closed(this);
    for (const released of releases) released();
    this.#sink?.onClose(error);
  }
}

const ATTACH_RULE = 'a sink is attached in the turn in which the stream was obtained';
