import { EventEmitter, once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Address } from '../../../base/address.ts';
import { concatBytes } from '../../../base/bytes.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { ByteStream, StreamListener, StreamSink } from '../../../ports/sockets.ts';
import { createNodeClock } from '../clock.ts';
import { createNodeSockets } from './sockets.ts';
import { acceptedTcp } from './tcp.ts';

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const sockets = createNodeSockets(createNodeClock());
const opened: { close(): Promise<void> | void }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

/** Collects what a stream says. */
class Recorder implements StreamSink {
  readonly chunks: Uint8Array[] = [];
  readonly closed: Promise<Error | null>;
  readonly opened: Promise<void>;
  closeCount = 0;
  onOpen!: () => void;
  #onClosed!: (error: Error | null) => void;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.onOpen = resolve;
    });
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
  }

  onChunk(chunk: Uint8Array): void {
    this.chunks.push(chunk.slice());
  }

  onClose(error: Error | null): void {
    this.closeCount++;
    this.#onClosed(error);
  }
}

async function listen(accept: (stream: ByteStream) => void): Promise<StreamListener> {
  const listener = await sockets.listen({ ip: LOOPBACK, port: 0 }, accept);
  opened.push(listener);
  return listener;
}

describe('TCP streams', () => {
  it('say CONNECT_FAILED where nobody listens', async () => {
    const listener = await sockets.listen({ ip: LOOPBACK, port: 0 }, () => undefined);
    await listener.close();
    const sink = new Recorder();
    const stream = sockets.connect(listener.address);
    stream.attach(sink);
    let released = 0;
    stream.write([new Uint8Array(10)], () => released++);
    expect(await sink.closed).toMatchObject({ code: 'CONNECT_FAILED' });
    expect(released).toBe(1);
    expect(stream.bufferedBytes).toBe(0);
    expect(stream.local).toBeNull();
  });

  it('say it where the own address is not ours or of another family', async () => {
    for (const from of [Uint8Array.of(192, 0, 2, 1), new Uint8Array([...new Array<number>(15).fill(0), 1])]) {
      const sink = new Recorder();
      sockets.connect(new Address(LOOPBACK, 9), { from }).attach(sink);
      expect(await sink.closed).toMatchObject({ code: 'CONNECT_FAILED' });
    }
  });

  it('leave from the address that is asked for', async () => {
    const from = Uint8Array.of(127, 0, 0, 5);
    const accepted = new Promise<Address>((resolve) => {
      void listen((stream) => {
        stream.attach(new Recorder());
        stream.destroy();
        resolve(stream.remote);
      }).then((listener) => {
        const sink = new Recorder();
        sockets.connect(listener.address, { from }).attach(sink);
      });
    });
    expect((await accepted).ip).toEqual(from);
  });

  it('tell a reset by the remote', async () => {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.resetAndDestroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    opened.push({ close: () => void server.close() });
    const sink = new Recorder();
    const stream = sockets.connect(new Address(LOOPBACK, (server.address() as net.AddressInfo).port));
    stream.attach(sink);
    stream.write([Uint8Array.of(1)]);
    expect(await sink.closed).toMatchObject({ code: 'CONNECT_FAILED' });
    expect(sink.closeCount).toBe(1);
  });

  it('free lent bytes exactly once and in order, also those that never left', async () => {
    const listener = await listen((stream) => {
      stream.attach(new Recorder());
      stream.pause();
    });
    const sink = new Recorder();
    const stream = sockets.connect(listener.address);
    stream.attach(sink);
    await sink.opened;
    const released: number[] = [];
    const count = 40;
    for (let i = 0; i < count; i++) {
      stream.write([new Uint8Array(500_000), new Uint8Array(500_000)], () => released.push(i));
    }
    expect(stream.bufferedBytes).toBe(count * 1_000_000);
    expect(released).toEqual([]);
    stream.destroy();
    expect(sink.closeCount).toBe(0);
    expect(await sink.closed).toBeNull();
    expect(released).toEqual(Array.from({ length: count }, (_, i) => i));
    let late = 0;
    stream.write([new Uint8Array(5)], () => late++);
    expect(late).toBe(0);
    await new Promise(setImmediate);
    expect(late).toBe(1);
    stream.destroy();
    stream.end();
    await new Promise(setImmediate);
    expect(sink.closeCount).toBe(1);
  });

  it('keep apart what many of them receive into one buffer', async () => {
    const length = 600_000;
    const listener = await listen((stream) => {
      const sink = new Recorder();
      sink.onChunk = (chunk) => {
        stream.write([new Uint8Array(length).fill(chunk[0]!)]);
        stream.end();
      };
      stream.attach(sink);
    });
    const received = Array.from({ length: 30 }, async (_, i) => {
      const sink = new Recorder();
      const stream = sockets.connect(listener.address);
      stream.attach(sink);
      stream.write([Uint8Array.of(i)]);
      expect(await sink.closed).toBeNull();
      const bytes = concatBytes(sink.chunks);
      expect(bytes.length).toBe(length);
      expect(bytes.every((byte) => byte === i)).toBe(true);
    });
    await Promise.all(received);
  });

  it('hand out plain bytes, whose slice is a copy', async () => {
    const kinds: string[] = [];
    const both = new Promise<void>((resolve) => {
      const note = (chunk: Uint8Array): void => {
        kinds.push(chunk.constructor.name);
        if (kinds.length === 2) resolve();
      };
      void listen((stream) => {
        const sink = new Recorder();
        sink.onChunk = note;
        stream.attach(sink);
        stream.write([Uint8Array.of(1)]);
      }).then((listener) => {
        const sink = new Recorder();
        sink.onChunk = note;
        const stream = sockets.connect(listener.address);
        stream.attach(sink);
        stream.write([Uint8Array.of(2)]);
        opened.push({ close: () => stream.destroy() });
      });
    });
    await both;
    expect(kinds).toEqual(['Uint8Array', 'Uint8Array']);
  });

  it('read on in the next turn where much was read in one, unless they are paused then', async () => {
    // Whatever was read before in this process counts no more.
    await new Promise(setImmediate);
    const deferred: (() => void)[] = [];
    const clock = { defer: (callback: () => void) => deferred.push(callback) } as unknown as Clock;
    const calls: string[] = [];
    const socket = Object.assign(new EventEmitter(), {
      remoteAddress: '127.0.0.1',
      remotePort: 1000,
      pause: () => calls.push('pause'),
      resume: () => calls.push('resume'),
    });
    const stream = acceptedTcp(clock, socket as unknown as net.Socket)!;
    stream.attach({ onChunk: () => undefined, onClose: () => undefined });
    const chunk = new Uint8Array(2 * 1024 * 1024);

    socket.emit('data', chunk);
    stream.resume();
    expect(calls.splice(0)).toEqual(['pause']);
    deferred.pop()!();
    expect(calls.splice(0)).toEqual(['resume']);

    socket.emit('data', chunk);
    stream.pause();
    deferred.pop()!();
    expect(calls.splice(0)).toEqual(['pause', 'pause']);
    stream.resume();
    expect(calls).toEqual(['resume']);
  });
});

