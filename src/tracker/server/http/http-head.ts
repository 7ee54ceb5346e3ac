// The head of an HTTP/1.1 request, read in place from raw bytes: no strings. Only what a tracker needs of it.

import { fromLatin1, latin1 } from '../../../base/bytes.ts';

/** Longest head: browsers send 2 KiB, a scrape of a hundred info hashes 8. What is longer is abuse. */
export const MAX_HEAD_LENGTH = 8192;

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const QUESTION = 0x3f;
const SLASH = 0x2f;
const HASH = 0x23;
const LOWER = 0x20;

const GET = fromLatin1('GET');
const HEAD = fromLatin1('HEAD');
const HTTP_1 = fromLatin1('HTTP/1.');
const SCHEME_END = fromLatin1('://');
const CONNECTION = fromLatin1('connection');
const CONTENT_LENGTH = fromLatin1('content-length');
const TRANSFER_ENCODING = fromLatin1('transfer-encoding');
const UPGRADE = fromLatin1('upgrade');
const WEBSOCKET = fromLatin1('websocket');
const FORWARDED_FOR = fromLatin1('x-forwarded-for');
const CLOSE = fromLatin1('close');
const KEEP_ALIVE = fromLatin1('keep-alive');

/** Where the parts of a request stand in its bytes; filled again for every request. */
export class RequestHead {
  isHead = false;
  pathStart = 0;
  pathEnd = 0;
  queryStart = 0;
  queryEnd = 0;
  /** The lines after the first. */
  fieldsStart = 0;
  fieldsEnd = 0;
  /** The client takes another reply on this connection. */
  keepAlive = false;
  /** HTTP/1.0, which has to be told that the connection stays. */
  isOld = false;
  /** The last `X-Forwarded-For` field; empty where there is none. */
  forwardedStart = 0;
  forwardedEnd = 0;
  /** The client wants to speak WebSocket on this connection. What else one may upgrade to is not for us: it is answered as it is. */
  isUpgrade = false;
  /** 0, or the HTTP status that the request deserves instead of an answer; the connection ends with it. */
  fault = 0;
}

/**
 * Reads a request head from `bytes[start..end)`. Returns the position behind it, or -1 where it is not complete. Lines
 * end with LF, with or without CR. A request with a body is a fault: a GET has no use for one, and where it ends might
 * be disputed.
 */
export function readHead(bytes: Uint8Array, start: number, end: number, head: RequestHead): number {
  let lineEnd = bytes.indexOf(LF, start);
  if (lineEnd < 0 || lineEnd >= end) return -1;
  head.fault = readRequestLine(bytes, start, trimEnd(bytes, start, lineEnd), head);
  head.fieldsStart = lineEnd + 1;
  for (;;) {
    const lineStart = lineEnd + 1;
    lineEnd = bytes.indexOf(LF, lineStart);
    if (lineEnd < 0 || lineEnd >= end) return -1;
    const lineStop = trimEnd(bytes, lineStart, lineEnd);
    if (lineStop === lineStart) {
      head.fieldsEnd = lineStart;
      return lineEnd + 1;
    }
    readField(bytes, lineStart, lineStop, head);
  }
}

/** A field's text (of several of one name, the first); for what is asked for rarely. `name` is in lower case. */
export function fieldOf(bytes: Uint8Array, head: RequestHead, name: string): string | null {
  for (const line of latin1(bytes.subarray(head.fieldsStart, head.fieldsEnd)).split('\n')) {
    const colon = line.indexOf(':');
    if (line.slice(0, Math.max(0, colon)).toLowerCase() === name) return line.slice(colon + 1).trim();
  }
  return null;
}

/** By its `Accept-Encoding` (RFC 9110, 12.5.3). */
export function acceptsGzip(bytes: Uint8Array, head: RequestHead): boolean {
  const codings = fieldOf(bytes, head, 'accept-encoding')?.split(',') ?? [];
  return codings.some((coding) => /^\s*(gzip|x-gzip|\*)\s*(;\s*q=(1|0?\.0*[1-9])[\d.]*\s*)?$/i.test(coding));
}

