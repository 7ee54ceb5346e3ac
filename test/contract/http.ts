// What every Http does, against a server of a few lines over Sockets.

import { describe, expect, it } from 'vitest';
import { Address } from '../../src/base/address.ts';
import { concatBytes, equalBytes, fromUtf8Loose, latin1, utf8 } from '../../src/base/bytes.ts';
import { sleep } from '../../src/ports/clock.ts';
import type { ByteStream } from '../../src/ports/sockets.ts';
import { pattern } from './recorder.ts';
import { type ContractHost, inWorld, type MakeWorld } from './world.ts';

interface Server {
  readonly url: string;
  /** Heads of the requests that came. */
  readonly requests: string[];
  readonly remotes: Address[];
  close(): Promise<void>;
}

/** Sends what `answer` gives for a path and ends; null: says nothing. */
async function serve(host: ContractHost, answer: (path: string) => Uint8Array | null): Promise<Server> {
  const requests: string[] = [];
  const remotes: Address[] = [];
  const open = new Set<ByteStream>();
  const closed: Promise<void>[] = [];
  const accept = (stream: ByteStream): void => {
    let head = '';
    open.add(stream);
    remotes.push(stream.remote);
    let isClosed!: () => void;
    closed.push(
      new Promise((resolve) => {
        isClosed = resolve;
      }),
    );
    stream.attach({
      onChunk: (chunk) => {
        head += latin1(chunk);
        if (!head.endsWith('\r\n\r\n')) return;
        requests.push(head);
        const reply = answer(head.split(' ')[1] ?? '');
        if (reply === null) return;
        stream.write([reply]);
        stream.end();
      },
      onClose: () => {
        open.delete(stream);
        isClosed();
      },
    });
  };
  const listener = await host.env.sockets.listen({ ip: host.ip, port: 0 }, accept);
  return {
    url: `http://${listener.address.key}`,
    requests,
    remotes,
    close: async () => {
      for (const stream of open) stream.destroy();
      await Promise.all([...closed, listener.close()]);
    },
  };
}

function reply(status: string, headers: readonly string[], body: Uint8Array): Uint8Array {
  return concatBytes([utf8(`${[`HTTP/1.1 ${status}`, ...headers].join('\r\n')}\r\n\r\n`), body]);
}

const LIMITS = { maxBytes: 100_000, timeoutMs: 5000 };

export function httpContract(name: string, makeWorld: MakeWorld): void {
  describe(`Http: ${name}`, () => {
    describe('answers', () => answers(makeWorld));
    describe('limits', () => limits(makeWorld));
  });
}

function answers(makeWorld: MakeWorld): void {
  it('gets a body of a given length, with the query as it is', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const body = pattern(70_000);
      const server = await serve(b, () => reply('200 OK', ['Content-Length: 70000', 'X-Thing:  some Value '], body));
      const url = `${server.url}/announce?info_hash=%00%ff%7E&a=b+c`;
      const got = await a.env.http.get({ url, ...LIMITS, headers: { 'X-Mine': 'yes' } });
      expect(got.status).toBe(200);
      expect(equalBytes(got.body, body)).toBe(true);
      expect(got.headers['x-thing']).toBe('some Value');
      expect(got.url).toBe(url);
      const head = server.requests[0]!;
      expect(head.startsWith('GET /announce?info_hash=%00%ff%7E&a=b+c HTTP/1.1\r\n')).toBe(true);
      expect(head.toLowerCase()).toContain(`\r\nhost: ${server.url.slice('http://'.length)}\r\n`);
      expect(head.toLowerCase()).toContain('\r\nx-mine: yes\r\n');
      await server.close();
    }));

  it('gets a body that ends with the connection, and a chunked one', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const chunked = utf8('4\r\nshoa\r\n6;x=y\r\nl of f\r\n3\r\nish\r\n0\r\n\r\n');
      const server = await serve(b, (path) =>
        path === '/open'
          ? reply('200 OK', ['Connection: close'], utf8('until the end'))
          : reply('200 OK', ['Transfer-Encoding: chunked'], chunked),
      );
      const open = await a.env.http.get({ url: `${server.url}/open`, ...LIMITS });
      expect(fromUtf8Loose(open.body)).toBe('until the end');
      const pieces = await a.env.http.get({ url: `${server.url}/chunked`, ...LIMITS });
      expect(fromUtf8Loose(pieces.body)).toBe('shoal of fish');
      await server.close();
    }));

  it('resolves with any status', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const server = await serve(b, () => reply('404 Not Found', ['Content-Length: 4'], utf8('gone')));
      const got = await a.env.http.get({ url: `${server.url}/`, ...LIMITS });
      expect([got.status, fromUtf8Loose(got.body)]).toEqual([404, 'gone']);
      await server.close();
    }));

  it('follows redirects, relative ones too, and says where they end', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const server: Server = await serve(b, (path) => {
        if (path === '/one') return reply('302 Found', [`Location: ${server.url}/two`, 'Content-Length: 0'], utf8(''));
        if (path === '/two') return reply('301 Moved', ['Location: three?x=1', 'Content-Length: 0'], utf8(''));
        return reply('200 OK', ['Content-Length: 2'], utf8('ok'));
      });
      const got = await a.env.http.get({ url: `${server.url}/one`, ...LIMITS });
      expect(got.url).toBe(`${server.url}/three?x=1`);
      expect(fromUtf8Loose(got.body)).toBe('ok');
      await server.close();
    }));

  it('leaves from the address that it is told', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const server = await serve(b, () => reply('200 OK', ['Content-Length: 0'], utf8('')));
      await a.env.http.get({ url: `${server.url}/`, ...LIMITS, from: a.ip });
      expect(server.remotes[0]!.host).toBe(new Address(a.ip, 0).host);
      await server.close();
    }));
}