describe('listening', () => {
  it('says LISTEN_FAILED where the port is taken or the address is not ours', async () => {
    const listener = await listen(() => undefined);
    const { port } = listener.address;
    await expect(sockets.listen({ ip: LOOPBACK, port }, () => undefined)).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
    });
    const foreign = { ip: Uint8Array.of(192, 0, 2, 1), port: 0 };
    await expect(sockets.listen(foreign, () => undefined)).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
    await expect(sockets.bindUdp(foreign, () => undefined)).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
  });

  it('on all addresses takes IPv4 as IPv4', async () => {
    const remotes: Promise<Address> = new Promise((resolve) => {
      void sockets
        .listen({ ip: null, port: 0 }, (stream) => {
          stream.attach(new Recorder());
          stream.destroy();
          resolve(stream.remote);
        })
        .then((listener) => {
          opened.push(listener);
          sockets.connect(new Address(LOOPBACK, listener.address.port)).attach(new Recorder());
        });
    });
    expect((await remotes).host).toBe('127.0.0.1');
  });

  it('ends at once while accepted streams live on', async () => {
    let accepted: ByteStream | undefined;
    const listener = await listen((stream) => {
      stream.attach(new Recorder());
      accepted = stream;
    });
    const sink = new Recorder();
    const stream = sockets.connect(listener.address);
    stream.attach(sink);
    await sink.opened;
    while (!accepted) await new Promise(setImmediate);
    await listener.close();
    await listener.close();
    const chunk = new Promise<Uint8Array>((resolve) => {
      sink.onChunk = (bytes) => resolve(bytes.slice());
    });
    accepted.write([Uint8Array.of(7)]);
    expect(await chunk).toEqual(Uint8Array.of(7));
    stream.destroy();
    const again = await sockets.listen({ ip: LOOPBACK, port: listener.address.port }, () => undefined);
    await again.close();
  });
});

