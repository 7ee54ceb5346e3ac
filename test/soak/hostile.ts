// Remotes that mean ill: one that says it has everything and sends bad blocks, and callers who send what no protocol has.

import { createSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';
import { encodeHandshake, HANDSHAKE_BYTES } from '../../src/wire/handshake.ts';
import type { Chance } from '../interop/harness/chance.ts';
import type { Content } from './content.ts';
import type { Run } from './run.ts';

export interface Targets {
  readonly contents: readonly Content[];
  /** `ip:port` of the seed that stays. */
  readonly seed: string;
  /** Port on 127.0.0.1 of the tracker that stays. */
  readonly trackerPort: number;
}

/** A banned address is of no further use: the liar takes another one so often. */
const LIE_FROM_MS = 20_000;
const CALL_EVERY_MS = 1500;
/** A connection that nobody ends. */
const HOLD_MS = 10_000;
const REQUEST = 6;
const MOST_BLOCK_BYTES = 1 << 17;
/** No client sends so much without having been answered. */
const MOST_HELD_BYTES = 1 << 20;

/** Runs until the run is over. */
export async function liar(run: Run, { contents, trackerPort }: Targets): Promise<void> {
  const chance = run.chance('liar');
  for (let turn = 1; !run.isOver; turn++) {
    const ip = `127.66.${(turn >> 8) & 255}.${turn & 255}`;
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      lie(socket, contents, chance, () => run.count('bad blocks sent'));
    });
    await new Promise<void>((done) => {
      server.listen(0, ip, done);
    });
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    for (const { infoHash } of contents) announceAs(infoHash, chance, { ip, port, trackerPort });
    await run.wait(LIE_FROM_MS);
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => {
      server.close(done);
    });
  }
}

/** Greets whoever calls, has all pieces, and answers every request with noise. */
function lie(socket: Socket, contents: readonly Content[], chance: Chance, lied: () => void): void {
  let held: Buffer = Buffer.alloc(0);
  let greeted = false;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    if (held.length > MOST_HELD_BYTES) socket.destroy();
    if (!greeted && held.length >= HANDSHAKE_BYTES) {
      const infoHash = held.subarray(28, 48);
      const content = contents.find((one) => infoHash.equals(one.infoHash));
      if (!content) return void socket.destroy();
      held = held.subarray(HANDSHAKE_BYTES);
      greeted = true;
      socket.write(handshake(content.infoHash, chance));
      socket.write(allPieces(content.pieceCount));
      socket.write(Buffer.from([0, 0, 0, 1, 1]));
    }
    while (greeted && held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
      const body = held.subarray(4, 4 + held.readUInt32BE(0));
      held = held.subarray(4 + body.length);
      if (body[0] !== REQUEST || body.length !== 13 || body.readUInt32BE(9) > MOST_BLOCK_BYTES) continue;
      socket.write(badBlock(body, chance));
      lied();
    }
  });
}

function handshake(infoHash: Uint8Array, chance: Chance): Uint8Array {
  return encodeHandshake({ infoHash, peerId: chance.bytes(20), fast: false, extended: false, dht: false, v2: false });
}

function allPieces(pieceCount: number): Buffer {
  const bits = Buffer.alloc(Math.ceil(pieceCount / 8));
  for (let piece = 0; piece < pieceCount; piece++) bits[piece >> 3]! |= 0x80 >> (piece & 7);
  const head = Buffer.from([0, 0, 0, 0, 5]);
  head.writeUInt32BE(1 + bits.length, 0);
  return Buffer.concat([head, bits]);
}

function badBlock(request: Buffer, chance: Chance): Buffer {
  const lengthBytes = request.readUInt32BE(9);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(9 + lengthBytes, 0);
  head[4] = 7;
  request.copy(head, 5, 1, 9);
  return Buffer.concat([head, chance.bytes(lengthBytes)]);
}

function announceAs(infoHash: Uint8Array, chance: Chance, to: { ip: string; port: number; trackerPort: number }): void {
  const encode = (bytes: Uint8Array): string =>
    [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const query = `info_hash=${encode(infoHash)}&peer_id=${encode(chance.bytes(20))}&port=${to.port}&uploaded=0&downloaded=0&left=0&compact=1&event=started`;
  const socket = connect({ host: '127.0.0.1', port: to.trackerPort, localAddress: to.ip });
  socket.on('error', () => socket.destroy());
  socket.on('data', () => socket.destroy());
  socket.write(`GET /announce?${query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
}

/** Runs until the run is over. */
export async function caller(run: Run, targets: Targets): Promise<void> {
  const chance = run.chance('caller');
  const [ip, port] = targets.seed.split(':');
  for (let turn = 0; !run.isOver; turn++) {
    const localAddress = `127.67.${chance.below(200)}.${1 + chance.below(200)}`;
    const { infoHash } = chance.pick(targets.contents);
    const hello = handshake(infoHash, chance);
    const noise = chance.bytes(1 + chance.below(4000));
    const kind = turn % 5;
    if (kind === 0) call(ip!, Number(port), localAddress, noise);
    else if (kind === 1) call(ip!, Number(port), localAddress, Buffer.concat([hello, noise]));
    else if (kind === 2) call(ip!, Number(port), localAddress, hello);
    else if (kind === 3) call('127.0.0.1', targets.trackerPort, localAddress, noise);
    else datagram(targets.trackerPort, noise.subarray(0, 1200));
    run.count('hostile calls');
    await run.wait(CALL_EVERY_MS);
  }
}

function call(host: string, port: number, localAddress: string, bytes: Uint8Array): void {
  const socket = connect({ host, port, localAddress });
  const timer = setTimeout(() => socket.destroy(), HOLD_MS);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => clearTimeout(timer));
  socket.resume();
  socket.write(bytes);
}

function datagram(port: number, bytes: Uint8Array): void {
  const socket = createSocket('udp4');
  socket.on('error', () => socket.close());
  socket.send(bytes, port, '127.0.0.1', () => socket.close());
}
