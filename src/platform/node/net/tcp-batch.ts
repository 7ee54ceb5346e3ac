// A TCP port for many short connections, by the optional native module (native/tcp_batch.c, which knows the same layout):
// JavaScript is called once for up to 64 things that happened. Where the module was not built, Node's net serves.

import { Address } from '../../../base/address.ts';
import { readU16 } from '../../../base/bytes.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { ByteStream, StreamListener } from '../../../ports/sockets.ts';
import { loadNative } from '../native.ts';
import { BatchedStream, type StreamOwner } from './tcp-batch-stream.ts';

const VERSION = 1;
const BATCH = 64;
const CHUNK_BYTES = 16384;
const HEAD_WORDS = 8;
const [KIND, CONNECTION, LENGTH, FAMILY_AND_PORT, IP] = [0, 1, 2, 3, 4];
const HEADS_BYTES: number = BATCH * HEAD_WORDS * 4;
const [ACCEPTED, CHUNK, END, FAILED] = [0, 1, 2, 3];
const NO_CONNECTION = -1;

/** A server in the module. */
type Handle = object;

export interface TcpBatchModule {
  readonly version: number;
  /** Takes over a descriptor that listens; null where that cannot be. */
  open(descriptor: number, memory: ArrayBuffer, onBatch: (count: number) => void): Handle | null;
  /** Bytes taken, or the system's error number, negated. */
  write(server: Handle, connection: number, bytes: Uint8Array): number;
  watch(server: Handle, connection: number, isReading: boolean, isWriting: boolean): void;
  end(server: Handle, connection: number): void;
  close(server: Handle, connection: number): void;
  /** Writes IP and, from byte 16 on, port; returns the length of the IP. -1: of the listener. */
  local(server: Handle, connection: number, into: Uint8Array): number;
  stop(server: Handle): void;
}

export function loadTcpBatch(): TcpBatchModule | null {
  return loadNative<TcpBatchModule>('tcp_batch', VERSION);
}

/** Serves a descriptor that listens; it is the server's from now on. Null where that cannot be. */
export function acceptBatches(
  native: TcpBatchModule,
  clock: Clock,
  descriptor: number,
  accept: (stream: ByteStream) => void,
): StreamListener | null {
  const server = new BatchedServer(native, clock, accept);
  return server.open(descriptor) ? server : null;
}

class BatchedServer implements StreamListener, StreamOwner {
  readonly clock: Clock;
  readonly #native: TcpBatchModule;
  readonly #accept: (stream: ByteStream) => void;
  readonly #memory = new ArrayBuffer(HEADS_BYTES + BATCH * CHUNK_BYTES);
  readonly #heads = new Uint32Array(this.#memory, 0, BATCH * HEAD_WORDS);
  readonly #own = new Uint8Array(18);
  /** By the number of the connection. */
  readonly #streams: (BatchedStream | null)[] = [];
  #openCount = 0;
  /** Null: it and all its connections are closed, and the module has forgotten it. */
  #handle: Handle | null = null;
  #address: Address | null = null;
  #isStopped = false;
  /** Of some connections it is told at the end of a batch in which it may have been stopped. */
  #isInBatch = false;

  constructor(native: TcpBatchModule, clock: Clock, accept: (stream: ByteStream) => void) {
    this.#native = native;
    this.clock = clock;
    this.#accept = accept;
  }

  open(descriptor: number): boolean {
    this.#handle = this.#native.open(descriptor, this.#memory, this.#onBatch);
    this.#address = this.local(NO_CONNECTION);
    return this.#handle !== null;
  }

  get address(): Address {
    return this.#address!;
  }

  /** The port is free at once. */
  async close(): Promise<void> {
    if (this.#isStopped || this.#handle === null) return;
    this.#isStopped = true;
    this.#native.stop(this.#handle);
    this.#forgetIfOver();
  }

  // ---- for its streams, which call only while they are open

  write(connection: number, bytes: Uint8Array): number {
    return this.#native.write(this.#handle!, connection, bytes);
  }

  watch(connection: number, isReading: boolean, isWriting: boolean): void {
    this.#native.watch(this.#handle!, connection, isReading, isWriting);
  }

  end(connection: number): void {
    this.#native.end(this.#handle!, connection);
  }

  drop(connection: number): void {
    this.#native.close(this.#handle!, connection);
    this.#streams[connection] = null;
    this.#openCount--;
    this.#forgetIfOver();
  }

  local(connection: number): Address | null {
    if (this.#handle === null) return null;
    const length = this.#native.local(this.#handle, connection, this.#own);
    return length === 0 ? null : new Address(this.#own.slice(0, length), readU16(this.#own, 16));
  }

  #forgetIfOver(): void {
    if (this.#isStopped && this.#openCount === 0 && !this.#isInBatch) this.#handle = null;
  }

  readonly #onBatch = (count: number): void => {
    this.#isInBatch = true;
    for (let i = 0; i < count; i++) this.#take(i);
    this.#isInBatch = false;
    this.#forgetIfOver();
  };

  #take(i: number): void {
    const at = i * HEAD_WORDS;
    const kind = this.#heads[at + KIND]!;
    const connection = this.#heads[at + CONNECTION]!;
    if (kind === ACCEPTED) {
      this.#begin(connection, at);
      return;
    }
    // Closed by what came before it in this batch.
    const stream = this.#streams[connection] ?? null;
    if (stream === null) return;
    const length = this.#heads[at + LENGTH]!;
    if (kind === CHUNK) stream.onChunk(new Uint8Array(this.#memory, HEADS_BYTES + i * CHUNK_BYTES, length));
    else if (kind === END) stream.onEnd();
    else if (kind === FAILED) stream.onFailed(length);
    else stream.onRoom();
  }

  #begin(connection: number, at: number): void {
    const word = this.#heads[at + FAMILY_AND_PORT]!;
    const ip = new Uint8Array(this.#memory, (at + IP) * 4, word >>> 16 === 4 ? 4 : 16).slice();
    const stream = new BatchedStream(this, connection, new Address(ip, word & 0xffff));
    this.#streams[connection] = stream;
    this.#openCount++;
    // One that came while we closed.
    if (this.#isStopped) stream.destroy();
    else this.#accept(stream);
  }
}
