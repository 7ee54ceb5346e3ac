// What all Sockets do: streams, back-pressure, closing, datagrams, names.

import { describe, expect, it } from 'vitest';
import { Address } from '../../src/base/address.ts';
import { concatBytes, equalBytes, utf8 } from '../../src/base/bytes.ts';
import { isShoalError } from '../../src/base/errors.ts';
import { sleep } from '../../src/ports/clock.ts';
import type { ByteStream, UdpSocket } from '../../src/ports/sockets.ts';
import { connectPair, pattern, Recorder } from './recorder.ts';
import { type ContractHost, inWorld, type MakeWorld, untilTrue } from './world.ts';

export function socketsContract(name: string, makeWorld: MakeWorld): void {
  describe(`Sockets: ${name}`, () => {
    describe('connecting', () => connecting(makeWorld));
    describe('streams', () => streams(makeWorld));
    describe('closing', () => closing(makeWorld));
    describe('datagrams', () => datagrams(makeWorld));
    describe('names', () => names(makeWorld));
  });
}

function connecting(makeWorld: MakeWorld): void {
  it('listens on a free port and tells both ends who they are', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const pair = await connectPair(a, b);
      expect(pair.at.port).toBeGreaterThan(0);
      expect(pair.near.stream.remote.key).toBe(pair.at.key);
      expect(pair.far.stream.local?.key).toBe(pair.at.key);
      expect(pair.far.stream.remote.key).toBe(pair.near.stream.local?.key);
      expect(pair.near.calls).toEqual(['open']);
      expect(pair.far.calls).toEqual([]);
      await pair.close();
    }));

  it('knows no own address before it is connected, and tells nothing within the call', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const listener = await b.env.sockets.listen({ ip: b.ip, port: 0 }, (stream) =>
        new Recorder(stream).stream.destroy(),
      );
      const stream = a.env.sockets.connect(listener.address);
      expect(stream.local).toBeNull();
      const near = new Recorder(stream);
      expect(near.calls).toEqual([]);
      await near.opened;
      expect(stream.local).not.toBeNull();
      stream.destroy();
      await near.closed;
      await listener.close();
    }));

  it('says CONNECT_FAILED where nobody listens', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const listener = await b.env.sockets.listen({ ip: b.ip, port: 0 }, () => undefined);
      await listener.close();
      const near = new Recorder(a.env.sockets.connect(listener.address));
      let isReleased = false;
      near.stream.write([utf8('lost')], () => {
        isReleased = true;
      });
      expect(isShoalError(await near.closed, 'CONNECT_FAILED')).toBe(true);
      expect(near.calls).toEqual(['close']);
      expect(isReleased).toBe(true);
    }));

  it('says LISTEN_FAILED for a port that is taken, and takes it once it is free', () =>
    inWorld(makeWorld, async ({ a }) => {
      const first = await a.env.sockets.listen({ ip: a.ip, port: 0 }, () => undefined);
      const options = { ip: a.ip, port: first.address.port };
      await expect(a.env.sockets.listen(options, () => undefined)).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
      await first.close();
      await (await a.env.sockets.listen(options, () => undefined)).close();
    }));

  it('says LISTEN_FAILED for an address of somebody else', () =>
    inWorld(makeWorld, async ({ a }) => {
      const options = { ip: Uint8Array.of(203, 0, 113, 77), port: 0 };
      await expect(a.env.sockets.listen(options, () => undefined)).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
      await expect(a.env.sockets.bindUdp(options, () => undefined)).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
    }));

  it('leaves from the address that it is told', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      let remote!: (address: Address) => void;
      const seen = new Promise<Address>((resolve) => {
        remote = resolve;
      });
      const listener = await b.env.sockets.listen({ ip: b.ip, port: 0 }, (stream) => {
        remote(stream.remote);
        new Recorder(stream).stream.destroy();
      });
      const near = new Recorder(a.env.sockets.connect(listener.address, { from: a.ip }));
      expect((await seen).host).toBe(new Address(a.ip, 0).host);
      near.stream.destroy();
      await near.closed;
      await listener.close();
    }));

  it('lets accepted streams live on when the listener closes', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const pair = await connectPair(a, b);
      await pair.listener.close();
      pair.far.stream.write([utf8('still here')]);
      await pair.near.received(10);
      expect(pair.near.text()).toBe('still here');
      await pair.close();
    }));

  it('can be given up while it connects', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const accepted: Recorder[] = [];
      const listener = await b.env.sockets.listen({ ip: b.ip, port: 0 }, (stream) =>
        accepted.push(new Recorder(stream)),
      );
      const near = new Recorder(a.env.sockets.connect(listener.address));
      near.stream.destroy();
      expect(near.calls).toEqual([]);
      expect(await near.closed).toBeNull();
      expect(near.calls).toEqual(['close']);
      // Whether the other end saw it at all is up to the net.
      await sleep(b.env.clock, 200);
      for (const far of accepted) {
        far.stream.destroy();
        await far.closed;
      }
      await listener.close();
    }));
}

