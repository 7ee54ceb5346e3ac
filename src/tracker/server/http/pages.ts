// The files of the tracker's web page, and which of them a request gets. They are plain values, made once by whoever starts
// the tracker: every thread has them, and no request touches a disk.

import { fromLatin1, latin1 } from '../../../base/bytes.ts';
import { acceptsGzip, fieldOf, type RequestHead } from './http-head.ts';

export interface PageFile {
  /** Below the root, without a slash in front: `index.html`, `assets/main-1a2b.js`. */
  readonly path: string;
  /** The Content-Type. */
  readonly type: string;
  readonly bytes: Uint8Array;
  /** The same bytes for clients that take gzip; null: not worth it. */
  readonly gzip: Uint8Array | null;
  /** With its quotes; null: the name changes with the content, so that it may be kept for ever. */
  readonly etag: string | null;
}

/** Of these the page itself makes what it shows. */
const START = 'index.html';
const VIEWS: ReadonlySet<string> = new Set(['', 'search', 'publish']);
/** A view one step below the root: its references go up one step. */
const DEEP_START = 'torrent/index.html';
const DEEP_VIEW = /^torrent\/[0-9a-f]{1,64}$/i;

/** Longer paths are of no page. */
const MAX_PATH = 200;

/**
 * The page loads from where it came from and speaks to that alone; it runs no text as code, shows in no frame, and links
 * tell nobody the address, which may have a passkey in it.
 */
const SECURITY = [
  "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'X-Content-Type-Options: nosniff',
  'Referrer-Policy: no-referrer',
  'Cross-Origin-Resource-Policy: same-origin',
].join('\r\n');

/** A reply but for the end of its head, which depends on the connection. */
export interface PageReply {
  /** Without the last line end. */
  readonly head: Uint8Array;
  /** Lent: nobody writes to it. */
  readonly body: Uint8Array;
}

interface Prepared {
  readonly etag: string | null;
  readonly plain: PageReply;
  readonly zipped: PageReply;
  readonly unchanged: PageReply;
}

export class Pages {
  readonly #files = new Map<string, Prepared>();

  constructor(files: readonly PageFile[]) {
    for (const file of files) this.#files.set(file.path, prepare(file));
  }

  /** Null: there is no such page. */
  find(bytes: Uint8Array, head: RequestHead): PageReply | null {
    const { pathStart, pathEnd } = head;
    if (this.#files.size === 0 || pathEnd - pathStart > MAX_PATH) return null;
    const path = latin1(bytes.subarray(pathStart + 1, pathEnd));
    const name = VIEWS.has(path) ? START : DEEP_VIEW.test(path) ? DEEP_START : path;
    const page = this.#files.get(name);
    if (page === undefined) return null;
    const known = fieldOf(bytes, head, 'if-none-match');
    if (page.etag !== null && known?.includes(page.etag)) return page.unchanged;
    return acceptsGzip(bytes, head) ? page.zipped : page.plain;
  }
}

function prepare({ type, bytes, gzip, etag }: PageFile): Prepared {
  const caching = etag === null ? 'public, max-age=31536000, immutable' : `no-cache\r\nETag: ${etag}`;
  const common = `Cache-Control: ${caching}\r\nVary: Accept-Encoding\r\n${SECURITY}`;
  const reply = (body: Uint8Array, encoding: string): PageReply => ({
    head: fromLatin1(
      `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n${encoding}Content-Length: ${body.length}\r\n${common}`,
    ),
    body,
  });
  return {
    etag,
    plain: reply(bytes, ''),
    zipped: gzip === null ? reply(bytes, '') : reply(gzip, 'Content-Encoding: gzip\r\n'),
    unchanged: { head: fromLatin1(`HTTP/1.1 304 Not Modified\r\n${common}`), body: new Uint8Array(0) },
  };
}
