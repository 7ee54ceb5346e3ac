// One bounded HTTP GET at a time, without kept connections. The http modules are loaded at the first request.

import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Transform } from 'node:stream';
import { formatIp } from '../../base/address.ts';
import { concatBytes } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Http, HttpRequest, HttpResponse } from '../../ports/http.ts';
import { networkError } from './system-errors.ts';

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
  const timer = setTimeout(() => stop.abort(failed('no answer in time')), request.timeoutMs);
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
    if (redirects === MAX_REDIRECTS) throw failed(`more than ${MAX_REDIRECTS} redirects`);
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
    throw failed('the URL is not valid');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw failed('the URL is neither http nor https');
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
  const parts: Uint8Array[] = [];
  let length = 0;
  let total = 0;
  const count = (chunk: Uint8Array, soFar: number): number => {
    if (soFar + chunk.length > maxBytes) throw failed(`the answer is longer than ${maxBytes} bytes`);
    return soFar + chunk.length;
  };
  try {
    const decoder = await decoderFor(incoming);
    if (decoder === null) {
      for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
        length = count(chunk, length);
        parts.push(chunk);
      }
    } else {
      incoming.on('error', (error) => decoder.destroy(error));
      incoming.on('data', (chunk: Uint8Array) => {
        // Encoded bytes are limited too: a stream of empty blocks decodes to nothing for ever.
        total += chunk.length;
        if (total > maxBytes + ENCODING_OVERHEAD_BYTES) decoder.destroy(failed('the encoded answer is too long'));
      });
      incoming.pipe(decoder);
      for await (const chunk of decoder as AsyncIterable<Uint8Array>) {
        length = count(chunk, length);
        parts.push(chunk);
      }
    }
    signal.throwIfAborted();
    if (!incoming.complete) throw failed('the answer broke off');
    return concatBytes(parts);
  } finally {
    incoming.destroy();
  }
}

/** gzip and deflate never lengthen data by more than their headers and a few bytes each 16 KiB. */
const ENCODING_OVERHEAD_BYTES = 64 * 1024;

async function decoderFor(incoming: IncomingMessage): Promise<Transform | null> {
  const encoding = incoming.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === '') return null;
  const zlib = await import('node:zlib');
  // What follows a truncated or padded gzip stream is cut off without an error, as browsers do.
  if (encoding === 'gzip' || encoding === 'x-gzip' || encoding === 'deflate') return zlib.createUnzip();
  throw failed(`the answer has the unknown encoding "${encoding}"`);
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

function failed(what: string): ShoalError {
  return new ShoalError('HTTP_FAILED', what);
}
