// One HTTP connection: requests in, pipelined or not, replies out, one write a turn. Nothing a client does holds more of
// us than a head and a bounded output, nor for longer than a deadline.

import { concatBytes } from '../../../base/bytes.ts';
import type { ByteStream, StreamSink } from '../../../ports/sockets.ts';
import type { Waiter } from '../access.ts';
import type { TrackerCounters } from '../status/stats.ts';
import { HandedStream } from './handed-stream.ts';
import { MAX_HEAD_LENGTH, type RequestHead, readHead } from './http-head.ts';
import type { HttpRequest } from './http-request.ts';
import { FOR_OTHERS, type HttpRoutes, TO_WAIT } from './http-routes.ts';

/** A connection between requests: clients that keep one ask again within seconds or after half an hour. */
const IDLE_MS = 60_000;
/** From the first byte of a head to its last. */
const HEAD_MS = 10_000;
/** For our last reply to get through, and the client to close. */
const LINGER_MS = 5_000;
/** A client that asks but does not read is not answered further. */
const HIGH_WATER_BYTES = 256 * 1024;

/** What the connections of a server share: they take turns. */
export interface HttpShared {
  readonly routes: HttpRoutes;
  readonly request: HttpRequest;
  readonly counters: TrackerCounters;
  nowMs(): number;
  closed(connection: HttpConnection): void;
  /** Takes over a connection whose next request is not for us; null: none is handed over. */
  readonly others: OtherRequests | null;
  /** Null: no WebSocket. */
  readonly upgrades: Upgrades | null;
}

/** What makes WebSockets of connections. */
export interface Upgrades {
  /** Whether a request to upgrade is for it, by its path. */
  asks(bytes: Uint8Array, head: RequestHead): boolean;
  /** 0, or the HTTP status that the request is refused with. */
  fault(bytes: Uint8Array, head: RequestHead, source: Uint8Array): number;
  /** Takes a connection over, whose request had no fault; `rest` came behind it (owned). Attaches a sink. */
  take(stream: ByteStream, bytes: Uint8Array, head: RequestHead, rest: Uint8Array): void;
}

/**
 * Takes over a connection, with what of it was read and not answered, from the begin of a request on (owned). Must
 * attach a sink in its turn; from then on the connection is its own, with its limits and its end.
 */
export type OtherRequests = (stream: ByteStream, bytes: Uint8Array) => void;

export class HttpConnection implements StreamSink, Waiter {
  /** When it is closed unless something happens before. */
  deadlineMs: number;
  /** When it came, or was last of use: a whole request was read. */
  usedMs: number;
  /** Its place in the server's list. */
  place = 0;
  readonly #stream: ByteStream;
  readonly #shared: HttpShared;
  /** The begin of a head, or requests that wait for the client to read, or for their swarm. */
  #rest: Uint8Array | null = null;
  #paused = false;
  /** The first request of the rest waits for its swarm. */
  #isWaiting = false;
  /** It has waited. */
  #isLate = false;
  /** The client has ended while it waited. */
  #endsThen = false;
  #ending = false;
  /** Who has taken the connection over. */
  #heir: HandedStream | null = null;

  constructor(stream: ByteStream, shared: HttpShared) {
    this.#stream = stream;
    this.#shared = shared;
    this.usedMs = shared.nowMs();
    this.deadlineMs = this.usedMs + HEAD_MS;
  }

  /** In the middle of a request, or of reading our replies. */
  get isBusy(): boolean {
    return this.#rest !== null || this.#stream.bufferedBytes > 0;
  }

  onChunk(chunk: Uint8Array): void {
    if (this.#heir !== null) {
      this.#heir.sink.onChunk(chunk);
      return;
    }
    this.#shared.counters.httpBytesIn += chunk.length;
    this.#take(chunk);
  }

