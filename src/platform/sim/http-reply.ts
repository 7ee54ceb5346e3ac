// Reads an HTTP/1.1 reply from a stream that ends with it (RFC 9112): length given, chunked, or until the end.

import { concatBytes, fromLatin1, latin1 } from '../../base/bytes.ts';

/** A head that is longer is no reply of a tracker or web seed. */
const MAX_HEAD_BYTES = 64 * 1024;

/** What is wrong with a reply, in words. */
export class BadReply extends Error {}

export class HttpReplyReader {
  status = 0;
  headers: Record<string, string> = {};
  readonly #maxBytes: number;
  #head = '';
  #isHeadDone = false;
  #parts: Uint8Array[] = [];
  #bodyBytes = 0;
  #expectedBytes: number | null = null;
  #isChunked = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes what a socket delivered (copied); true where the reply is complete. Throws BadReply. */
  push(chunk: Uint8Array): boolean {
    if (this.#isHeadDone) this.#add(chunk.slice());
    else this.#pushHead(chunk);
    return this.#isHeadDone && this.#expectedBytes !== null && this.#bodyBytes >= this.#expectedBytes;
  }

  /** The body, when the reply is complete or the remote has finished. Throws BadReply where it is cut short. */
  body(): Uint8Array {
    if (!this.#isHeadDone) throw new BadReply('the reply ends within its head');
    const all = concatBytes(this.#parts);
    if (this.#isChunked) return joinChunks(all, this.#maxBytes);
    if (this.#expectedBytes === null) return all;
    if (all.length < this.#expectedBytes) throw new BadReply('the reply is cut short');
    return all.subarray(0, this.#expectedBytes);
  }

  #pushHead(chunk: Uint8Array): void {
    this.#head += latin1(chunk);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.#head.length > MAX_HEAD_BYTES) throw new BadReply('the head of the reply is too long');
      return;
    }
    const rest = this.#head.slice(end + 4);
    this.#parseHead(this.#head.slice(0, end));
    this.#isHeadDone = true;
    this.#head = '';
    this.#add(fromLatin1(rest));
  }

  #parseHead(head: string): void {
    const [first = '', ...lines] = head.split('\r\n');
    const match = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first);
    if (!match) throw new BadReply('the reply is not HTTP');
    this.status = Number(match[1]);
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon < 1) throw new BadReply('a header of the reply is not one');
      this.headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    this.#isChunked = /(^|,)\s*chunked$/i.test(this.headers['transfer-encoding'] ?? '');
    const length = this.headers['content-length'];
    if (this.status === 204 || this.status === 304) this.#expectedBytes = 0;
    else if (!this.#isChunked && length !== undefined) {
      if (!/^\d{1,15}$/.test(length)) throw new BadReply('the length of the reply is no number');
      this.#expectedBytes = Number(length);
      if (this.#expectedBytes > this.#maxBytes) throw new BadReply('the reply is too large');
    }
  }

  #add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#bodyBytes += bytes.length;
    // The frames of a chunked body are at most as long again as its bytes, and some more for a short one.
    const limit = this.#isChunked ? 2 * this.#maxBytes + MAX_HEAD_BYTES : this.#maxBytes;
    const beyond = this.#expectedBytes === null && this.#bodyBytes > limit;
    if (beyond) throw new BadReply('the reply is too large');
  }
}

function joinChunks(framed: Uint8Array, maxBytes: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (let at = 0; ; ) {
    const lineEnd = framed.indexOf(13, at);
    const size = lineEnd < 0 ? null : /^([0-9a-fA-F]{1,8})(?:;|$)/.exec(latin1(framed.subarray(at, lineEnd)));
    if (!size) throw new BadReply('a chunk of the reply is cut short');
    const length = Number.parseInt(size[1]!, 16);
    if (length === 0) return concatBytes(parts);
    const begin = lineEnd + 2;
    if (begin + length > framed.length) throw new BadReply('a chunk of the reply is cut short');
    total += length;
    if (total > maxBytes) throw new BadReply('the reply is too large');
    parts.push(framed.subarray(begin, begin + length));
    at = begin + length + 2;
  }
}