function limits(makeWorld: MakeWorld): void {
  const failed = { code: 'HTTP_FAILED' };

  it('fails where nobody listens, and for a name that there is not', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const server = await serve(b, () => null);
      await server.close();
      await expect(a.env.http.get({ url: `${server.url}/`, ...LIMITS })).rejects.toMatchObject(failed);
      const url = 'http://no-such-host.invalid/';
      await expect(a.env.http.get({ url, ...LIMITS })).rejects.toMatchObject(failed);
    }));

  it('fails where no answer comes in time', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const server = await serve(b, () => null);
      const got = a.env.http.get({ url: `${server.url}/`, maxBytes: 10, timeoutMs: 150 });
      await expect(got).rejects.toMatchObject(failed);
      await server.close();
    }));

  it('fails for a body that is too large, said before or not', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const server = await serve(b, (path) =>
        reply('200 OK', path === '/said' ? ['Content-Length: 5001'] : [], pattern(5001)),
      );
      for (const path of ['/said', '/unsaid']) {
        const got = a.env.http.get({ url: server.url + path, maxBytes: 5000, timeoutMs: 5000 });
        await expect(got).rejects.toMatchObject(failed);
        const enough = await a.env.http.get({ url: server.url + path, maxBytes: 5001, timeoutMs: 5000 });
        expect(enough.body.length).toBe(5001);
      }
      await server.close();
    }));

  it('fails for redirects without end, and to what is no web address', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const server = await serve(b, (path) =>
        reply(
          '302 Found',
          [`Location: ${path === '/ftp' ? 'ftp://example.org/' : '/again'}`, 'Content-Length: 0'],
          utf8(''),
        ),
      );
      await expect(a.env.http.get({ url: `${server.url}/`, ...LIMITS })).rejects.toMatchObject(failed);
      expect(server.requests.length).toBe(6);
      await expect(a.env.http.get({ url: `${server.url}/ftp`, ...LIMITS })).rejects.toMatchObject(failed);
      await server.close();
    }));

  it('fails for a reply that is cut short or is no HTTP', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const server = await serve(b, (path) =>
        path === '/short' ? reply('200 OK', ['Content-Length: 100'], utf8('short')) : utf8('SSH-2.0-OpenSSH\r\n\r\n'),
      );
      await expect(a.env.http.get({ url: `${server.url}/short`, ...LIMITS })).rejects.toMatchObject(failed);
      await expect(a.env.http.get({ url: `${server.url}/ssh`, ...LIMITS })).rejects.toMatchObject(failed);
      await server.close();
    }));

  it('stops by its signal, with its reason', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const server = await serve(b, () => null);
      const stop = new AbortController();
      const reason = new Error('enough');
      a.env.clock.after(60, () => stop.abort(reason));
      const got = a.env.http.get({ url: `${server.url}/`, ...LIMITS, signal: stop.signal });
      await expect(got).rejects.toBe(reason);
      await expect(a.env.http.get({ url: `${server.url}/`, ...LIMITS, signal: stop.signal })).rejects.toBe(reason);
      await sleep(a.env.clock, 50);
      await server.close();
    }));
}
