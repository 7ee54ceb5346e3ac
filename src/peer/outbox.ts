// What one peer is to be sent: small messages collected in one buffer, blocks lent from memory, one vectored write a turn.

import type { ByteStream } from '../ports/sockets.ts';
import { MAX_PUT_BYTES } from '../wire/encoder.ts';

/** With so much on its way to a peer, large answers (metadata, hashes) are refused it. */
export const ENOUGH_PENDING_BYTES: number = 4 << 20;
/**
 * With so much on its way although it goes on asking, a peer is not reading, and would have us keep every refusal: it is
 * closed. Far above what we put there by ourselves.
 */
export const MOST_PENDING_BYTES: number = 4 * ENOUGH_PENDING_BYTES;

/**
 * Collects messages in order and writes them by `flush`.
 *
 * ```
 *   |have have request request|--block run (lent)--|have|--block run--|
 *    small messages: one copied part     each lent part keeps its owner until written
 * ```
 */
export class Outbox {
  readonly #stream: ByteStream;
  readonly #small: Uint8Array = new Uint8Array(4096);
  /** End of the small messages not yet made a part. */
  #end = 0;
  #parts: Uint8Array[] = [];
  #releases: (() => void)[] = [];
  #partBytes = 0;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /** Bytes on their way: collected here, or taken by the stream and not yet by the system. */
  get pendingBytes(): number {
    return this.#partBytes + this.#end + this.#stream.bufferedBytes;
  }

  get isEmpty(): boolean {
    return this.#end === 0 && this.#parts.length === 0;
  }

  /** Where the next small message goes: one put at `room()` of `buffer`, then tell `wrote` the new end. */
  get buffer(): Uint8Array {
    return this.#small;
  }

  room(): number {
    if (this.#end + MAX_PUT_BYTES > this.#small.length) this.#sealSmall();
    return this.#end;
  }

  wrote(end: number): void {
    this.#end = end;
  }

  /** A whole encoded message, owned by the outbox from here on. */
  message(bytes: Uint8Array): void {
    this.#sealSmall();
    this.#parts.push(bytes);
    this.#partBytes += bytes.length;
  }

  /** Whole messages in lent memory; `release` is called once when they are written or the stream is closed. */
  lent(bytes: Uint8Array, release: () => void): void {
    this.message(bytes);
    this.#releases.push(release);
  }

  /** Hands everything to the stream in one write. */
  flush(): void {
    this.#sealSmall();
    if (this.#parts.length === 0) return;
    const releases = this.#releases;
    this.#stream.write(this.#parts, releases.length === 0 ? undefined : () => runAll(releases));
    this.#parts = [];
    this.#releases = [];
    this.#partBytes = 0;
  }

  /** Gives lent memory back that was never handed to the stream. */
  discard(): void {
    runAll(this.#releases);
    this.#parts = [];
    this.#releases = [];
    this.#partBytes = this.#end = 0;
  }

  #sealSmall(): void {
    if (this.#end === 0) return;
    this.#parts.push(this.#small.slice(0, this.#end));
    this.#partBytes += this.#end;
    this.#end = 0;
  }
}

function runAll(calls: (() => void)[]): void {
  for (const call of calls) call();
}