function streams(makeWorld: MakeWorld): void {
  it('carries bytes both ways in order, from vectors of parts', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const pair = await connectPair(a, b);
      const [first, second] = [pattern(300_000, 1), pattern(70_001, 2)];
      pair.near.stream.write([first.subarray(0, 5), first.subarray(5, 5), first.subarray(5)]);
      pair.far.stream.write([second]);
      pair.near.stream.write([utf8('end')]);
      await Promise.all([pair.far.received(300_003), pair.near.received(70_001)]);
      expect(equalBytes(pair.far.bytes(), concatBytes([first, utf8('end')]))).toBe(true);
      expect(equalBytes(pair.near.bytes(), second)).toBe(true);
      await pair.close();
    }));

  it('sends what was written before the connection was up', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      let accepted!: (far: Recorder) => void;
      const accept = new Promise<Recorder>((resolve) => {
        accepted = resolve;
      });
      const listener = await b.env.sockets.listen({ ip: b.ip, port: 0 }, (stream) => accepted(new Recorder(stream)));
      const near = new Recorder(a.env.sockets.connect(listener.address));
      near.stream.write([utf8('early ')]);
      near.stream.write([utf8('bird')]);
      const far = await accept;
      await far.received(10);
      expect(far.text()).toBe('early bird');
      near.stream.destroy();
      far.stream.destroy();
      await Promise.all([near.closed, far.closed, listener.close()]);
    }));

  it('gives lent bytes back once each, in order, and not within the call', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const pair = await connectPair(a, b);
      const released: number[] = [];
      for (let i = 0; i < 20; i++) pair.near.stream.write([pattern(5000, i)], () => released.push(i));
      pair.near.stream.write([], () => released.push(20));
      expect(released).toEqual([]);
      await pair.far.received(100_000);
      await untilTrue(a, () => released.length === 21);
      expect(released).toEqual(Array.from({ length: 21 }, (_, i) => i));
      expect(pair.near.stream.bufferedBytes).toBe(0);
      await pair.close();
    }));

  it('takes bytes whose memory is used again after it was given back', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const pair = await connectPair(a, b);
      const memory = new Uint8Array(50_000);
      let round = 0;
      const send = (): void => {
        if (round === 20) return;
        memory.set(pattern(memory.length, round++));
        pair.near.stream.write([memory], send);
      };
      send();
      await pair.far.received(20 * memory.length);
      const expected = concatBytes(Array.from({ length: 20 }, (_, i) => pattern(memory.length, i)));
      expect(equalBytes(pair.far.bytes(), expected)).toBe(true);
      await pair.close();
    }));

  it('lets a chunk be changed in place', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const pair = await connectPair(a, b);
      pair.far.onChunk = (chunk: Uint8Array): void => {
        for (let i = 0; i < chunk.length; i++) chunk[i] = chunk[i]! ^ 0xff;
        Recorder.prototype.onChunk.call(pair.far, chunk);
      };
      const sent = pattern(40_000);
      pair.near.stream.write([sent]);
      await pair.far.received(40_000);
      const inverted = pattern(40_000).map((byte) => byte ^ 0xff);
      expect(equalBytes(pair.far.bytes(), inverted)).toBe(true);
      expect(equalBytes(sent, pattern(40_000))).toBe(true);
      await pair.close();
    }));

  it('holds the writer back while the reader is paused, and goes on where it stopped', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const pair = await connectPair(a, b);
      pair.far.stream.pause();
      const part = pattern(1 << 20);
      const parts = 64;
      for (let i = 0; i < parts; i++) pair.near.stream.write([part]);
      await sleep(a.env.clock, 300);
      expect(pair.near.stream.bufferedBytes).toBeGreaterThan(0);
      const read = pair.far.receivedBytes;
      // At most what was read already when the pause came.
      expect(read).toBeLessThanOrEqual(1 << 20);
      pair.far.stream.resume();
      await pair.far.received(parts * part.length);
      expect(pair.near.calls).toContain('writable');
      expect(pair.near.stream.bufferedBytes).toBe(0);
      const all = pair.far.bytes();
      for (let i = 0; i < parts; i++) {
        expect(equalBytes(all.subarray(i * part.length, (i + 1) * part.length), part)).toBe(true);
      }
      await pair.close();
    }));

  it('can be paused and resumed in the middle of chunks', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const pair = await connectPair(a, b);
      let pauses = 0;
      pair.far.onChunk = (chunk: Uint8Array): void => {
        Recorder.prototype.onChunk.call(pair.far, chunk);
        if (pauses++ >= 10) return;
        pair.far.stream.pause();
        b.env.clock.after(2, () => pair.far.stream.resume());
      };
      const sent = pattern(2_000_000);
      pair.near.stream.write([sent]);
      await pair.far.received(sent.length);
      expect(equalBytes(pair.far.bytes(), sent)).toBe(true);
      await pair.close();
    }));
}

