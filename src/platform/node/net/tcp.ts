// ByteStream over a TCP socket of Node.
//
// Connected sockets read into one buffer that the whole process shares: libuv asks for memory, reads and hands it over
// in one go, and a chunk is borrowed for the call only. Accepted sockets have no such option and get a buffer a chunk.

import net from 'node:net';
import { Address, formatIp } from '../../../base/address.ts';
import { assert } from '../../../base/assert.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { ByteStream, ConnectOptions, StreamSink } from '../../../ports/sockets.ts';
import { networkError } from '../system-errors.ts';
import { type Reading, ReadTurn } from './read-turn.ts';

/** Large reads save system calls; more than this no longer fits the second-level cache beside other data. */
const READ_BYTES = 256 * 1024;

/** Node only reports back-pressure above this; `bufferedBytes` is what our users go by. */
const HIGH_WATER_MARK = 4 * 1024 * 1024;

/**
 * The same of accepted sockets, which Node reads on from while they are paused, until so much of theirs waits: one byte, so that it
 * is one chunk (64 KiB at most). The memory of chunks of a byte each would be hundreds of times what waits.
 */
export const ACCEPTED_HIGH_WATER_MARK = 1;

let sharedBuffer: Uint8Array | undefined;
const turn = new ReadTurn();

/** On Windows reads of several sockets are under way at once, each needs memory of its own. */
function readBuffer(): Uint8Array {
  if (process.platform === 'win32') return new Uint8Array(READ_BYTES / 4);
  sharedBuffer ??= new Uint8Array(READ_BYTES);
  return sharedBuffer;
}

/** One `write` whose bytes are still lent to the system. */
interface Batch {
  readonly lengthBytes: number;
  readonly released: (() => void) | undefined;
}

export function connectTcp(clock: Clock, to: Address, options: ConnectOptions): ByteStream {
  let stream: TcpStream | undefined;
  const socket = net.connect({
    host: to.host,
    port: to.port,
    ...(options.from && { localAddress: formatIp(options.from) }),
    noDelay: true,
    allowHalfOpen: true,
    highWaterMark: HIGH_WATER_MARK,
    onread: {
      buffer: readBuffer(),
      callback: (length, buffer) => {
        stream!.onRead(buffer, length);
        return true;
      },
    },
  } as net.NetConnectOpts);
  stream = new TcpStream(clock, socket, to, false);
  return stream;
}

/** Null where the remote has gone already. */
export function acceptedTcp(clock: Clock, socket: net.Socket): ByteStream | null {
  const remote = addressOf(socket.remoteAddress, socket.remotePort);
  if (remote === null) {
    socket.on('error', () => undefined);
    socket.destroy();
    return null;
  }
  return new TcpStream(clock, socket, remote, true);
}

/** The address that Node tells as text, without the zone of a link-local one. */
export function addressOf(host: string | undefined, port: number | undefined): Address | null {
  if (host === undefined || port === undefined) return null;
  const zone = host.indexOf('%');
  return Address.from(zone < 0 ? host : host.slice(0, zone), port);
}

class TcpStream implements ByteStream, Reading {
  readonly remote: Address;
  readonly #clock: Clock;
  readonly #socket: net.Socket;
  #local: Address | null = null;
  #sink: StreamSink | null = null;
  #isOpen: boolean;
  #ended = false;
  #destroyed = false;
  #error: Error | null = null;
  #bufferedBytes = 0;
  #batches: Batch[] = [];
  /** Batches before this one are released; the array is cut when it is through. */
  #firstBatch = 0;
  #writableTold = false;
  /** By who uses the stream. */
  #paused = false;
  /** Until the next turn. */
  #waiting = false;

  constructor(clock: Clock, socket: net.Socket, remote: Address, accepted: boolean) {
    this.#clock = clock;
    this.#socket = socket;
    this.remote = remote;
    this.#isOpen = accepted;
    socket.on('error', (error) => {
      if (!this.#destroyed) this.#error ??= error;
    });
    socket.on('close', this.#onClose);
    socket.on('end', this.#onEnd);
    if (accepted) socket.on('data', (chunk: Uint8Array) => this.onRead(chunk, chunk.length));
    else socket.on('connect', this.#onConnect);
  }

  get local(): Address | null {
    if (this.#isOpen) this.#local ??= addressOf(this.#socket.localAddress, this.#socket.localPort);
    return this.#local;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  attach(sink: StreamSink): void {
    assert(this.#sink === null, 'a stream has one sink');
    this.#sink = sink;
  }

  write(parts: readonly Uint8Array[], released?: () => void): void {
    if (this.#ended || this.#destroyed) {
      if (released) process.nextTick(released);
      return;
    }
    let lengthBytes = 0;
    for (const part of parts) lengthBytes += part.length;
    this.#bufferedBytes += lengthBytes;
    this.#batches.push({ lengthBytes, released });
    const socket = this.#socket;
    const last = parts.length - 1;
    if (last < 0) {
      socket.write('', this.#onWritten);
      return;
    }
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write(parts[i]!);
    socket.write(parts[last]!, this.#onWritten);
    if (last > 0) socket.uncork();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#waiting) this.#socket.resume();
  }

  goOn(): void {
    this.#waiting = false;
    if (!this.#paused && !this.#destroyed) this.#socket.resume();
  }

  end(): void {
    if (this.#ended || this.#destroyed) return;
    this.#ended = true;
    this.#socket.end();
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#socket.destroy();
  }

  /** A view of plain bytes: `slice` of a Buffer would share the memory that is read into next. */
  onRead(buffer: Uint8Array, length: number): void {
    if (this.#destroyed) return;
    assert(this.#sink, 'a sink is attached in the turn in which the stream was obtained');
    this.#sink.onChunk(new Uint8Array(buffer.buffer, buffer.byteOffset, length));
    if (this.#waiting || this.#destroyed || !turn.isOver(this, length, this.#clock)) return;
    this.#waiting = true;
    this.#socket.pause();
  }

  readonly #onConnect = (): void => {
    if (this.#destroyed) return;
    this.#isOpen = true;
    this.#sink?.onOpen?.();
  };

  readonly #onEnd = (): void => {
    if (this.#destroyed) return;
    if (this.#sink?.onEnd) this.#sink.onEnd();
    else this.end();
  };

  /** Called once a batch, in order: one function serves all writes. */
  readonly #onWritten = (): void => {
    if (this.#firstBatch === this.#batches.length) return;
    this.#releaseFirst();
    if (this.#destroyed || this.#writableTold || !this.#sink?.onWritable) return;
    this.#writableTold = true;
    this.#clock.defer(this.#tellWritable);
  };

  readonly #tellWritable = (): void => {
    this.#writableTold = false;
    if (!this.#destroyed) this.#sink?.onWritable?.();
  };

  readonly #onClose = (): void => {
    const wasOpen = this.#isOpen;
    const local = this.local;
    this.#local = local;
    this.#destroyed = true;
    while (this.#firstBatch < this.#batches.length) this.#releaseFirst();
    const error = this.#error;
    const what = wasOpen ? `go on with ${this.remote.key}` : `connect to ${this.remote.key}`;
    this.#sink?.onClose(error && networkError('CONNECT_FAILED', error, what));
  };

  #releaseFirst(): void {
    const batch = this.#batches[this.#firstBatch++]!;
    if (this.#firstBatch === this.#batches.length) {
      this.#batches.length = 0;
      this.#firstBatch = 0;
    }
    this.#bufferedBytes -= batch.lengthBytes;
    batch.released?.();
  }
}
