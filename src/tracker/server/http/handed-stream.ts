// A connection that was handed over: the same stream, with a sink of its own.

import type { Address } from '../../../base/address.ts';
import { assert } from '../../../base/assert.ts';
import type { ByteStream, StreamSink } from '../../../ports/sockets.ts';

export class HandedStream implements ByteStream {
  readonly #stream: ByteStream;
  #sink: StreamSink | null = null;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  get sink(): StreamSink {
    assert(this.#sink, 'who takes a connection over attaches a sink in its turn');
    return this.#sink;
  }

  get remote(): Address {
    return this.#stream.remote;
  }

  get local(): Address | null {
    return this.#stream.local;
  }

  get bufferedBytes(): number {
    return this.#stream.bufferedBytes;
  }

  attach(sink: StreamSink): void {
    assert(this.#sink === null, 'a stream has one sink');
    this.#sink = sink;
  }

  write(parts: readonly Uint8Array[], released?: () => void): void {
    this.#stream.write(parts, released);
  }

  writeNow(bytes: Uint8Array): number {
    return this.#stream.writeNow?.(bytes) ?? 0;
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  end(): void {
    this.#stream.end();
  }

  destroy(): void {
    this.#stream.destroy();
  }
}