function closing(makeWorld: MakeWorld): void {
  it('ends one direction at a time', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const pair = await connectPair(a, b);
      pair.near.stream.write([utf8('question')]);
      pair.near.stream.end();
      await pair.far.ended;
      expect(pair.far.text()).toBe('question');
      pair.far.stream.write([utf8('answer')]);
      pair.far.stream.end();
      expect(await pair.near.closed).toBeNull();
      expect(await pair.far.closed).toBeNull();
      expect(pair.near.text()).toBe('answer');
      expect(pair.near.calls.filter((call) => call !== 'writable')).toEqual(['open', 'chunk', 'end', 'close']);
      await pair.listener.close();
    }));

  it('sends all that is buffered before it ends', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const pair = await connectPair(a, b);
      const sent = pattern(3_000_000);
      pair.near.stream.write([sent]);
      pair.near.stream.end();
      await pair.far.ended;
      expect(equalBytes(pair.far.bytes(), sent)).toBe(true);
      await pair.close();
    }));

  it('takes nothing after the end, but gives the bytes back', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const pair = await connectPair(a, b);
      pair.near.stream.end();
      await new Promise<void>((released) => pair.near.stream.write([utf8('too late')], released));
      await pair.far.ended;
      expect(pair.far.receivedBytes).toBe(0);
      pair.far.stream.end();
      await Promise.all([pair.near.closed, pair.far.closed]);
      await new Promise<void>((released) => pair.near.stream.write([utf8('far too late')], released));
      await pair.listener.close();
    }));

  it('closes itself when the remote ends and the sink has no onEnd', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      let closed!: (error: Error | null) => void;
      const farClosed = new Promise<Error | null>((resolve) => {
        closed = resolve;
      });
      const listener = await b.env.sockets.listen({ ip: b.ip, port: 0 }, (stream: ByteStream) => {
        stream.attach({ onChunk: () => stream.write([utf8('bye')]), onClose: closed });
      });
      const near = new Recorder(a.env.sockets.connect(listener.address));
      near.stream.write([utf8('x')]);
      near.stream.end();
      expect(await farClosed).toBeNull();
      expect(await near.closed).toBeNull();
      expect(near.text()).toBe('bye');
      await listener.close();
    }));

  it('destroys at once: onClose without an error, not within the call, and nothing after', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const pair = await connectPair(a, b);
      let releases = 0;
      pair.far.stream.pause();
      for (let i = 0; i < 40; i++) pair.near.stream.write([new Uint8Array(1 << 20)], () => releases++);
      pair.near.stream.destroy();
      pair.near.stream.destroy();
      expect(pair.near.calls).not.toContain('close');
      expect(await pair.near.closed).toBeNull();
      expect(releases).toBe(40);
      expect(pair.near.stream.bufferedBytes).toBe(0);
      pair.far.stream.resume();
      await untilTrue(b, () => pair.far.calls.includes('end') || pair.far.calls.includes('close'));
      expect(pair.far.receivedBytes).toBeLessThan(40 << 20);
      expect(pair.near.calls.at(-1)).toBe('close');
      await pair.close();
      expect(pair.near.calls.filter((call) => call === 'close')).toEqual(['close']);
    }));

  it('gives no chunk after destroy, not even one that is there already', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const pair = await connectPair(a, b);
      let chunks = 0;
      pair.far.onChunk = (): void => {
        chunks++;
        pair.far.stream.destroy();
      };
      pair.near.stream.write([pattern(1_000_000)]);
      expect(await pair.far.closed).toBeNull();
      await sleep(b.env.clock, 50);
      expect(chunks).toBe(1);
      await pair.close();
    }));

  it('tells a writer that the remote is gone', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const pair = await connectPair(a, b);
      pair.far.stream.destroy();
      await pair.far.closed;
      await pair.near.ended;
      const write = (): void => {
        if (pair.near.calls.includes('close')) return;
        pair.near.stream.write([pattern(1000)]);
        a.env.clock.after(5, write);
      };
      write();
      expect(isShoalError(await pair.near.closed, 'CONNECT_FAILED')).toBe(true);
      await sleep(a.env.clock, 20);
      await pair.listener.close();
    }));
}

