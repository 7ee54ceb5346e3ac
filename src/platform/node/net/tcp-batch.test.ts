// What the contract of sockets, which this one keeps too, cannot tell: the accepted end as a writer, many at once, ends of all kinds.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { seededChance } from '../../../../test/interop/harness/chance.ts';
import { isShoalError } from '../../../base/errors.ts';
import type { ByteStream, StreamListener, StreamSink } from '../../../ports/sockets.ts';
import { createNodeClock } from '../clock.ts';
import { nativeFile } from '../native.ts';
import { createNodeSockets } from './sockets.ts';
import { acceptBatches, loadTcpBatch, type TcpBatchModule } from './tcp-batch.ts';

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const { listen } = createNodeSockets(createNodeClock());

interface Accepted extends StreamSink {
  readonly stream: ByteStream;
  readonly calls: string[];
  readonly closed: Promise<Error | null>;
}

function echo(stream: ByteStream): Accepted {
  const calls: string[] = [];
  let onClose!: (error: Error | null) => void;
  const closed = new Promise<Error | null>((resolve) => {
    onClose = resolve;
  });
  const sink: Accepted = {
    stream,
    calls,
    closed,
    onChunk: (chunk) => stream.write([chunk.slice()]),
    onWritable: () => void calls.push('writable'),
    onEnd: () => stream.end(),
    onClose,
  };
  stream.attach(sink);
  return sink;
}

async function open(ip: Uint8Array | null, sink = echo): Promise<{ listener: StreamListener; accepted: Accepted[] }> {
  const accepted: Accepted[] = [];
  const listener = await listen({ ip, port: 0, isBrief: true }, (stream) => accepted.push(sink(stream)));
  return { listener, accepted };
}

/** Of the event loop. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
}

async function text(socket: net.Socket): Promise<string> {
  let all = '';
  for await (const chunk of socket) all += String(chunk);
  return all;
}

/** A program that greets whoever connects, and closes when they do. */
const WELCOMER = `
  const place = [Uint8Array.of(127, 0, 0, 1), 0, false, false];
  const fd = require(${JSON.stringify(nativeFile('udp_batch'))}).listen(...place);
  const native = require(${JSON.stringify(nativeFile('tcp_batch'))});
  const memory = new ArrayBuffer(64 * (32 + 16384));
  const heads = new Uint32Array(memory);
  const server = native.open(fd, memory, (count) => {
    for (let i = 0; i < count; i++) {
      const [kind, connection] = heads.subarray(8 * i, 8 * i + 2);
      if (kind === 0) native.write(server, connection, Uint8Array.of(1));
      else native.close(server, connection);
    }
  });
  const own = new Uint8Array(18);
  native.local(server, -1, own);
  process.stdout.write(String(own[16] * 256 + own[17]));`;

/** Whether a byte comes before the end. */
function isWelcomed(socket: net.Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('data', () => resolve(true));
    socket.once('close', () => resolve(false));
  });
}

