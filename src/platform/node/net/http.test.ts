import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import net from 'node:net';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../../../base/bytes.ts';
import { createNodeHttp } from './http.ts';

const http = createNodeHttp();
const limits = { maxBytes: 100_000, timeoutMs: 10_000 };
const opened: net.Server[] = [];

afterEach(async () => {
  for (const server of opened.splice(0)) {
    server.close();
    if ('closeAllConnections' in server) (server as ReturnType<typeof createServer>).closeAllConnections();
  }
});

/** The URL of a server on loopback. */
async function serve(listener: RequestListener): Promise<string> {
  return listening(createServer(listener));
}

async function listening(server: net.Server): Promise<string> {
  opened.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

describe('HTTP over Node', () => {
  it('decodes gzip and both kinds of deflate', async () => {
    const text = 'swarm '.repeat(1000);
    const encoded: Record<string, [string, Uint8Array]> = {
      '/gzip': ['gzip', gzipSync(text)],
      '/x-gzip': ['x-gzip', gzipSync(text)],
      '/zlib': ['deflate', deflateSync(text)],
      '/raw': ['deflate', deflateRawSync(text)],
      '/none': ['identity', utf8(text)],
    };
    const url = await serve((request, response) => {
      const [encoding, body] = encoded[request.url!]!;
      response.setHeader('content-encoding', encoding).end(body);
    });
    for (const path of Object.keys(encoded)) {
      expect(fromUtf8((await http.get({ url: url + path, ...limits })).body)).toBe(text);
    }
  });

  it('uses a connection again, and another one where the server has closed it meanwhile', async () => {
    let connections = 0;
    const server = createServer((request, response) => {
      if (request.url === '/closing') request.socket.destroy();
      else response.end(request.url);
    });
    server.on('connection', () => connections++);
    const url = await listening(server);
    for (const path of ['/a', '/b', '/c']) {
      expect(fromUtf8((await http.get({ url: url + path, ...limits })).body)).toBe(path);
    }
    expect(connections).toBe(1);
    // The kept connection is closed without an answer, and so is the fresh one: that is a failure, told once.
    await expect(http.get({ url: `${url}/closing`, ...limits })).rejects.toMatchObject({ code: 'HTTP_FAILED' });
    expect(connections).toBe(2);
    expect(fromUtf8((await http.get({ url: `${url}/d`, ...limits })).body)).toBe('/d');
  });

  it('counts decoded bytes, so that a small answer cannot fill the memory', async () => {
    const bomb = gzipSync(new Uint8Array(50_000_000));
    expect(bomb.length).toBeLessThan(limits.maxBytes);
    const url = await serve((_, response) => response.setHeader('content-encoding', 'gzip').end(bomb));
    await expect(http.get({ url, ...limits })).rejects.toMatchObject({ code: 'HTTP_FAILED' });
  });

  it('ends an encoded answer that decodes to nothing for ever', async () => {
    const url = await serve((_, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.on('error', () => undefined);
      // A gzip header, then stored blocks of no bytes.
      response.write(Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3));
      const empty = new Uint8Array(50_000).map((_, i) => [0, 0, 0, 0xff, 0xff][i % 5]!);
      const more = (): void => {
        if (!response.destroyed) response.write(empty, () => setImmediate(more));
      };
      more();
    });
    await expect(http.get({ url, ...limits })).rejects.toMatchObject({ code: 'HTTP_FAILED' });
  });

  it('fails on damaged and unknown encodings', async () => {
    const url = await serve((request, response) => {
      response.setHeader('content-encoding', request.url === '/br' ? 'br' : 'gzip').end('not what it says');
    });
    await expect(http.get({ url, ...limits })).rejects.toMatchObject({ code: 'HTTP_FAILED' });
    await expect(http.get({ url: `${url}/br`, ...limits })).rejects.toMatchObject({ code: 'HTTP_FAILED' });
  });

  it('fails when the answer breaks off, encoded or not', async () => {
    for (const headers of ['', 'content-encoding: gzip\r\n']) {
      const server = net.createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${headers}content-length: 100\r\n\r\nshort`));
      });
      const url = await listening(server);
      await expect(http.get({ url, ...limits })).rejects.toMatchObject({ code: 'HTTP_FAILED' });
    }
  });

  it('fails on what is not HTTP, and on an answer that never ends in time', async () => {
    const noise = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('220 mail ready\r\n');
    });
    await expect(http.get({ url: await listening(noise), ...limits })).rejects.toMatchObject({ code: 'HTTP_FAILED' });
    const slow = await serve((_, response) => {
      response.write('x');
    });
    const work = http.get({ url: slow, maxBytes: 100, timeoutMs: 50 });
    await expect(work).rejects.toMatchObject({ code: 'HTTP_FAILED', message: expect.stringContaining('in time') });
  });

  it('takes secrets to the host they are for only, and leads to http and https only', async () => {
    const seen: (string | undefined)[] = [];
    const target = await serve((request, response) => {
      seen.push(request.headers.authorization, request.headers['user-agent']);
      response.end('there');
    });
    const url = await serve((request, response) => {
      const to = request.url === '/file' ? 'file:///etc/hostname' : target;
      response.writeHead(302, { location: to }).end();
    });
    const headers = { Authorization: 'Basic c2VjcmV0', 'user-agent': 'shoal' };
    const response = await http.get({ url, headers, ...limits });
    expect(response).toMatchObject({ status: 200, url: `${target}/` });
    expect(seen).toEqual([undefined, 'shoal']);
    await expect(http.get({ url: `${url}/file`, ...limits })).rejects.toMatchObject({ code: 'HTTP_FAILED' });
    await expect(http.get({ url: 'ftp://127.0.0.1/', ...limits })).rejects.toMatchObject({ code: 'HTTP_FAILED' });
    await expect(http.get({ url: 'no url', ...limits })).rejects.toMatchObject({ code: 'HTTP_FAILED' });
  });

  it('names the host in errors, and never the path, which may hold a passkey', async () => {
    const url = `${await serve((_, response) => response.socket!.destroy())}/secret/announce?key=secret`;
    const error = await http.get({ url, ...limits }).catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ code: 'HTTP_FAILED' });
    expect((error as Error).message).toContain('127.0.0.1');
    expect((error as Error).message).not.toContain('secret');
  });

  it('leaves from the address that is asked for', async () => {
    let remote: string | undefined;
    const url = await serve((request, response) => {
      remote = request.socket.remoteAddress;
      response.end();
    });
    await http.get({ url, ...limits, from: Uint8Array.of(127, 0, 0, 9) });
    expect(remote).toBe('127.0.0.9');
  });
});
