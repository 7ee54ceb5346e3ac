// Scrapes of all swarms (BEP 48), where a tracker allows them: few at a time, from a census that serves all who come
// within a minute.

import { equalBytes, fromLatin1 } from '../../../base/bytes.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Gzip } from '../../../ports/gzip.ts';
import type { ByteStream } from '../../../ports/sockets.ts';
import { encodeRefusal } from '../../protocol/http-reply-writer.ts';
import { type AccessRules, PathKey, type Refusal } from '../access.ts';
import { acceptsGzip, RequestHead, readHead } from '../http/http-head.ts';
import { ASKS_SCRAPE, keyInPath } from '../http/path-key.ts';
import type { TrackerCounters } from '../status/stats.ts';
import type { Trust } from '../trust.ts';
import { type Census, CensusTaker } from './census.ts';
import { FullReply } from './full-reply.ts';
import type { SwarmTable } from './swarm-table.ts';

export interface FullScrapesOptions {
  readonly clock: Clock;
  readonly table: SwarmTable;
  readonly access: AccessRules | null;
  /** Null: nothing is compressed. */
  readonly gzip: Gzip | null;
  readonly counters: TrackerCounters;
  readonly trust: Trust;
  readonly minIntervalS: number;
}

/** At once, one an address: each holds a part and some buffers, and takes a core's half while its client reads fast. */
const MOST = 2;
/** A census is as good for everybody who asks within this time; 36 bytes a swarm are kept so long. */
const CENSUS_MS = 60_000;
/** For one that was refused to close. */
const LINGER_MS = 5_000;
/** Refused ones that do so at once; more are closed without a word: the limit of HTTP connections does not count them. */
const MOST_REFUSED = 64;

const BUSY: Refusal = { reason: 'too many full scrapes at once', retryInMinutes: 1, fault: 'tooManyScrapes' };

export class FullScrapes {
  readonly #options: FullScrapesOptions;
  /** With the addresses of their clients. */
  readonly #replies = new Map<FullReply, Uint8Array>();
  readonly #refused = new Set<ByteStream>();
  /** Those that wait for the census which is being taken. */
  #waiting: FullReply[] = [];
  #taker: CensusTaker | null = null;
  #census: Census | null = null;
  #takenMs = 0;

  constructor(options: FullScrapesOptions) {
    this.#options = options;
  }

  /**
   * Takes a connection over whose first request in `bytes` is a scrape without info hashes. False: it is another, and
   * nothing was done.
   */
  accept(stream: ByteStream, bytes: Uint8Array): boolean {
    const head = new RequestHead();
    const key = new PathKey();
    if (readHead(bytes, 0, bytes.length, head) < 0 || head.fault !== 0 || head.isUpgrade) return false;
    if (keyInPath(bytes, head.pathStart, head.pathEnd, key) !== ASKS_SCRAPE) return false;
    const { clock, access, counters, trust, gzip, minIntervalS } = this.#options;
    const ip = trust.forwardedIp(bytes, head, stream.remote.ip);
    const isFull = this.#replies.size >= MOST || [...this.#replies.values()].some((other) => equalBytes(other, ip));
    const refusal = access?.checkScrape(key) ?? (isFull ? BUSY : null);
    if (refusal !== null) {
      this.#refuse(stream, refusal);
      return true;
    }
    counters.httpScrapes++;
    const isZipped = gzip !== null && acceptsGzip(bytes, head);
    const reply = new FullReply({
      clock,
      stream,
      isChunked: !head.isOld,
      gzip: isZipped ? gzip.start() : null,
      minIntervalS,
      sent: (lengthBytes) => {
        counters.httpBytesOut += lengthBytes;
      },
      closed: (closed) => this.#closed(closed),
    });
    this.#replies.set(reply, ip);
    this.#waiting.push(reply);
    this.#serve();
    return true;
  }

  /** To be called about once a second. */
  tick(): void {
    for (const reply of this.#replies.keys()) reply.tick();
    if (this.#options.clock.nowMs() - this.#takenMs >= CENSUS_MS) this.#census = null;
  }

  close(): void {
    this.#waiting = [];
    for (const reply of this.#replies.keys()) reply.destroy();
    for (const stream of this.#refused) stream.destroy();
  }

  /** Those that wait are sent what there is, or a census is taken for them, a bit in a turn. */
  #serve(): void {
    if (this.#census !== null) {
      for (const reply of this.#waiting.splice(0)) reply.begin(this.#census);
      return;
    }
    if (this.#taker !== null) return;
    this.#taker = new CensusTaker(this.#options.table, this.#options.access);
    this.#take();
  }

  #take(): void {
    this.#options.clock.defer(() => {
      this.#census = this.#taker!.step();
      if (this.#waiting.length === 0) {
        // All have gone meanwhile.
        this.#taker = null;
        this.#census = null;
      } else if (this.#census === null) this.#take();
      else {
        this.#taker = null;
        this.#takenMs = this.#options.clock.nowMs();
        this.#serve();
      }
    });
  }

  #closed(reply: FullReply): void {
    this.#replies.delete(reply);
    this.#waiting = this.#waiting.filter((each) => each !== reply);
  }

  #refuse(stream: ByteStream, { reason, retryInMinutes, fault }: Refusal): void {
    const { clock, counters } = this.#options;
    counters.httpErrors++;
    counters.faults[fault ?? 'refused']++;
    const timer = clock.after(LINGER_MS, () => stream.destroy());
    const onClose = (): void => {
      timer.cancel();
      this.#refused.delete(stream);
    };
    this.#refused.add(stream);
    stream.attach({ onChunk: () => undefined, onClose });
    if (this.#refused.size > MOST_REFUSED) {
      stream.destroy();
      return;
    }
    const body = encodeRefusal(reason, retryInMinutes);
    // Clients look for a failure reason with status 200 only; programs that are too many understand 429.
    const status = fault === 'tooManyScrapes' ? '429 Too Many Requests\r\nRetry-After: 60' : '200 OK';
    const fields = `Content-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close`;
    stream.write([fromLatin1(`HTTP/1.1 ${status}\r\n${fields}\r\n\r\n`), body]);
    stream.end();
  }
}