  /** `chunk` is lent. */
  #take(chunk: Uint8Array): void {
    if (this.#ending) return;
    const hadRest = this.#rest !== null;
    const bytes = this.#rest === null ? chunk : concatBytes([this.#rest, chunk]);
    this.#rest = null;
    if (this.#paused || this.#isWaiting) {
      // Read before the pause took hold: a chunk or two, no more.
      this.#rest = hadRest ? bytes : bytes.slice();
      return;
    }
    const nowMs = this.#shared.nowMs();
    const served = this.#serve(bytes);
    if (this.#heir !== null) return;
    if (served > 0) this.usedMs = nowMs;
    if (this.#ending) this.deadlineMs = nowMs + LINGER_MS;
    else if (served === bytes.length) this.deadlineMs = nowMs + IDLE_MS;
    else {
      this.#rest = bytes.slice(served);
      // A head that drips in has its time from its first byte.
      if (served > 0 || !hadRest) this.deadlineMs = nowMs + HEAD_MS;
    }
  }

  onWritable(): void {
    this.#heir?.sink.onWritable?.();
    if (!this.#paused || this.#stream.bufferedBytes >= HIGH_WATER_BYTES / 2) return;
    this.#paused = false;
    if (!this.#isWaiting) this.#resume();
  }

  goOn(): void {
    this.#isWaiting = false;
    if (this.#ending) return;
    this.#isLate = true;
    if (!this.#paused) this.#resume();
    if (this.#endsThen && !this.#isWaiting) this.#end();
  }

  #resume(): void {
    this.#stream.resume();
    const rest = this.#rest;
    this.#rest = null;
    if (rest !== null) this.#take(rest);
  }

  onEnd(): void {
    if (this.#heir === null && this.#isWaiting) this.#endsThen = true;
    else if (this.#heir === null) this.#end();
    else if (this.#heir.sink.onEnd) this.#heir.sink.onEnd();
    else this.#stream.end();
  }

  onClose(error: Error | null): void {
    this.#ending = true;
    this.#rest = null;
    if (this.#heir !== null) {
      this.#heir.sink.onClose(error);
      return;
    }
    this.#shared.closed(this);
  }

  destroy(): void {
    this.#stream.destroy();
  }

  /** Answers all whole requests in `bytes`; returns how many bytes that were. */
  #serve(bytes: Uint8Array): number {
    const { routes, request } = this.#shared;
    const { head, replies } = request;
    let at = 0;
    while (at < bytes.length && !this.#ending && !this.#paused && !this.#isWaiting) {
      // Empty lines before a request are passed over (RFC 9112, 2.2).
      if (bytes[at] === 0x0d || bytes[at] === 0x0a) {
        at++;
        continue;
      }
      const next = readHead(bytes, at, Math.min(bytes.length, at + MAX_HEAD_LENGTH), head);
      if (next < 0) {
        if (bytes.length - at < MAX_HEAD_LENGTH) break;
        head.isHead = false;
        routes.fault(head, 431, replies);
      } else if (head.isUpgrade && head.fault === 0 && this.#shared.upgrades?.asks(bytes, head)) {
        if (this.#upgrade(this.#shared.upgrades, bytes, next)) return bytes.length;
      } else {
        request.bytes = bytes;
        request.source = this.#stream.remote.ip;
        request.waiter = this;
        request.isLate = this.#isLate;
        const outcome = routes.answer(request);
        if (outcome === TO_WAIT) {
          this.#isWaiting = true;
          this.#stream.pause();
          break;
        }
        this.#isLate = false;
        if (outcome !== FOR_OTHERS) at = next;
        else {
          const rest = bytes.slice(at);
          this.#handOver((stream) => this.#shared.others!(stream, rest));
          return bytes.length;
        }
      }
      if (!head.keepAlive) this.#end();
      else if (replies.isFull) this.#flush();
    }
    this.#flush();
    return at;
  }

  /** False where it is refused, which ends the connection. */
  #upgrade(upgrades: Upgrades, bytes: Uint8Array, next: number): boolean {
    const { routes, request } = this.#shared;
    const { head, replies } = request;
    const status = upgrades.fault(bytes, head, this.#stream.remote.ip);
    if (status === 0) this.#handOver((stream) => upgrades.take(stream, bytes, head, bytes.slice(next)));
    else routes.fault(head, status, replies);
    return status === 0;
  }

  #handOver(take: (stream: ByteStream) => void): void {
    this.#flush();
    this.#shared.closed(this);
    this.#heir = new HandedStream(this.#stream);
    take(this.#heir);
  }

  #flush(): void {
    const { request, counters } = this.#shared;
    const { replies } = request;
    if (replies.length === 0) return;
    counters.httpBytesOut += replies.length;
    replies.sendTo(this.#stream);
    if (this.#stream.bufferedBytes < HIGH_WATER_BYTES || this.#ending) return;
    this.#paused = true;
    this.#stream.pause();
  }

  #end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#flush();
    this.#stream.end();
  }
}
