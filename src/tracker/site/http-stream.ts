// A stream of ours as Node's HTTP server wants it.

import { Duplex } from 'node:stream';
import type { ByteStream, StreamSink } from '../../ports/sockets.ts';

export class HttpStream extends Duplex implements StreamSink {
  /** Node's server shows it to handlers. */
  readonly remoteAddress: string;
  readonly #stream: ByteStream;

  /** Attaches itself, in the turn in which the stream was obtained. `bytes` were read before (owned). */
  constructor(stream: ByteStream, bytes: Uint8Array) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    this.remoteAddress = stream.remote.host;
    stream.attach(this);
    if (bytes.length > 0) this.push(bytes);
  }

  onChunk(chunk: Uint8Array): void {
    // The chunk is lent for the call.
    if (!this.push(chunk.slice())) this.#stream.pause();
  }

  onEnd(): void {
    this.push(null);
  }

  onClose(error: Error | null): void {
    // A client that goes away is no fault; nobody listens for errors either.
    void error;
    this.destroy();
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#stream.write([chunk], done);
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: () => void): void {
    this.#stream.write(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: () => void): void {
    this.#stream.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stream.destroy();
    done(error);
  }

  /** Node's HTTP server sets limits on sockets; ours keep their own. */
  setTimeout(): this {
    return this;
  }
}
