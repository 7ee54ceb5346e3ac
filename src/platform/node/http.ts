// One bounded HTTP GET at a time, without kept connections. The http modules are loaded at the first request.

import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { promisify } from 'node:util';
import type { ZlibOptions } from 'node:zlib';
import { formatIp } from '../../base/address.ts';
import { concatBytes } from '../../base/bytes.ts';
import type { Http, HttpRequest, HttpResponse } from '../../ports/http.ts';
import { errnoOf, networkError } from './system-errors.ts';

const MAX_REDIRECTS = 5;

/** Headers that belong to the host that they were meant for. */
const PRIVATE_HEADERS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);

export function createNodeHttp(): Http {
  return { get };
}

async function get(request: HttpRequest): Promise<HttpResponse> {
  request.signal?.throwIfAborted();
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(request.signal?.reason);
  request.signal?.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => stop.abort(new Error('no answer in time')), request.timeoutMs);
  try {
    return await follow(request, stop.signal);
  } catch (error) {
    request.signal?.throwIfAborted();
    const cause = stop.signal.aborted ? stop.signal.reason : error;
    throw networkError('HTTP_FAILED', cause, `get ${hostOf(request.url)}`);
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', onAbort);
  }
}

async function follow(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  let url = parseUrl(request.url);
  let headers: Record<string, string> = { 'accept-encoding': 'gzip, deflate', ...request.headers };
  for (let redirects = 0; ; redirects++) {
    const incoming = await send(url, headers, request.from, signal);
    const location = incoming.headers.location;
    if (location === undefined || ![301, 302, 303, 307, 308].includes(incoming.statusCode ?? 0)) {
      const body = await readBody(incoming, request.maxBytes, signal);
      return { status: incoming.statusCode ?? 0, headers: flatten(incoming), body, url: url.href };
    }
    incoming.destroy();
    if (redirects === MAX_REDIRECTS) throw new Error(`more than ${MAX_REDIRECTS} redirects`);
    const target = parseUrl(location, url);
    if (target.origin !== url.origin) headers = withoutPrivate(headers);
    url = target;
  }
}

function parseUrl(text: string, base?: URL): URL {
  let url: URL;
  try {
    url = new URL(text, base);
  } catch {
    throw new Error('the URL is not valid');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error('the URL is neither http nor https');
  return url;
}

/** Resolves with the response once its headers are there; `signal` goes on to guard the body. */
async function send(
  url: URL,
  headers: Record<string, string>,
  from: Uint8Array | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  signal.throwIfAborted();
  const options: RequestOptions = {
    headers,
    agent: false,
    signal,
    ...(from && { localAddress: formatIp(from), family: from.length === 4 ? 4 : 6 }),
  };
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = request(url, options);
    // Kept for the life of the connection: what fails after the response is told by the response.
    sent.on('error', reject);
    sent.on('response', resolve);
    sent.end();
  });
}

async function readBody(incoming: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  const encoding = incoming.headers['content-encoding']?.trim().toLowerCase() ?? '';
  const isEncoded = encoding !== '' && encoding !== 'identity';
  if (isEncoded && !KNOWN_ENCODINGS.has(encoding)) throw new Error(`the answer has the unknown encoding "${encoding}"`);
  const received = await receive(incoming, isEncoded ? maxBytes + ENCODING_OVERHEAD_BYTES : maxBytes);
  signal.throwIfAborted();
  if (!incoming.complete) throw new Error('the answer broke off');
  return isEncoded && received.length > 0 ? decode(received, maxBytes) : received;
}

async function receive(incoming: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > maxBytes) throw tooLong(maxBytes);
      parts.push(chunk);
    }
    return concatBytes(parts);
  } finally {
    incoming.destroy();
  }
}

const KNOWN_ENCODINGS: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate']);

/** gzip and deflate never lengthen data by more than their headers and a few bytes each 16 KiB. */
const ENCODING_OVERHEAD_BYTES = 64 * 1024;

/** Some servers send deflate without the zlib header that the standard asks for (RFC 9110, 8.4.1.2). */
async function decode(encoded: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const zlib = await import('node:zlib');
  const hasHeader = encoded[0] === 0x1f || (encoded[0]! & 0x0f) === 8;
  const inflate = promisify<Uint8Array, ZlibOptions, Uint8Array>(hasHeader ? zlib.unzip : zlib.inflateRaw);
  const decoded = await inflate(encoded, { maxOutputLength: Math.max(maxBytes, 1) }).catch((error: unknown) => {
    const isTooLong = errnoOf(error) === 'ERR_BUFFER_TOO_LARGE';
    throw isTooLong ? tooLong(maxBytes) : new Error('the encoded answer is damaged', { cause: error });
  });
  if (decoded.length > maxBytes) throw tooLong(maxBytes);
  return new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.length);
}

function flatten(incoming: IncomingMessage): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) out[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return out;
}

function withoutPrivate(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !PRIVATE_HEADERS.has(name.toLowerCase())));
}

/** Scheme and host only: paths of trackers hold passkeys. */
function hostOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    return 'the URL';
  }
}

function tooLong(maxBytes: number): Error {
  return new Error(`the answer is longer than ${maxBytes} bytes`);
}
