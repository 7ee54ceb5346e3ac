// The first bytes of a connection, before it is known whose it is: handshakes out and in, then the stream is handed over.

import type { Address } from '../base/address.ts';
import type { ByteStream, StreamSink } from '../ports/sockets.ts';
import { decodeHandshake, HANDSHAKE_BYTES, type Handshake, isHandshakePrefix } from '../wire/handshake.ts';

/** Who takes the stream over, or why the connection is refused. */
export type GreetingAnswer = { readonly sink: StreamSink } | { readonly refused: string };

export interface GreetingEvents {
  /** The remote's handshake is whole. The sink in the answer gets everything from here on. */
  onHandshake(greeting: Greeting, handshake: Handshake): GreetingAnswer;
  /** The connection ended before it was handed over. Called once, or never where it was handed over. */
  onGreetingFailed(greeting: Greeting, why: string): void;
}

/**
 * Stands at a stream until the remote's handshake (BEP 3) is there. One that connects sends its own at once; one that
 * was accepted answers when it knows which torrent is meant.
 */
export class Greeting implements StreamSink {
  readonly stream: ByteStream;
  /** When it began, to end those that never say who they are. */
  readonly sinceMs: number;
  readonly #events: GreetingEvents;
  readonly #first: Uint8Array | null;
  readonly #head: Uint8Array = new Uint8Array(HANDSHAKE_BYTES);
  #filled = 0;
  #next: StreamSink | null = null;
  #why: string | null = null;

  /** `first`: what to send once connected (our handshake); null on an accepted stream. Attaches itself. */
  constructor(stream: ByteStream, first: Uint8Array | null, nowMs: number, events: GreetingEvents) {
    this.stream = stream;
    this.sinceMs = nowMs;
    this.#events = events;
    this.#first = first;
    stream.attach(this);
  }

  get remote(): Address {
    return this.stream.remote;
  }

  /** Ends the connection; `onGreetingFailed` follows with this reason. */
  abandon(why: string): void {
    this.#why ??= why;
    this.stream.destroy();
  }

  onOpen(): void {
    if (this.#first) this.stream.write([this.#first]);
  }

  onChunk(chunk: Uint8Array): void {
    if (this.#next) {
      this.#next.onChunk(chunk);
      return;
    }
    if (this.#why !== null) return;
    const take = Math.min(chunk.length, HANDSHAKE_BYTES - this.#filled);
    this.#head.set(chunk.subarray(0, take), this.#filled);
    this.#filled += take;
    if (!isHandshakePrefix(this.#head.subarray(0, this.#filled))) {
      this.abandon('not a BitTorrent handshake');
    } else if (this.#filled === HANDSHAKE_BYTES) {
      this.#handOver(chunk.subarray(take));
    }
  }

  #handOver(rest: Uint8Array): void {
    const handshake = decodeHandshake(this.#head);
    const answer = handshake ? this.#events.onHandshake(this, handshake) : { refused: 'not a BitTorrent handshake' };
    if ('refused' in answer) {
      this.abandon(answer.refused);
      return;
    }
    this.#next = answer.sink;
    if (rest.length > 0) this.#next.onChunk(rest);
  }

  onWritable(): void {
    this.#next?.onWritable?.();
  }

  onEnd(): void {
    if (this.#next?.onEnd) this.#next.onEnd();
    else this.stream.destroy();
  }

  onClose(error: Error | null): void {
    if (this.#next) this.#next.onClose(error);
    else this.#events.onGreetingFailed(this, this.#why ?? error?.message ?? 'closed before the handshake');
  }
}