describe('UDP', () => {
  it('sends what the bytes were at the call, in a burst, to both families', async () => {
    const seen: number[] = [];
    let from: Address | undefined;
    const count = 50;
    const all = new Promise<void>((resolve) => {
      void sockets
        .bindUdp({ ip: LOOPBACK, port: 0 }, (message, sender) => {
          expect(Object.getPrototypeOf(message)).toBe(Uint8Array.prototype);
          seen.push(message[0]!);
          from = sender;
          if (seen.length === count) resolve();
        })
        .then(async (receiver) => {
          const sender = await sockets.bindUdp({ ip: null, port: 0 }, () => undefined);
          opened.push(receiver, sender);
          const bytes = new Uint8Array(1000);
          for (let i = 0; i < count; i++) {
            bytes.fill(i);
            sender.send(bytes, receiver.address);
          }
          bytes.fill(0xff);
        });
    });
    await all;
    expect(seen).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(from!.host).toBe('127.0.0.1');
  });

  it('loses what cannot be sent without a word, and goes on', async () => {
    const got = new Promise<number>((resolve) => {
      void sockets
        .bindUdp({ ip: LOOPBACK, port: 0 }, (message) => resolve(message.length))
        .then(async (receiver) => {
          const sender = await sockets.bindUdp({ ip: LOOPBACK, port: 0 }, () => undefined);
          opened.push(receiver, sender);
          sender.send(new Uint8Array(70_000), receiver.address);
          sender.send(new Uint8Array(5), Address.parse('[::1]:9')!);
          sender.send(new Uint8Array(5), receiver.address.withPort(0));
          sender.send(new Uint8Array(3), receiver.address);
        });
    });
    expect(await got).toBe(3);
  });
});

describe('names and networks', () => {
  it('gives an IP text back, and says HOST_NOT_FOUND for what has no address', async () => {
    expect(await sockets.resolve('192.0.2.7')).toEqual([Uint8Array.of(192, 0, 2, 7)]);
    expect((await sockets.resolve('2001:db8::1'))[0]!.length).toBe(16);
    await expect(sockets.resolve('name.invalid')).rejects.toMatchObject({ code: 'HOST_NOT_FOUND' });
    const aborted = AbortSignal.abort(new Error('stop'));
    await expect(sockets.resolve('localhost', { signal: aborted })).rejects.toThrow('stop');
  });

  it('tells IPv4 before IPv6 for this machine', async () => {
    const ips = await sockets.resolve('localhost');
    expect(ips.length).toBeGreaterThan(0);
    expect(ips.map((ip) => ip.length)).toEqual(ips.map((ip) => ip.length).sort((a, b) => a - b));
  });

  it('leaves loopback out of the networks', () => {
    for (const { ip, prefix } of sockets.networks()) {
      expect(ip[0]).not.toBe(127);
      expect(prefix).toBeLessThanOrEqual(ip.length * 8);
    }
  });
});
