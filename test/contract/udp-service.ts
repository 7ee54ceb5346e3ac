// What a UDP port with an answer for every datagram does.

import { describe, expect, it } from 'vitest';
import { Address } from '../../src/base/address.ts';
import { utf8 } from '../../src/base/bytes.ts';
import { type AnswerDatagram, MAX_ANSWERED_BYTES, type UdpService, type UdpSocket } from '../../src/ports/sockets.ts';
import { pattern } from './recorder.ts';
import { type ContractHost, inWorld, type MakeWorld, untilTrue } from './world.ts';

type Serve = (host: ContractHost, port: number, answer: AnswerDatagram) => Promise<UdpService>;

interface Asker {
  readonly socket: UdpSocket;
  readonly answers: Uint8Array[];
}

/** `serve` default: that of the host's Sockets. */
export function udpServiceContract(
  name: string,
  makeWorld: MakeWorld,
  serve: Serve = ({ env, ip }, port, answer) => env.sockets.serveUdp({ ip, port }, answer),
): void {
  const ask = async (host: ContractHost): Promise<Asker> => {
    const answers: Uint8Array[] = [];
    const socket = await host.env.sockets.bindUdp({ ip: host.ip, port: 0 }, (message) => answers.push(message.slice()));
    return { socket, answers };
  };

  describe(`UDP service: ${name}`, () => {
    it('answers who asked, knowing its address', () =>
      inWorld(makeWorld, async ({ a, b }) => {
        const seen: string[] = [];
        const service = await serve(b, 0, (packet, ip, port, reply) => {
          seen.push(new Address(ip.slice(), port).key);
          for (let i = 0; i < packet.length; i++) reply[i] = packet[i]! ^ 0xff;
          return packet.length;
        });
        const asker = await ask(a);
        asker.socket.send(pattern(98), service.address);
        await untilTrue(a, () => asker.answers.length === 1);
        expect(asker.answers[0]).toEqual(pattern(98).map((byte) => byte ^ 0xff));
        expect(seen).toEqual([asker.socket.address.key]);
        await Promise.all([asker.socket.close(), service.close()]);
      }));

    it('answers every one of many askers with its own answer, whatever the lengths', () =>
      inWorld(makeWorld, async ({ a, b }) => {
        const service = await serve(b, 0, (packet, _ip, port, reply) => {
          reply.set(packet);
          reply[packet.length] = port & 255;
          return packet.length + 1;
        });
        const askers = await Promise.all(Array.from({ length: 20 }, () => ask(a)));
        const lengths = [16, 98, 0, 1500, 98];
        for (const length of lengths) {
          for (const [i, { socket }] of askers.entries()) socket.send(pattern(length, i), service.address);
        }
        await untilTrue(a, () => askers.every(({ answers }) => answers.length === lengths.length));
        for (const [i, { socket, answers }] of askers.entries()) {
          const expected = lengths.map((length) => [...pattern(length, i), socket.address.port & 255]);
          // The net may deliver in another order.
          const inOrder = (list: number[][]): string[] => list.map((one) => one.join()).sort();
          expect(inOrder(answers.map((answer) => [...answer]))).toEqual(inOrder(expected));
          await socket.close();
        }
        await service.close();
      }));

    it('sends nothing where there is no answer, and hands on nothing that is too long', () =>
      inWorld(makeWorld, async ({ a, b }) => {
        const lengths: number[] = [];
        const service = await serve(b, 0, (packet, _ip, _port, reply) => {
          lengths.push(packet.length);
          reply.set(utf8('yes'));
          return packet.length === 1 ? 3 : 0;
        });
        const asker = await ask(a);
        asker.socket.send(new Uint8Array(MAX_ANSWERED_BYTES + 1), service.address);
        asker.socket.send(new Uint8Array(MAX_ANSWERED_BYTES), service.address);
        asker.socket.send(new Uint8Array(2), service.address);
        asker.socket.send(new Uint8Array(1), service.address);
        await untilTrue(a, () => lengths.length === 3 && asker.answers.length === 1);
        expect(lengths.sort((x, y) => x - y)).toEqual([1, 2, MAX_ANSWERED_BYTES]);
        expect(asker.answers).toEqual([utf8('yes')]);
        await Promise.all([asker.socket.close(), service.close()]);
      }));

    it('fills all the room of a reply', () =>
      inWorld(makeWorld, async ({ a, b }) => {
        const service = await serve(b, 0, (packet, _ip, _port, reply) => {
          reply.set(pattern(reply.length, packet[0]));
          return reply.length;
        });
        const asker = await ask(a);
        asker.socket.send(Uint8Array.of(7), service.address);
        await untilTrue(a, () => asker.answers.length === 1);
        expect(asker.answers[0]).toEqual(pattern(MAX_ANSWERED_BYTES, 7));
        await Promise.all([asker.socket.close(), service.close()]);
      }));

    it('goes on when those it answered are gone', () =>
      inWorld(makeWorld, async ({ a, b }) => {
        const service = await serve(b, 0, () => 1);
        const gone = await ask(a);
        gone.socket.send(utf8('and gone'), service.address);
        await gone.socket.close();
        const asker = await ask(a);
        asker.socket.send(utf8('still there?'), service.address);
        await untilTrue(a, () => asker.answers.length === 1);
        await Promise.all([asker.socket.close(), service.close()]);
      }));

    it('says LISTEN_FAILED for a port that is taken, and takes it once it is free', () =>
      inWorld(makeWorld, async ({ a }) => {
        const first = await serve(a, 0, () => 0);
        const { port } = first.address;
        await expect(serve(a, port, () => 0)).rejects.toMatchObject({ code: 'LISTEN_FAILED' });
        await first.close();
        const again = await serve(a, port, () => 0);
        expect(again.address.key).toBe(first.address.key);
        await again.close();
      }));

    it('answers nothing after it is closed, even within the call of an answer', () =>
      inWorld(makeWorld, async ({ a, b }) => {
        let calls = 0;
        const closed: Promise<void>[] = [];
        const service = await serve(b, 0, () => {
          calls++;
          closed.push(service.close());
          return 1;
        });
        const asker = await ask(a);
        for (let i = 0; i < 10; i++) asker.socket.send(utf8('?'), service.address);
        await untilTrue(a, () => calls > 0);
        await Promise.all([...closed, service.close()]);
        expect(calls).toBe(1);
        await asker.socket.close();
      }));
  });
}
