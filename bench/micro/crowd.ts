// Many seeds in one process, each at an address of its own: crowd.js JSON, with `Crowd` below. They serve whatever is asked
// for, at once and to everybody: what is measured is the leech.

import { openSync, readSync } from 'node:fs';
import { get } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { Bitfield } from '../../src/base/bitfield.ts';
import { fromHex } from '../../src/base/bytes.ts';
import { Decoder } from '../../src/wire/decoder.ts';
import {
  encodeBitfield,
  MAX_PUT_BYTES,
  PIECE_HEADER_BYTES,
  putPieceHeader,
  putUnchoke,
} from '../../src/wire/encoder.ts';
import { PlacingSink } from './sink.ts';

export interface Crowd {
  readonly tracker: string;
  readonly infoHash: string;
  readonly content: string;
  readonly pieceLength: number;
  readonly pieceCount: number;
  readonly ips: readonly string[];
  readonly port: number;
}

const HANDSHAKE_BYTES = 68;
const PROTOCOL = Buffer.from('\x13BitTorrent protocol\0\0\0\0\0\0\0\0', 'latin1');
const LIMITS = { maxBitfieldBytes: 1 << 20, maxBlockBytes: 1 << 17, maxExtendedBytes: 1 << 16 };

const crowd = JSON.parse(process.argv[2] ?? '') as Crowd;
const infoHash = fromHex(crowd.infoHash);
if (infoHash === null) throw new Error('the info hash is not hex');
const content = openSync(crowd.content, 'r');

for (const [i, ip] of crowd.ips.entries()) await listen(ip, i);
// The last one alone says that it is a seed: by then all can be found.
for (const ip of crowd.ips) await announce(ip, ip === crowd.ips.at(-1) ? 0 : 1);

function listen(ip: string, number: number): Promise<void> {
  const server = createServer({ noDelay: true }, (socket) => serve(socket, number));
  return new Promise((done) => server.listen(crowd.port, ip, done));
}

function announce(ip: string, left: number): Promise<void> {
  const url = `${crowd.tracker}?port=${crowd.port}&left=${left}`;
  return new Promise((done, fail) => {
    get(url, { localAddress: ip }, (response) => response.resume().on('end', done)).on('error', fail);
  });
}

class Serving extends PlacingSink {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super(0);
    this.#socket = socket;
  }

  override onRequest(piece: number, begin: number, length: number): void {
    const message = Buffer.allocUnsafe(PIECE_HEADER_BYTES + length);
    putPieceHeader(message, 0, piece, begin, length);
    readSync(content, message, PIECE_HEADER_BYTES, length, piece * crowd.pieceLength + begin);
    this.#socket.write(message);
  }
}

function serve(socket: Socket, number: number): void {
  const decoder = new Decoder(new Serving(socket), LIMITS);
  let greeting: Buffer | null = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    if (greeting === null) {
      decoder.push(chunk);
      return;
    }
    greeting = Buffer.concat([greeting, chunk]);
    if (greeting.length < HANDSHAKE_BYTES) return;
    const rest = greeting.subarray(HANDSHAKE_BYTES);
    greeting = null;
    const id = Buffer.from(`-SB0000-${String(number).padStart(12, '0')}`, 'latin1');
    socket.write(Buffer.concat([PROTOCOL, infoHash!, id, everything()]));
    decoder.push(rest);
  });
}

/** A full bitfield, and that everybody may ask. */
function everything(): Uint8Array {
  const have = new Bitfield(crowd.pieceCount);
  have.setAll();
  const unchoke = new Uint8Array(MAX_PUT_BYTES);
  return Buffer.concat([encodeBitfield(have.bytes), unchoke.subarray(0, putUnchoke(unchoke, 0))]);
}
