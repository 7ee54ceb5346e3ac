// One full scrape on its way: entries are written as far as the client reads, part by part, so that neither a turn of the
// loop nor a buffer grows with the number of swarms.

import { concatBytes, fromLatin1 } from '../../../base/bytes.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { GzipStream } from '../../../ports/gzip.ts';
import type { ByteStream, StreamSink } from '../../../ports/sockets.ts';
import {
  MAX_SCRAPE_ENTRY_LENGTH,
  ReplyWriter,
  writeScrapeEnd,
  writeScrapeEntry,
  writeScrapeHead,
} from '../../protocol/http-reply-writer.ts';
import { type Census, CensusReader } from './census.ts';

/** Bytes made in one turn: about 350 swarms, well below a millisecond. */
const PART_BYTES = 32 * 1024;
/** What waits for the client at most, beside a part. */
const HIGH_WATER_BYTES = 256 * 1024;
/** A client that reads nothing for so long… */
const STALL_MS = 20_000;
/** …or is not done by then is cut off: others wait. A million swarms are 100 MB, and half of that with gzip. */
const WHOLE_MS = 600_000;
/** For the client to close when it has all. */
const LINGER_MS = 5_000;

const END_OF_CHUNK = fromLatin1('\r\n');
const LAST_CHUNK = fromLatin1('0\r\n\r\n');

export interface FullReplyOptions {
  readonly clock: Clock;
  readonly stream: ByteStream;
  /** HTTP/1.1: else the end of the connection is the end of the body. */
  readonly isChunked: boolean;
  readonly gzip: GzipStream | null;
  readonly minIntervalS: number;
  /** So many bytes were sent. */
  sent(lengthBytes: number): void;
  closed(reply: FullReply): void;
}

export class FullReply implements StreamSink {
  readonly #options: FullReplyOptions;
  readonly #out = new ReplyWriter(PART_BYTES + 2 * MAX_SCRAPE_ENTRY_LENGTH);
  readonly #endMs: number;
  #stallMs: number;
  #reader: CensusReader | null = null;
  /** A part is being compressed, or made in a later turn. */
  #isBusy = false;
  #isDone = false;

  /** Attaches itself; nothing is sent before {@link begin}. */
  constructor(options: FullReplyOptions) {
    this.#options = options;
    this.#endMs = options.clock.nowMs() + WHOLE_MS;
    this.#stallMs = this.#endMs;
    options.stream.attach(this);
  }

  begin(census: Census): void {
    const { isChunked, gzip } = this.#options;
    const fields = [
      `HTTP/1.${isChunked ? 1 : 0} 200 OK`,
      'Content-Type: text/plain',
      ...(gzip === null ? [] : ['Content-Encoding: gzip']),
      'Vary: Accept-Encoding',
      ...(isChunked ? ['Transfer-Encoding: chunked'] : []),
      'Connection: close',
    ];
    this.#reader = new CensusReader(census);
    this.#write(fromLatin1(`${fields.join('\r\n')}\r\n\r\n`));
    writeScrapeHead(this.#out);
    this.#next();
  }

  /** To be called about once a second. */
  tick(): void {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs >= Math.min(this.#stallMs, this.#endMs)) this.destroy();
  }

  destroy(): void {
    this.#options.stream.destroy();
  }

  /** Whatever else is asked on this connection is not answered. */
  onChunk(): void {}

  /** The client asks no more, but reads. */
  onEnd(): void {}

  onWritable(): void {
    this.#stallMs = this.#options.clock.nowMs() + (this.#isDone ? LINGER_MS : STALL_MS);
    this.#next();
  }

  onClose(): void {
    this.#isDone = true;
    this.#options.gzip?.close();
    this.#options.closed(this);
  }

  /** Makes the next part, unless one is under way or the client has to read first. */
  #next(): void {
    const { stream, gzip, clock } = this.#options;
    const out = this.#out;
    if (this.#reader === null || this.#isBusy || this.#isDone || stream.bufferedBytes >= HIGH_WATER_BYTES) return;
    this.#isBusy = true;
    let isLast = false;
    while (out.at < PART_BYTES && !isLast) {
      if (this.#reader.next()) writeScrapeEntry(out, this.#reader.infoHash, this.#reader);
      else isLast = true;
    }
    if (isLast) writeScrapeEnd(out, this.#options.minIntervalS);
    const part = out.bytes.slice(0, out.at);
    out.at = 0;
    if (gzip === null) clock.defer(() => this.#made([part], isLast));
    else gzip.push(part, isLast, (parts) => this.#made(parts, isLast));
  }

  #made(parts: readonly Uint8Array[], isLast: boolean): void {
    if (this.#isDone) return;
    const { stream, isChunked, clock } = this.#options;
    const bytes = concatBytes(parts);
    // A chunk of no bytes would be the last.
    if (bytes.length > 0) {
      if (isChunked) this.#write(fromLatin1(`${bytes.length.toString(16)}\r\n`), bytes, END_OF_CHUNK);
      else this.#write(bytes);
    }
    this.#isBusy = false;
    if (!isLast) {
      this.#next();
      return;
    }
    this.#isDone = true;
    if (isChunked) this.#write(LAST_CHUNK);
    this.#stallMs = clock.nowMs() + STALL_MS;
    stream.end();
  }

  #write(...parts: Uint8Array[]): void {
    const { stream, sent, clock } = this.#options;
    this.#stallMs = clock.nowMs() + STALL_MS;
    sent(parts.reduce((sum, part) => sum + part.length, 0));
    stream.write(parts);
  }
}