describe.skipIf(loadTcpBatch() === null)('brief connections', () => {
  it('come by the hundred, and each gets its own bytes back', async () => {
    const { listener, accepted } = await open(LOOPBACK);
    const texts = Array.from({ length: 300 }, (_, i) => `client ${i}`);
    const answers = texts.map((one) => {
      const socket = net.connect(listener.address.port, '127.0.0.1');
      socket.end(one);
      return text(socket);
    });
    expect(await Promise.all(answers)).toEqual(texts);
    expect(await Promise.all(accepted.map(({ closed }) => closed))).toEqual(texts.map(() => null));
    await listener.close();
  });

  it('take what the system does not take yet, give it back in order, and end behind it', async () => {
    const released: number[] = [];
    const { listener, accepted } = await open(LOOPBACK, (stream) => {
      const sink = echo(stream);
      for (let i = 0; i < 40; i++) {
        stream.write([new Uint8Array(1 << 19).fill(i), new Uint8Array(1 << 19).fill(i)], () => released.push(i));
      }
      stream.end();
      return sink;
    });
    const socket = net.connect(listener.address.port, '127.0.0.1');
    await once(socket, 'readable');
    expect(accepted[0]!.stream.bufferedBytes).toBeGreaterThan(0);
    let length = 0;
    let isInOrder = true;
    for await (const chunk of socket) {
      for (let i = 0; i < chunk.length; i += 1024) isInOrder &&= chunk[i] === (length + i) >> 20;
      length += chunk.length;
    }
    expect([length, isInOrder]).toEqual([40 << 20, true]);
    expect(await accepted[0]!.closed).toBeNull();
    expect(released).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(accepted[0]!.calls).toContain('writable');
    expect(accepted[0]!.stream.bufferedBytes).toBe(0);
    await listener.close();
  });

  it('hand bytes to the system at once as far as it takes them, and none past what waits', async () => {
    const taken: number[] = [];
    const big = new Uint8Array(64 << 20);
    const { listener, accepted } = await open(LOOPBACK, (stream) => {
      const sink = echo(stream);
      const once = Uint8Array.of(1, 2, 3);
      taken.push(stream.writeNow!(once));
      once.fill(9);
      const sent = stream.writeNow!(big);
      taken.push(sent);
      stream.write([big.subarray(sent), Uint8Array.of(4)]);
      taken.push(stream.writeNow!(once));
      stream.end();
      taken.push(stream.writeNow!(once));
      return sink;
    });
    const socket = net.connect(listener.address.port, '127.0.0.1');
    const first: number[] = [];
    let length = 0;
    let last = 0;
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      if (first.length < 3) first.push(...chunk.subarray(0, 3 - first.length));
      length += chunk.length;
      last = chunk.at(-1)!;
    }
    expect(taken[1]).toBeGreaterThan(0);
    expect(taken[1]).toBeLessThan(big.length);
    expect([taken[0], taken[2], taken[3]]).toEqual([3, 0, 0]);
    expect([first, length, last]).toEqual([[1, 2, 3], big.length + 4, 4]);
    expect(await accepted[0]!.closed).toBeNull();
    await listener.close();
  });

  it('come from IPv4 and IPv6 at one port where no address is named', async () => {
    const { listener, accepted } = await open(null);
    const { port } = listener.address;
    for (const host of ['127.0.0.1', '::1']) {
      const socket = net.connect(port, host);
      socket.write('?');
      await once(socket, 'data');
      const { stream, closed } = accepted.at(-1)!;
      expect([stream.remote.host, stream.local?.host]).toEqual([host, host]);
      expect(stream.remote.port).toBe((socket.address() as net.AddressInfo).port);
      socket.destroy();
      await closed;
    }
    await listener.close();
  });

  it('live on when nothing more is accepted, and the port is free', async () => {
    const { listener, accepted } = await open(LOOPBACK);
    const { port } = listener.address;
    const socket = net.connect(port, '127.0.0.1');
    socket.write('a');
    await once(socket, 'data');
    await listener.close();
    const again = await listen({ ip: LOOPBACK, port, isBrief: true }, echo);
    socket.end('b');
    expect(await text(socket)).toBe('b');
    expect(await accepted[0]!.closed).toBeNull();
    await again.close();
  });

  it('end once each, whatever both ends do at whatever time', async () => {
    const chance = seededChance(20261121);
    const open = new Set<ByteStream>();
    const closes: number[] = [];
    const act = (stream: ByteStream): void => {
      const deed = chance.below(12);
      if (deed < 4) stream.write([new Uint8Array(1 << (4 + chance.below(16)))]);
      else if (deed < 6) stream.pause();
      else if (deed < 9) stream.resume();
      else if (deed === 9) stream.end();
      else if (deed === 10) stream.destroy();
      // Of a stream that may be told of in the same batch.
      else for (const other of [...open].slice(0, 2)) other.destroy();
    };
    const listener = await listen({ ip: LOOPBACK, port: 0, isBrief: true }, (stream) => {
      const number = closes.push(0) - 1;
      open.add(stream);
      stream.attach({
        onChunk: () => act(stream),
        onWritable: () => act(stream),
        onEnd: () => (chance.below(3) === 0 ? act(stream) : stream.end()),
        onClose: () => {
          open.delete(stream);
          closes[number]!++;
        },
      });
      if (chance.below(4) === 0) act(stream);
    });
    const clients = Array.from({ length: 400 }, async (_, i) => {
      await turns(i);
      const { port } = listener.address;
      const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: chance.below(2) === 0 });
      socket.on('error', () => undefined);
      if (chance.below(2) === 0) socket.resume();
      for (let count = chance.below(8); count > 0; count--) {
        if (socket.writable) socket.write(new Uint8Array(1 << chance.below(18)));
        await turns(chance.below(20));
      }
      const way = chance.below(3);
      if (way === 0) socket.resetAndDestroy();
      else if (way === 1) socket.end();
      await turns(chance.below(50));
      socket.destroy();
    });
    await Promise.all(clients);
    for (const stream of open) stream.destroy();
    await listener.close();
    await turns(2);
    expect(open.size).toBe(0);
    expect(closes.every((count) => count === 1)).toBe(true);
    expect(closes.length).toBeGreaterThan(300);
  });

  it('tell that the remote broke off', async () => {
    const { listener, accepted } = await open(LOOPBACK);
    const socket = net.connect(listener.address.port, '127.0.0.1');
    socket.write('a');
    await once(socket, 'data');
    socket.resetAndDestroy();
    expect(isShoalError(await accepted[0]!.closed, 'CONNECT_FAILED')).toBe(true);
    await listener.close();
  });

  it('tell that the remote broke off behind its end', async () => {
    let onEnd = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      onEnd = resolve;
    });
    const { listener, accepted } = await open(LOOPBACK, (stream) => Object.assign(echo(stream), { onEnd }));
    const socket = net.connect(listener.address.port, '127.0.0.1');
    socket.end('a');
    await ended;
    socket.resetAndDestroy();
    expect(isShoalError(await accepted[0]!.closed, 'CONNECT_FAILED')).toBe(true);
    await listener.close();
  });

  it('are turned away while there are no descriptors left, and taken again when there are', async () => {
    const child = spawn('sh', ['-c', 'ulimit -n 64; exec "$0" -e "$1"', process.execPath, WELCOMER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const port = Number(line);
    const sockets = Array.from({ length: 150 }, () => net.connect(port, '127.0.0.1').on('error', () => undefined));
    const welcomed = await Promise.all(sockets.map(isWelcomed));
    const count = welcomed.filter(Boolean).length;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(64);
    for (const socket of sockets) socket.destroy();
    let isTakenAgain = false;
    while (!isTakenAgain) isTakenAgain = await isWelcomed(net.connect(port, '127.0.0.1').on('error', () => undefined));
    child.kill('SIGKILL');
    await once(child, 'close');
  });

  it('end with the thread that accepted them', async () => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
      const place = [Uint8Array.of(127, 0, 0, 1), 0, false, false];
      const fd = require(${JSON.stringify(nativeFile('udp_batch'))}).listen(...place);
      const native = require(${JSON.stringify(nativeFile('tcp_batch'))});
      const server = native.open(fd, new ArrayBuffer(64 * (32 + 16384)), () => parentPort.postMessage('accepted'));
      const own = new Uint8Array(18);
      native.local(server, -1, own);
      parentPort.postMessage(own[16] * 256 + own[17]);`,
      { eval: true },
    );
    const [port] = (await once(worker, 'message')) as [number];
    const socket = net.connect(port, '127.0.0.1');
    await once(worker, 'message');
    await worker.terminate();
    expect(await text(socket).catch((error: NodeJS.ErrnoException) => error.code)).toMatch(/^(ECONNRESET)?$/);
    await (await listen({ ip: LOOPBACK, port, isBrief: true }, echo)).close();
  });
});

it('a connection that comes in the batch in which a listener closes is closed too', async () => {
  const closed: [server: object, connection: number][] = [];
  let heads!: Uint32Array;
  let onBatch!: (count: number) => void;
  const server = {};
  const native = {
    open(_descriptor: number, memory: ArrayBuffer, callback: (count: number) => void) {
      heads = new Uint32Array(memory);
      onBatch = callback;
      return server;
    },
    close: (handle: object, connection: number) => closed.push([handle, connection]),
    local: () => 4,
    stop: () => undefined,
  } as unknown as TcpBatchModule;
  const listener = acceptBatches(native, createNodeClock(), 3, (stream) => {
    const sink = {
      onChunk() {
        stream.destroy();
        void listener.close();
      },
      onClose: () => undefined,
    };
    stream.attach(sink);
  })!;
  const [accepted, chunk] = [0, 1];
  heads.set([accepted, 0, 0, (4 << 16) | 1000]);
  onBatch(1);
  heads.set([chunk, 0, 1, 0]);
  heads.set([accepted, 1, 0, (4 << 16) | 1001], 8);
  onBatch(2);
  expect(closed).toEqual([
    [server, 0],
    [server, 1],
  ]);
});