function datagrams(makeWorld: MakeWorld): void {
  interface Inbox {
    readonly socket: UdpSocket;
    readonly messages: { bytes: Uint8Array; from: Address }[];
  }
  const bind = async (host: ContractHost): Promise<Inbox> => {
    const messages: Inbox['messages'] = [];
    const socket = await host.env.sockets.bindUdp({ ip: host.ip, port: 0 }, (message, from) => {
      messages.push({ bytes: message.slice(), from });
    });
    return { socket, messages };
  };

  it('carries a message whole, with its sender', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const [left, right] = [await bind(a), await bind(b)];
      const message = pattern(1400);
      left.socket.send(message, right.socket.address);
      message.fill(0);
      await untilTrue(b, () => right.messages.length === 1);
      expect(right.messages[0]!.bytes).toEqual(pattern(1400));
      expect(right.messages[0]!.from.key).toBe(left.socket.address.key);
      right.socket.send(utf8('back'), right.messages[0]!.from);
      await untilTrue(a, () => left.messages.length === 1);
      expect(left.messages[0]!.bytes).toEqual(utf8('back'));
      await Promise.all([left.socket.close(), right.socket.close()]);
    }));

  it('carries empty messages and keeps borders', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const [left, right] = [await bind(a), await bind(b)];
      for (const text of ['one', '', 'three']) left.socket.send(utf8(text), right.socket.address);
      await untilTrue(b, () => right.messages.length === 3);
      expect(right.messages.map(({ bytes }) => bytes.length).sort()).toEqual([0, 3, 5]);
      await Promise.all([left.socket.close(), right.socket.close()]);
    }));

  it('loses what goes nowhere without a word, and hears nothing after it is closed', () =>
    inWorld(makeWorld, async ({ a, b }) => {
      const [left, right] = [await bind(a), await bind(b)];
      await right.socket.close();
      left.socket.send(utf8('hello?'), right.socket.address);
      left.socket.send(new Uint8Array(70_000), right.socket.address);
      await sleep(a.env.clock, 50);
      expect(right.messages).toEqual([]);
      await left.socket.close();
      left.socket.send(utf8('nobody sends this'), right.socket.address);
      await left.socket.close();
    }));

  it('says LISTEN_FAILED for a port that is taken', () =>
    inWorld(makeWorld, async ({ a }) => {
      const first = await bind(a);
      const again = a.env.sockets.bindUdp({ ip: a.ip, port: first.socket.address.port }, () => undefined);
      await expect(again).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
      await first.socket.close();
    }));
}

function names(makeWorld: MakeWorld): void {
  it('returns an IP text as it is', () =>
    inWorld(makeWorld, async ({ a }) => {
      expect(await a.env.sockets.resolve('192.0.2.7')).toEqual([Uint8Array.of(192, 0, 2, 7)]);
      expect((await a.env.sockets.resolve('2001:db8::1'))[0]?.length).toBe(16);
    }));

  it('knows localhost', () =>
    inWorld(makeWorld, async ({ a }) => {
      const found = await a.env.sockets.resolve('localhost');
      expect(found.map((ip) => new Address(ip, 0).host)).toContain('127.0.0.1');
    }));

  it('says HOST_NOT_FOUND for a name that there is not', () =>
    inWorld(makeWorld, async ({ a }) => {
      await expect(a.env.sockets.resolve('no-such-host.invalid')).rejects.toMatchObject({ code: 'HOST_NOT_FOUND' });
    }));

  it('stops by its signal', () =>
    inWorld(makeWorld, async ({ a }) => {
      const reason = new Error('enough');
      const signal = AbortSignal.abort(reason);
      await expect(a.env.sockets.resolve('no-such-host.invalid', { signal })).rejects.toBe(reason);
      await sleep(a.env.clock, 50);
    }));

  it('names only networks of its own, without loopback', () =>
    inWorld(makeWorld, async ({ a }) => {
      for (const { ip, prefix } of a.env.sockets.networks()) {
        expect([4, 16]).toContain(ip.length);
        expect(ip[0]).not.toBe(127);
        expect(prefix).toBeGreaterThan(0);
        expect(prefix).toBeLessThanOrEqual(ip.length * 8);
      }
    }));
}
