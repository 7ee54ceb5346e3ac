// Bounded HTTP GETs over kept connections. The http modules are loaded at the first request.

import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { promisify } from 'node:util';
import type { ZlibOptions } from 'node:zlib';
import { formatIp } from '../../../base/address.ts';
import { concatBytes } from '../../../base/bytes.ts';
import type { Http, HttpRequest, HttpResponse } from '../../../ports/http.ts';
import { errnoOf, networkError } from '../system-errors.ts';

const MAX_REDIRECTS = 5;

/** Headers that belong to the host that they were meant for. */
const PRIVATE_HEADERS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** Idle connections live this long: announces of many torrents follow each other, and most servers wait 5 s or more. */
const KEPT_MS = 4000;
/** Of one host. */
const MAX_KEPT = 32;

export interface NodeHttp extends Http {
  /** Closes idle connections. They would not keep the program running. */
  close(): void;
}

export function createNodeHttp(): NodeHttp {
  const connections = new Connections();
  return { get: (request) => get(request, connections), close: () => connections.close() };
}

/** Ends a request from outside: by its signal, or because it takes too long. */
interface Guard {
  reason: Error | null;
  sent: ClientRequest | null;
}

async function get(request: HttpRequest, connections: Connections): Promise<HttpResponse> {
  request.signal?.throwIfAborted();
  const guard: Guard = { reason: null, sent: null };
  const stop = (reason: Error): void => {
    guard.reason ??= reason;
    guard.sent?.destroy(guard.reason);
  };
  const onAbort = (): void => stop(request.signal!.reason as Error);
  request.signal?.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => stop(new Error('no answer in time')), request.timeoutMs);
  try {
    return await follow(request, guard, connections);
  } catch (error) {
    request.signal?.throwIfAborted();
    throw networkError('HTTP_FAILED', guard.reason ?? error, `get ${hostOf(request.url)}`);
  } finally {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', onAbort);
  }
}

async function follow(request: HttpRequest, guard: Guard, connections: Connections): Promise<HttpResponse> {
  let url = parseUrl(request.url);
  let headers: Record<string, string> = { 'accept-encoding': 'gzip, deflate', ...request.headers };
  for (let redirects = 0; ; redirects++) {
    const incoming = await connections.send(url, headers, request.from, guard);
    const location = incoming.headers.location;
    if (location === undefined || ![301, 302, 303, 307, 308].includes(incoming.statusCode ?? 0)) {
      const body = await readBody(incoming, request.maxBytes);
      if (guard.reason) throw guard.reason;
      return { status: incoming.statusCode ?? 0, headers: flatten(incoming), body, url: url.href };
    }
    incoming.destroy();
    if (redirects === MAX_REDIRECTS) throw new Error(`more than ${MAX_REDIRECTS} redirects`);
    const target = parseUrl(location, url);
    if (target.origin !== url.origin) headers = withoutPrivate(headers);
    url = target;
  }
}

/** Connections by scheme, kept for the next request to the same host. */
class Connections {
  readonly #agents = new Map<string, Agent>();

  /** Resolves with the response once its headers are there; `guard` goes on to guard the body. */
  async send(
    url: URL,
    headers: Record<string, string>,
    from: Uint8Array | undefined,
    guard: Guard,
  ): Promise<IncomingMessage> {
    const { Agent, request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
    if (guard.reason) throw guard.reason;
    let agent = this.#agents.get(url.protocol);
    if (!agent) {
      agent = new Agent({ keepAlive: true, maxFreeSockets: MAX_KEPT, timeout: KEPT_MS });
      this.#agents.set(url.protocol, agent);
    }
    const options: RequestOptions = {
      headers,
      agent,
      ...(from && { localAddress: formatIp(from), family: from.length === 4 ? 4 : 6 }),
    };
    return new Promise((resolve, reject) => {
      const sent: ClientRequest = request(url, options);
      guard.sent = sent;
      // Kept for the life of the connection: what fails after the response is told by the response.
      sent.on('error', (error) => {
        // The server closed the connection that it had kept while we were writing.
        const wasStale = sent.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(errnoOf(error)) && !guard.reason;
        if (wasStale) resolve(this.send(url, headers, from, guard));
        else reject(error);
      });
      sent.on('response', resolve);
      sent.end();
    });
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
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

async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const encoding = incoming.headers['content-encoding']?.trim().toLowerCase() ?? '';
  const isEncoded = encoding !== '' && encoding !== 'identity';
  if (isEncoded && !KNOWN_ENCODINGS.has(encoding)) {
    incoming.destroy();
    throw new Error(`the answer has the unknown encoding "${encoding}"`);
  }
  const received = await receive(incoming, isEncoded ? maxBytes + ENCODING_OVERHEAD_BYTES : maxBytes);
  if (!incoming.complete) throw new Error('the answer broke off');
  return isEncoded && received.length > 0 ? decode(received, maxBytes) : received;
}

/** A connection whose answer was not read to its end is closed. */
function receive(incoming: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = [];
    let length = 0;
    incoming.on('data', (chunk: Uint8Array) => {
      length += chunk.length;
      if (length > maxBytes) incoming.destroy(tooLong(maxBytes));
      else parts.push(chunk);
    });
    incoming.on('end', () => resolve(concatBytes(parts)));
    incoming.on('error', reject);
    incoming.on('close', () => reject(new Error('the answer broke off')));
  });
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