function trimEnd(bytes: Uint8Array, start: number, lineEnd: number): number {
  return lineEnd > start && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
}

function readRequestLine(bytes: Uint8Array, start: number, end: number, head: RequestHead): number {
  head.isHead = false;
  head.isOld = false;
  head.keepAlive = false;
  head.isUpgrade = false;
  head.forwardedStart = 0;
  head.forwardedEnd = 0;
  const methodEnd = find(bytes, start, end, SPACE);
  const targetEnd = find(bytes, methodEnd + 1, end, SPACE);
  if (targetEnd >= end || targetEnd === methodEnd + 1) return 400;
  if (end - targetEnd !== 9 || !matches(bytes, targetEnd + 1, HTTP_1)) return 400;
  const minor = bytes[end - 1]! - 0x30;
  if (minor < 0 || minor > 9) return 400;
  head.isOld = minor === 0;
  head.keepAlive = minor > 0;
  head.isHead = methodEnd - start === HEAD.length && matches(bytes, start, HEAD);
  readTarget(bytes, methodEnd + 1, targetEnd, head);
  return head.isHead || (methodEnd - start === GET.length && matches(bytes, start, GET)) ? 0 : 405;
}

/** `/path?query`, or the absolute form that proxies send. */
function readTarget(bytes: Uint8Array, start: number, end: number, head: RequestHead): void {
  let pathStart = start;
  if (bytes[start] !== SLASH) {
    let at = start;
    while (at < end && !matches(bytes, at, SCHEME_END)) at++;
    pathStart = Math.min(end, find(bytes, at + SCHEME_END.length, end, SLASH));
  }
  const targetEnd = find(bytes, pathStart, end, HASH);
  head.pathStart = pathStart;
  head.pathEnd = find(bytes, pathStart, targetEnd, QUESTION);
  head.queryStart = Math.min(head.pathEnd + 1, targetEnd);
  head.queryEnd = targetEnd;
}

function readField(bytes: Uint8Array, start: number, end: number, head: RequestHead): void {
  const first = bytes[start]! | LOWER;
  // Of all names only those of `connection`, `content-length`, `transfer-encoding`, `upgrade` and `x-forwarded-for` matter.
  if (first !== 0x63 && first !== 0x74 && first !== 0x75 && first !== 0x78) return;
  const nameEnd = find(bytes, start, end, COLON);
  if (nameEnd === end) return;
  if (isName(bytes, start, nameEnd, CONNECTION)) {
    if (hasToken(bytes, nameEnd + 1, end, CLOSE)) head.keepAlive = false;
    else if (hasToken(bytes, nameEnd + 1, end, KEEP_ALIVE)) head.keepAlive = true;
  } else if (isName(bytes, start, nameEnd, CONTENT_LENGTH)) {
    if (!isZero(bytes, nameEnd + 1, end)) head.fault ||= 413;
  } else if (isName(bytes, start, nameEnd, TRANSFER_ENCODING)) head.fault ||= 413;
  else if (isName(bytes, start, nameEnd, UPGRADE)) head.isUpgrade = hasToken(bytes, nameEnd + 1, end, WEBSOCKET);
  else if (isName(bytes, start, nameEnd, FORWARDED_FOR)) {
    head.forwardedStart = nameEnd + 1;
    head.forwardedEnd = end;
  }
}

function find(bytes: Uint8Array, start: number, end: number, wanted: number): number {
  let at = start;
  while (at < end && bytes[at] !== wanted) at++;
  return Math.min(at, end);
}

function matches(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

function isName(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  return end - start === name.length && matchesLower(bytes, start, name);
}

/** `wanted` is in lower case and has letters and hyphens only. */
function matchesLower(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if ((bytes[at + i]! | LOWER) !== wanted[i]) return false;
  return true;
}

function hasToken(bytes: Uint8Array, start: number, end: number, token: Uint8Array): boolean {
  for (let at = start; at + token.length <= end; at++) if (matchesLower(bytes, at, token)) return true;
  return false;
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== 0x30 && bytes[at] !== SPACE && bytes[at] !== TAB) return false;
  }
  return true;
}
