// The Http port over simulated streams: one GET a connection. There is no TLS and no compression in the simulated world.

import { Address, parseIp } from '../../base/address.ts';
import { fromLatin1 } from '../../base/bytes.ts';
import { describeError, isShoalError, ShoalError } from '../../base/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Http, HttpRequest, HttpResponse } from '../../ports/http.ts';
import type { Sockets } from '../../ports/sockets.ts';
import { BadReply, HttpReplyReader } from './http-reply.ts';
import { abortable } from './sockets.ts';

const MAX_REDIRECTS = 5;

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export class SimHttp implements Http {
  readonly #clock: Clock;
  readonly #sockets: Sockets;

  constructor(clock: Clock, sockets: Sockets) {
    this.#clock = clock;
    this.#sockets = sockets;
  }

  async get(request: HttpRequest): Promise<HttpResponse> {
    request.signal?.throwIfAborted();
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(request.signal!.reason);
    request.signal?.addEventListener('abort', onAbort, { once: true });
    const timer = this.#clock.after(request.timeoutMs, () => {
      stop.abort(new ShoalError('HTTP_FAILED', `cannot get ${request.url}: no answer in time`));
    });
    try {
      return await this.#follow(request, stop.signal);
    } catch (error) {
      if (request.signal?.aborted || isShoalError(error, 'HTTP_FAILED')) throw error;
      throw new ShoalError('HTTP_FAILED', `cannot get ${request.url}: ${describeError(error)}`, error);
    } finally {
      timer.cancel();
      request.signal?.removeEventListener('abort', onAbort);
    }
  }

  async #follow(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    let url = request.url;
    for (let redirects = 0; ; redirects++) {
      const reply = await this.#once(url, request, signal);
      const target = reply.headers.location;
      if (![301, 302, 303, 307, 308].includes(reply.status) || target === undefined) return { ...reply, url };
      if (redirects === MAX_REDIRECTS) throw new BadReply('too many redirects');
      url = new URL(target, url).href;
    }
  }

  async #once(text: string, request: HttpRequest, signal: AbortSignal): Promise<Reply> {
    const url = new URL(text);
    if (url.protocol !== 'http:') throw new BadReply(`the simulated world has no ${url.protocol}`);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const ip = parseIp(host) ?? (await this.#sockets.resolve(host, { signal }))[0]!;
    const to = new Address(ip, url.port === '' ? 80 : Number(url.port));
    const lines = [`GET ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`, 'Connection: close'];
    for (const [name, value] of Object.entries(request.headers ?? {})) lines.push(`${name}: ${value}`);
    return this.#exchange(to, fromLatin1(`${lines.join('\r\n')}\r\n\r\n`), request, signal);
  }

  #exchange(to: Address, head: Uint8Array, request: HttpRequest, signal: AbortSignal): Promise<Reply> {
    const stream = this.#sockets.connect(to, request.from ? { from: request.from } : {});
    const reader = new HttpReplyReader(request.maxBytes);
    const answer = new Promise<Reply>((resolve, reject) => {
      const finish = (): void => {
        try {
          const body = reader.body();
          const encoding = reader.headers['content-encoding'];
          if (encoding !== undefined && encoding !== 'identity') throw new BadReply('the reply is compressed');
          resolve({ status: reader.status, headers: reader.headers, body });
        } catch (error) {
          reject(error);
        }
        stream.destroy();
      };
      stream.attach({
        onOpen: () => stream.write([head]),
        onChunk: (chunk) => {
          try {
            if (reader.push(chunk)) finish();
          } catch (error) {
            reject(error);
            stream.destroy();
          }
        },
        onEnd: finish,
        onClose: (error) => reject(error ?? new BadReply('the connection was closed')),
      });
    });
    return abortable(answer, signal).finally(() => stream.destroy());
  }
}
