// HTTP for the site: takes over connections whose request is not for the tracker, reads one request, passes it on, answers
// and closes. All that a client can make us keep is bounded in bytes and in time.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ShoalError } from '../../base/errors.ts';
import type { ByteStream } from '../../ports/sockets.ts';
import { faultResponse } from './api-context.ts';
import { HttpStream } from './http-stream.ts';
import type { SiteRequest, SiteResponse } from './site-protocol.ts';

export interface HttpFrontOptions {
  readonly maxUploadBytes: number;
  /** Bodies under way, all together. */
  readonly maxBodyBytes: number;
  /** May take the body over. */
  readonly fetch: (request: SiteRequest) => Promise<SiteResponse>;
}

/** Connections at once: each may hold a request. */
const MAX_CONNECTIONS = 256;
const HEAD_MS = 10_000;
/** A torrent file of 16 MiB takes a minute at 2 Mbit/s. */
const REQUEST_MS = 90_000;
const CHECK_MS = 2000;
/** For the answer to be made and to get through. */
const ANSWER_MS = 120_000;
/** For the client to close, once the answer is with the system. */
const LINGER_MS = 5000;

export class HttpFront {
  readonly #options: HttpFrontOptions;
  readonly #server: Server;
  readonly #streams = new Set<HttpStream>();
  #bodyBytes = 0;

  constructor(options: HttpFrontOptions) {
    this.#options = options;
    this.#server = createServer(
      { headersTimeout: HEAD_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: CHECK_MS, keepAlive: false },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.on('clientError', (_error, stream) => stream.destroy());
  }

  /** Takes a connection over, in the turn in which it is handed over; `bytes` were read and not answered (owned). */
  accept(stream: ByteStream, bytes: Uint8Array): void {
    const duplex = new HttpStream(stream, bytes);
    duplex.on('error', () => undefined);
    if (this.#streams.size >= MAX_CONNECTIONS) {
      duplex.destroy();
      return;
    }
    this.#streams.add(duplex);
    const deadline = setTimeout(() => duplex.destroy(), REQUEST_MS + ANSWER_MS);
    duplex.once('close', () => {
      clearTimeout(deadline);
      this.#streams.delete(duplex);
    });
    this.#server.emit('connection', duplex);
  }

  /** Ends all connections. */
  close(): void {
    this.#server.close();
    for (const stream of this.#streams) stream.destroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The next request may be for the tracker: who has one connects again.
    response.shouldKeepAlive = false;
    response.once('finish', () => setTimeout(() => request.socket.destroy(), LINGER_MS).unref());
    try {
      const body = await this.#readBody(request);
      // Told before: whoever takes the body over leaves an empty one here.
      const lengthBytes = body?.length ?? 0;
      try {
        write(response, request, await this.#options.fetch(requestOf(request, body)));
      } finally {
        this.#bodyBytes -= lengthBytes;
      }
    } catch (error) {
      if (response.destroyed) return;
      const fault = faultResponse(error);
      write(response, request, {
        status: fault.status,
        headers: [...fault.headers],
        body: new Uint8Array(await fault.arrayBuffer()),
      });
      // Closed with bytes unread, a connection would lose the answer: some of them are read on and thrown away.
      request.resume();
    }
  }

  /** Null where there is none. FILE_TOO_LARGE, TOO_MANY_REQUESTS. What is returned counts until it is given back. */
  async #readBody(request: IncomingMessage): Promise<Uint8Array | null> {
    const { maxUploadBytes, maxBodyBytes } = this.#options;
    if (request.method === 'GET' || request.method === 'HEAD') return null;
    const tooLarge = (): ShoalError => new ShoalError('FILE_TOO_LARGE', `a body may have ${maxUploadBytes} bytes here`);
    if (Number(request.headers['content-length'] ?? 0) > maxUploadBytes) throw tooLarge();
    const chunks: Uint8Array[] = [];
    let length = 0;
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
        length += chunk.length;
        this.#bodyBytes += chunk.length;
        if (length > maxUploadBytes) throw tooLarge();
        if (this.#bodyBytes > maxBodyBytes) {
          throw new ShoalError('TOO_MANY_REQUESTS', 'the tracker is busy: try again in a moment');
        }
        chunks.push(chunk);
      }
    } catch (error) {
      this.#bodyBytes -= length;
      throw error;
    }
    const body = new Uint8Array(length);
    let at = 0;
    for (const chunk of chunks) {
      body.set(chunk, at);
      at += chunk.length;
    }
    return body;
  }
}

/** REQUEST_INVALID where host and path make no URL. */
function requestOf(request: IncomingMessage, body: Uint8Array | null): SiteRequest {
  const { method = 'GET', url = '/', headers, socket } = request;
  const text = `http://${headers.host ?? 'localhost'}${url}`;
  const isHost = /^[\w.:[\]-]+$/.test(headers.host ?? 'localhost');
  if (!(isHost && url.startsWith('/') && URL.canParse(text)) || /^(CONNECT|TRACE|TRACK)$/i.test(method)) {
    throw new ShoalError('REQUEST_INVALID', 'this request cannot be answered');
  }
  const told: [string, string][] = [];
  for (const name of ['authorization', 'content-type', 'accept'] as const) {
    const value = headers[name];
    if (value !== undefined) told.push([name, value]);
  }
  const address = networkOf((socket as unknown as HttpStream).remoteAddress);
  // HEAD is answered as GET; Node leaves the body out.
  const asked = method === 'HEAD' ? 'GET' : method;
  return { method: asked, url: text, headers: told, body: body === null || body.length === 0 ? null : body, address };
}

/** An IPv6 line has a /64 for itself: what is counted by address is counted by that. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = ''] = address.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  return `${[...groups, '0', '0', '0', '0'].slice(0, 4).join(':')}::/64`;
}

function write(response: ServerResponse, request: IncomingMessage, { status, headers, body }: SiteResponse): void {
  const all = Object.fromEntries([...headers, ['content-length', String(body.length)], ['connection', 'close']]);
  response.writeHead(status, all);
  response.end(request.method === 'HEAD' ? undefined : body);
}
