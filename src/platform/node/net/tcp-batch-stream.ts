// One accepted connection of tcp-batch.ts as a ByteStream. Writes go to the system at once; what it does not take waits here.

import { getSystemErrorName } from 'node:util';
import type { Address } from '../../../base/address.ts';
import { assert } from '../../../base/assert.ts';
import { concatBytes } from '../../../base/bytes.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { ByteStream, StreamSink } from '../../../ports/sockets.ts';
import { networkError } from '../system-errors.ts';

/** What a stream asks of its server; not after `drop`. */
export interface StreamOwner {
  readonly clock: Clock;
  /** Bytes taken, or an error number, negated. */
  write(connection: number, bytes: Uint8Array): number;
  watch(connection: number, isReading: boolean, isWriting: boolean): void;
  end(connection: number): void;
  drop(connection: number): void;
  local(connection: number): Address | null;
}

/** Bytes that wait, and what is to be called when they have gone. */
interface Waiting {
  bytes: Uint8Array;
  readonly released: (() => void) | undefined;
}

const NONE: Uint8Array = new Uint8Array(0);

/** Parts up to this length together are copied into one: it costs less than a system call for each. */
const JOIN_BYTES = 64 * 1024;

export class BatchedStream implements ByteStream {
  readonly remote: Address;
  readonly #owner: StreamOwner;
  readonly #connection: number;
  #sink: StreamSink | null = null;
  #local: Address | null = null;
  #waiting: Waiting[] = [];
  #bufferedBytes = 0;
  #isPaused = false;
  /** The remote sends no more. */
  #hasEnded = false;
  /** We send no more. */
  #isEnding = false;
  #isClosed = false;

  constructor(owner: StreamOwner, connection: number, remote: Address) {
    this.#owner = owner;
    this.#connection = connection;
    this.remote = remote;
  }

  get local(): Address | null {
    if (!this.#isClosed) this.#local ??= this.#owner.local(this.#connection);
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
    if (this.#isEnding || this.#isClosed) {
      if (released) this.#owner.clock.defer(released);
      return;
    }
    const list = joined(parts);
    let next = 0;
    let rest = NONE;
    while (this.#waiting.length === 0 && next < list.length && rest.length === 0) {
      const part = list[next++]!;
      const taken = this.#owner.write(this.#connection, part);
      if (taken < 0) {
        if (released) this.#waiting.push({ bytes: NONE, released });
        this.#close(-taken);
        return;
      }
      rest = part.subarray(taken);
    }
    if (rest.length > 0 || next < list.length) this.#wait([rest, ...list.slice(next)], released);
    else if (released) this.#owner.clock.defer(released);
  }

  writeNow(bytes: Uint8Array): number {
    if (this.#isEnding || this.#isClosed || this.#waiting.length > 0) return 0;
    const taken = this.#owner.write(this.#connection, bytes);
    if (taken < 0) this.#close(-taken);
    return Math.max(0, taken);
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#watch();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#watch();
  }

  end(): void {
    if (this.#isEnding || this.#isClosed) return;
    this.#isEnding = true;
    if (this.#waiting.length === 0) this.#endNow();
  }

  destroy(): void {
    if (!this.#isClosed) this.#close(0);
  }

  // ---- what the server tells

  onChunk(chunk: Uint8Array): void {
    assert(this.#sink, 'a sink is attached in the turn in which the stream was obtained');
    this.#sink.onChunk(chunk);
  }

  onEnd(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#isEnding && this.#waiting.length === 0) {
      this.#sink?.onEnd?.();
      if (!this.#isClosed) this.#close(0);
      return;
    }
    // That the remote has ended would be told again and again.
    this.#watch();
    if (this.#sink?.onEnd) this.#sink.onEnd();
    else this.end();
  }

  onFailed(errorNumber: number): void {
    this.#close(errorNumber);
  }

  /** The system takes bytes again. */
  onRoom(): void {
    const before = this.#bufferedBytes;
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0]!;
      const taken = this.#owner.write(this.#connection, first.bytes);
      if (taken < 0) {
        this.#close(-taken);
        return;
      }
      this.#bufferedBytes -= taken;
      if (taken < first.bytes.length) {
        first.bytes = first.bytes.subarray(taken);
        break;
      }
      this.#waiting.shift();
      if (first.released) this.#owner.clock.defer(first.released);
    }
    if (this.#waiting.length === 0) {
      this.#watch();
      if (this.#isEnding) this.#endNow();
    }
    if (!this.#isClosed && this.#bufferedBytes < before) this.#sink?.onWritable?.();
  }

  // ---- inside

  get #isReading(): boolean {
    return !this.#isPaused && !this.#hasEnded;
  }

  #watch(): void {
    if (!this.#isClosed) this.#owner.watch(this.#connection, this.#isReading, this.#waiting.length > 0);
  }

  #wait(parts: readonly Uint8Array[], released: (() => void) | undefined): void {
    const isFirst = this.#waiting.length === 0;
    for (const [i, bytes] of parts.entries()) {
      this.#waiting.push({ bytes, released: i === parts.length - 1 ? released : undefined });
      this.#bufferedBytes += bytes.length;
    }
    if (isFirst) this.#watch();
  }

  /** All is sent: our direction ends, and the connection where the remote's has ended already. */
  #endNow(): void {
    if (this.#hasEnded) this.#close(0);
    else this.#owner.end(this.#connection);
  }

  /** `errorNumber` 0: as it should be. The sink is told in a turn of its own. */
  #close(errorNumber: number): void {
    this.#isClosed = true;
    this.#owner.drop(this.#connection);
    this.#owner.clock.defer(() => {
      const waiting = this.#waiting;
      this.#waiting = [];
      this.#bufferedBytes = 0;
      for (const { released } of waiting) released?.();
      this.#sink?.onClose(errorNumber === 0 ? null : this.#error(errorNumber));
    });
  }

  #error(errorNumber: number): Error {
    const code = getSystemErrorName(-errorNumber);
    const cause = Object.assign(new Error(`connection: ${code}`), { code });
    return networkError('CONNECT_FAILED', cause, `go on with ${this.remote.key}`);
  }
}

function joined(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  if (parts.length < 2) return parts;
  let length = 0;
  for (const part of parts) length += part.length;
  return length > JOIN_BYTES ? parts : [concatBytes(parts)];
}
