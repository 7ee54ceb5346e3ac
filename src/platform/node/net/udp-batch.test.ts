// What the contract of UDP services cannot tell: address families of a machine, and the end of a thread.

import { createSocket, type SocketType } from 'node:dgram';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { Address } from '../../../base/address.ts';
import type { AnswerDatagram, ListenOptions, UdpService } from '../../../ports/sockets.ts';
import { nativeFile } from '../native.ts';
import { loadUdpBatch, serveUdpBatches } from './udp-batch.ts';
import { serveUdpSingly } from './udp-service.ts';

type Serve = (options: ListenOptions, answer: AnswerDatagram) => UdpService | Promise<UdpService>;

const native = loadUdpBatch();
const ways: [string, Serve][] = [['one by one', serveUdpSingly]];
if (native !== null) ways.push(['in batches', (options, answer) => serveUdpBatches(native, options, answer)]);

const LOOPBACK_6 = new Uint8Array(16).fill(1, 15);

/** Sends a byte and waits for the answer, which it returns as text. */
async function ask(type: SocketType, host: string, port: number): Promise<string> {
  const socket = createSocket(type);
  socket.send('?', port, host);
  const [answer] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  return answer.toString();
}

/** Answers with the address that it sees, without the port. */
const seen: AnswerDatagram = (_packet, ip, _port, reply) => {
  reply.set(new TextEncoder().encode(new Address(ip.slice(), 0).key));
  return new Address(ip.slice(), 0).key.length;
};

describe.each(ways)('datagrams answered %s', (_name, serve) => {
  it('come from IPv4 and IPv6 at one port where no address is named, IPv4 as 4 bytes', async () => {
    const service = await serve({ ip: null, port: 0 }, seen);
    const { port } = service.address;
    expect(await ask('udp4', '127.0.0.1', port)).toBe('127.0.0.1:0');
    expect(await ask('udp6', '::1', port)).toBe('[::1]:0');
    await service.close();
  });

  it('come from IPv6 alone at an IPv6 address', async () => {
    const service = await serve({ ip: LOOPBACK_6, port: 0 }, seen);
    expect(service.address.host).toBe('::1');
    expect(await ask('udp6', '::1', service.address.port)).toBe('[::1]:0');
    await service.close();
  });

  it('need an address of this machine', async () => {
    const elsewhere = async () => await serve({ ip: Uint8Array.of(192, 0, 2, 1), port: 0 }, seen);
    await expect(elsewhere()).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringContaining('192.0.2.1'),
    });
  });
});

describe.skipIf(native === null)('the native module', () => {
  it('lets go of its port with the thread that opened it', async () => {
    const open = `
      const { parentPort } = require('node:worker_threads');
      const native = require(${JSON.stringify(nativeFile('udp_batch'))});
      const memory = new ArrayBuffer(64 * (48 + 2 * 2048));
      const handle = native.open(Uint8Array.of(127, 0, 0, 1), 0, false, false, memory, () => undefined);
      parentPort.postMessage(native.port(handle));`;
    const worker = new Worker(open, { eval: true });
    const [port] = (await once(worker, 'message')) as [number];
    const taken = () => serveUdpBatches(native!, { ip: Uint8Array.of(127, 0, 0, 1), port }, seen);
    expect(taken).toThrow('in use');
    await worker.terminate();
    await taken().close();
  });

  it('answers from the address that was asked, at once and later, also where it is not the one that the system would take', async () => {
    for (const all of [null, new Uint8Array(4)]) {
      const late: (() => void)[] = [];
      const service = serveUdpBatches(native!, { ip: all, port: 0 }, (packet, ip, port, reply) => {
        const [from, askedAt] = [ip.slice(), service.askedAt.slice()];
        if (packet[0] === 0) late.push(() => service.send(new Uint8Array(1), from, port, askedAt));
        reply[0] = 1;
        return packet[0]!;
      });
      const socket = createSocket('udp4');
      socket.bind(0, '127.0.0.3');
      await once(socket, 'listening');
      for (const isAtOnce of [1, 0]) {
        const answered = once(socket, 'message');
        socket.send(Uint8Array.of(isAtOnce), service.address.port, '127.0.0.2');
        await vi.waitUntil(() => isAtOnce === 1 || late.length > 0);
        for (const send of late) send();
        const [, from] = (await answered) as [Buffer, { address: string }];
        expect(from.address).toBe('127.0.0.2');
      }
      socket.close();
      await service.close();
    }
  });

  it('refuses what is no memory of the layout', () => {
    const open = (memory: unknown) => native!.open(LOOPBACK_6, 0, false, false, memory as ArrayBuffer, () => undefined);
    expect(() => open(new ArrayBuffer(100))).toThrow(TypeError);
    expect(() => open('memory')).toThrow(TypeError);
  });
});
