// A sink that writes down all it is told, with promises for the things that tests wait for.

import type { Address } from '../../src/base/address.ts';
import { concatBytes, fromUtf8Loose } from '../../src/base/bytes.ts';
import type { ByteStream, StreamListener, StreamSink } from '../../src/ports/sockets.ts';
import type { ContractHost } from './world.ts';

export class Recorder implements StreamSink {
  readonly stream: ByteStream;
  /** Names of the calls in order; runs of one name are one. */
  readonly calls: string[] = [];
  readonly opened: Promise<void>;
  readonly ended: Promise<void>;
  readonly closed: Promise<Error | null>;
  receivedBytes = 0;
  #parts: Uint8Array[] = [];
  #open!: () => void;
  #end!: () => void;
  #close!: (error: Error | null) => void;
  #waits: { bytes: number; done: () => void }[] = [];
  #afterChunk: (() => void) | undefined;

  constructor(stream: ByteStream, afterChunk?: () => void) {
    this.stream = stream;
    this.#afterChunk = afterChunk;
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    stream.attach(this);
  }

  onOpen(): void {
    this.#call('open');
    this.#open();
  }

  onChunk(chunk: Uint8Array): void {
    this.#call('chunk');
    this.#parts.push(chunk.slice());
    this.receivedBytes += chunk.length;
    this.#waits = this.#waits.filter(({ bytes, done }) => {
      if (this.receivedBytes < bytes) return true;
      done();
      return false;
    });
    this.#afterChunk?.();
  }

  onWritable(): void {
    this.#call('writable');
  }

  onEnd(): void {
    this.#call('end');
    this.#end();
  }

  onClose(error: Error | null): void {
    this.#call('close');
    this.#close(error);
  }

  bytes(): Uint8Array {
    return concatBytes(this.#parts);
  }

  text(): string {
    return fromUtf8Loose(this.bytes());
  }

  /** Resolves when this many bytes have come in all. */
  received(bytes: number): Promise<void> {
    if (this.receivedBytes >= bytes) return Promise.resolve();
    return new Promise((done) => {
      this.#waits.push({ bytes, done });
    });
  }

  #call(name: string): void {
    if (this.calls.at(-1) !== name || name === 'close') this.calls.push(name);
  }
}

/** Two connected streams; `near` was connected from `a`, `far` accepted on `b`. Closes all but the streams' remotes' work. */
export interface Pair {
  readonly near: Recorder;
  readonly far: Recorder;
  readonly listener: StreamListener;
  readonly at: Address;
  close(): Promise<void>;
}

export async function connectPair(a: ContractHost, b: ContractHost): Promise<Pair> {
  let accepted!: (far: Recorder) => void;
  const accept = new Promise<Recorder>((resolve) => {
    accepted = resolve;
  });
  const listener = await b.env.sockets.listen({ ip: b.ip, port: 0 }, (stream) => accepted(new Recorder(stream)));
  const near = new Recorder(a.env.sockets.connect(listener.address));
  const [far] = await Promise.all([accept, near.opened]);
  return {
    near,
    far,
    listener,
    at: listener.address,
    close: async () => {
      near.stream.destroy();
      far.stream.destroy();
      await Promise.all([near.closed, far.closed, listener.close()]);
    },
  };
}

/** `length` bytes that tell where they stand: an error in order or place is seen. */
export function pattern(length: number, salt = 0): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = (i * 31 + (i >> 8) * 7 + salt) & 0xff;
  return out;
}
