// How honest clients ask: over HTTP with a connection that is kept or one for each announce, and over UDP (BEP 15).

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { asBytes, asDict, asText, decode } from '../../../src/bencode/decode.ts';
import type { Run } from '../run.ts';
import type { Client, Way } from './honest.ts';

const PEER_ID = '-XX0001-honestclient';
/** Clients wait longer, but who waits so long on one machine waits for ever. */
const HTTP_PATIENCE_MS = 20_000;
/** A datagram may be lost: it is sent again then (BEP 15 says 15 s), so often. */
const UDP_PATIENCE_MS = 1000;
const UDP_TRIES = 20;
/** Connection ids are good for a minute (BEP 15). */
const ID_MS = 50_000;
const UDP_HEAD_BYTES = 20;

/** `prefix` is what the URL has before `/announce`. */
export function httpWay(who: string, port: number, isKept: boolean, prefix = ''): Way {
  return {
    who,
    async connect(client) {
      const agent = isKept ? new Agent({ keepAlive: true, maxSockets: 1 }) : new Agent({ keepAlive: false });
      const path = `${prefix}/announce?${queryOf(client)}`;
      const ask = async (): Promise<Uint8Array> => peersOf(await get(agent, client.ip, port, path));
      return { ask, close: () => agent.destroy() };
    },
  };
}

function queryOf({ infoHash, port }: Client): string {
  const hash = [...infoHash].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  return `info_hash=${hash}&peer_id=${PEER_ID}&port=${port}&uploaded=0&downloaded=0&left=1&compact=1&numwant=50`;
}

function get(agent: Agent, localAddress: string, port: number, path: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const asked = request({ agent, host: '127.0.0.1', port, localAddress, path, timeout: HTTP_PATIENCE_MS });
    asked.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks));
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    asked.on('error', reject);
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${HTTP_PATIENCE_MS} ms`)));
    asked.end();
  });
}

function peersOf(body: Uint8Array): Uint8Array {
  const reply = asDict(decode(body));
  const reason = asText(reply?.get('failure reason'));
  const peers = asBytes(reply?.get('peers'));
  if (reason !== null || peers === null) throw new Error(reason ?? 'an answer without peers');
  return peers;
}

export function udpWay(who: string, run: Run, port: number): Way {
  return {
    who,
    async connect(client) {
      const socket = createSocket('udp4').bind(0, client.ip);
      await once(socket, 'listening');
      socket.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      const asker = new UdpAsker(run, socket, client);
      return { ask: () => asker.ask(), close: () => void socket.close() };
    },
  };
}

class UdpAsker {
  readonly #run: Run;
  readonly #socket: Socket;
  readonly #announce: Buffer;
  #idAtMs = Number.NEGATIVE_INFINITY;
  #transaction = 0;

  constructor(run: Run, socket: Socket, { infoHash, port }: Client) {
    this.#run = run;
    this.#socket = socket;
    const packet = Buffer.alloc(98);
    packet.writeUInt32BE(1, 8);
    packet.set(infoHash, 16);
    packet.write(PEER_ID, 36, 'latin1');
    packet[71] = 1;
    packet.writeUInt32BE(50, 92);
    packet.writeUInt16BE(port, 96);
    this.#announce = packet;
  }

  async ask(): Promise<Uint8Array> {
    if (performance.now() - this.#idAtMs > ID_MS) {
      const connect = Buffer.from('00000417271019800000000000000000', 'hex');
      (await this.#send(connect, 0)).copy(this.#announce, 0, 8, 16);
      this.#idAtMs = performance.now();
    }
    return (await this.#send(this.#announce, 1)).subarray(UDP_HEAD_BYTES);
  }

  async #send(packet: Buffer, action: number): Promise<Buffer> {
    // One number for all tries: an answer that comes late is an answer.
    packet.writeUInt32BE(++this.#transaction, 12);
    for (let tried = 0; tried < UDP_TRIES; tried++) {
      if (tried > 0) this.#run.count('datagrams of honest clients sent again');
      const reply = await this.#reply(packet);
      if (reply === null) continue;
      if (reply.readUInt32BE(0) === action) return reply;
      throw new Error(reply.toString('utf8', 8));
    }
    throw new Error('no answer over UDP');
  }

  #reply(packet: Buffer): Promise<Buffer | null> {
    return new Promise((resolve) => {
      const done = (reply: Buffer | null): void => {
        clearTimeout(timer);
        this.#socket.off('message', onMessage);
        resolve(reply);
      };
      const onMessage = (reply: Buffer): void => {
        if (reply.length >= 8 && reply.readUInt32BE(4) === this.#transaction) done(reply);
      };
      const timer = setTimeout(() => done(null), UDP_PATIENCE_MS);
      this.#socket.on('message', onMessage);
      this.#socket.send(packet);
    });
  }
}
