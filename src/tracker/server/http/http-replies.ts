// Whole HTTP replies in one buffer: the body is written first, its head put in front of it when the length is known.

import { fromLatin1, utf8 } from '../../../base/bytes.ts';
import type { ByteStream } from '../../../ports/sockets.ts';
import {
  MAX_ANNOUNCE_HEAD_LENGTH,
  MAX_PEER_DICT_LENGTH,
  MAX_SCRAPE_ENTRY_LENGTH,
  ReplyWriter,
} from '../../protocol/http-reply-writer.ts';
import { MAX_PEERS_PER_REPLY } from '../announce.ts';
import { MAX_HTTP_SCRAPE } from '../scrape.ts';
import type { RequestHead } from './http-head.ts';
import type { PageReply } from './pages.ts';

export type ContentType = 'bencode' | 'zipped bencode' | 'json' | 'text';

const STATUS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  426: 'Upgrade Required',
  431: 'Request Header Fields Too Large',
  503: 'Service Unavailable',
};

/** Fields that a status asks for. */
const MORE: Readonly<Record<number, string>> = {
  405: 'Allow: GET, HEAD\r\n',
  426: 'Sec-WebSocket-Version: 13\r\n',
  503: 'Retry-After: 60\r\n',
};

const TYPES: Readonly<Record<ContentType, string>> = {
  bencode: 'Content-Type: text/plain\r\n',
  'zipped bencode': 'Content-Type: text/plain\r\nContent-Encoding: gzip\r\nVary: Accept-Encoding\r\n',
  json: 'Content-Type: application/json\r\nCache-Control: no-store\r\nAccess-Control-Allow-Origin: *\r\n',
  text: 'Content-Type: text/plain; charset=utf-8\r\n',
};

const LENGTH = fromLatin1('Content-Length: ');
const END = fromLatin1('\r\n\r\n');
const CLOSE = fromLatin1('\r\nConnection: close\r\n\r\n');
const KEEP_ALIVE = fromLatin1('\r\nConnection: keep-alive\r\n\r\n');

/** Longest head that we write. */
const HEAD_ROOM = 512;
/** Longest short text: numbers of the tracker. */
const TEXT_ROOM = 8 * 1024;
/** Longest body. */
const BODY_ROOM: number = Math.max(
  MAX_ANNOUNCE_HEAD_LENGTH + MAX_PEERS_PER_REPLY * MAX_PEER_DICT_LENGTH,
  (MAX_HTTP_SCRAPE + 1) * MAX_SCRAPE_ENTRY_LENGTH,
  TEXT_ROOM,
);
/** Replies gathered before they are handed on. */
const GATHERED = 32 * 1024;

/** Replies of one turn of one connection; used again by the next. */
export class HttpReplies {
  /** Where the body of the current reply is written to. */
  readonly out: ReplyWriter = new ReplyWriter(GATHERED + HEAD_ROOM + BODY_ROOM);
  readonly #heads = new Map<string, Uint8Array>();
  #start = 0;
  #lent: Uint8Array | null = null;

  get length(): number {
    return this.#start;
  }

  /** Enough is gathered: `sendTo` before the next reply. */
  get isFull(): boolean {
    return this.#start >= GATHERED || this.#lent !== null;
  }

  /** Sends all replies that are finished, and begins anew. What the system does not take at once is copied. */
  sendTo(stream: ByteStream): void {
    const ready = this.out.bytes.subarray(0, this.#start);
    const lent = this.#lent;
    this.#start = 0;
    this.#lent = null;
    if (lent !== null) {
      stream.write([ready.slice(), lent]);
      return;
    }
    const sentBytes = stream.writeNow?.(ready) ?? 0;
    if (sentBytes < ready.length) stream.write([ready.slice(sentBytes)]);
  }

  /** The body goes to `out` after this. */
  begin(): void {
    this.out.at = this.#start + HEAD_ROOM;
  }

  /** The body as far as it is written; lent until more is. */
  get body(): Uint8Array {
    return this.out.bytes.subarray(this.#start + HEAD_ROOM, this.out.at);
  }

  /** Puts the head in front of the body. `request` says whether the body is left out and the connection stays. */
  finish(request: RequestHead, status: number, type: ContentType): void {
    const { out } = this;
    const bodyStart = this.#start + HEAD_ROOM;
    const bodyEnd = out.at;
    out.at = this.#start;
    out.put(this.#head(status, type));
    out.putNumber(bodyEnd - bodyStart);
    if (!request.keepAlive) out.put(CLOSE);
    else out.put(request.isOld ? KEEP_ALIVE : END);
    if (!request.isHead) {
      out.bytes.copyWithin(out.at, bodyStart, bodyEnd);
      out.at += bodyEnd - bodyStart;
    }
    this.#start = out.at;
  }

  /** A whole reply with a short body. */
  text(request: RequestHead, status: number, type: ContentType, body: string): void {
    this.begin();
    this.out.put(utf8(body));
    this.finish(request, status, type);
  }

  /** A whole reply that was made before; its body is lent, and the last of what is gathered. */
  page(request: RequestHead, { head, body }: PageReply): void {
    const { out } = this;
    out.at = this.#start;
    out.put(head);
    out.put(request.keepAlive ? (request.isOld ? KEEP_ALIVE : END) : CLOSE);
    if (!request.isHead && body.length > 0) this.#lent = body;
    this.#start = out.at;
  }

  #head(status: number, type: ContentType): Uint8Array {
    const key = `${status} ${type}`;
    let head = this.#heads.get(key);
    if (head === undefined) {
      const fields = fromLatin1(`HTTP/1.1 ${status} ${STATUS[status]}\r\n${TYPES[type]}${MORE[status] ?? ''}`);
      head = new Uint8Array([...fields, ...LENGTH]);
      this.#heads.set(key, head);
    }
    return head;
  }
}
