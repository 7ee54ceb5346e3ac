// The small works of the suite `wire`, each as a process of its own: work.js NAME [MODULE]. Prints operations or bytes a second.

import { pathToFileURL } from 'node:url';
import { Bitfield } from '../../src/base/bitfield.ts';
import { Picker } from '../../src/picker/picker.ts';
import { createNodeRandom } from '../../src/platform/node/random.ts';
import { Decoder } from '../../src/wire/decoder.ts';
import { putHave, putPieceHeader } from '../../src/wire/encoder.ts';
import { PlacingSink } from './sink.ts';

const BLOCK_BYTES = 16_384;
/** What a socket gives at a time. */
const CHUNK_BYTES = 65_536;
const BLOCKS = 1024;
const HAVES = 100_000;
const PIECES = 4096;
const BLOCKS_A_PIECE = 64;
const PEERS = 50;
const BITS = 100_000;
/** Long enough for the compiler to have had its say. */
const WARM_MS = 300;
const MEASURE_MS = 700;

const works: Record<string, () => Promise<number>> = {
  'shoal blocks': async () => perSecond(decodeAll(blocks()), (BLOCKS * BLOCK_BYTES) / 1e6),
  'shoal haves': async () => perSecond(decodeAll(haves()), HAVES / 1e6),
  'copy blocks': async () => perSecond(copyAll(blocks()), (BLOCKS * BLOCK_BYTES) / 1e6),
  'webtorrent blocks': () => webtorrent(blocks(), (BLOCKS * BLOCK_BYTES) / 1e6),
  'webtorrent haves': () => webtorrent(haves(), HAVES / 1e6),
  'shoal picks': async () => perSecond(pickAll, (PIECES * BLOCKS_A_PIECE) / 1e6),
  'shoal bits': async () => perSecond(setBits, (2 * BITS) / 1e6),
};

const work = works[process.argv[2] ?? ''];
if (work === undefined) throw new Error(`works: ${Object.keys(works).join(', ')}`);
console.log(JSON.stringify({ perSecond: await work() }));
process.exit();

/** How much of `amount`, which one call does, is done in a second. */
function perSecond(once: () => void, amount: number): number {
  const repeat = (ms: number): number => {
    const beganMs = performance.now();
    let times = 0;
    while (performance.now() - beganMs < ms) {
      once();
      times++;
    }
    return (times * amount * 1000) / (performance.now() - beganMs);
  };
  repeat(WARM_MS);
  return repeat(MEASURE_MS);
}

/** Piece messages, cut where a socket would. */
function blocks(): readonly Uint8Array[] {
  const message = new Uint8Array(13 + BLOCK_BYTES);
  const stream = new Uint8Array(BLOCKS * message.length);
  for (let i = 0; i < BLOCKS; i++) {
    putPieceHeader(message, 0, i >> 6, (i & 63) * BLOCK_BYTES, BLOCK_BYTES);
    stream.set(message, i * message.length);
  }
  return cut(stream);
}

function haves(): readonly Uint8Array[] {
  const stream = new Uint8Array(HAVES * 9);
  for (let i = 0, at = 0; i < HAVES; i++) at = putHave(stream, at, i % PIECES);
  return cut(stream);
}

function cut(stream: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(stream.length / CHUNK_BYTES) }, (_, i) =>
    stream.slice(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES),
  );
}

function decodeAll(chunks: readonly Uint8Array[]): () => void {
  const limits = { maxBitfieldBytes: PIECES / 8, maxBlockBytes: BLOCK_BYTES, maxExtendedBytes: 1024 };
  const decoder = new Decoder(new PlacingSink(BLOCKS_A_PIECE * BLOCK_BYTES), limits);
  return () => {
    for (const chunk of chunks) if (decoder.push(chunk) !== null) throw new Error('the stream is not good');
  };
}

/** The floor: the same bytes copied once, without reading any. */
function copyAll(chunks: readonly Uint8Array[]): () => void {
  const place = new Uint8Array(BLOCKS_A_PIECE * BLOCK_BYTES);
  let at = 0;
  return () => {
    for (const chunk of chunks) {
      if (at + chunk.length > place.length) at = 0;
      place.set(chunk, at);
      at += chunk.length;
    }
  };
}

/** A whole torrent from 50 peers that have everything, 64 blocks asked for at a time. */
function pickAll(): void {
  const picker = new Picker({ pieceCount: PIECES, blockCount: () => BLOCKS_A_PIECE }, createNodeRandom());
  const have = new Bitfield(PIECES);
  have.setAll();
  const peers = Array.from({ length: PEERS }, (_, number) => ({ number, have, parole: false, slow: false }));
  for (const peer of peers) picker.peerJoined(peer.have);
  const out = new Int32Array(2 * BLOCKS_A_PIECE);
  for (let left = PIECES * BLOCKS_A_PIECE; left > 0; ) {
    for (const peer of peers) {
      const count = picker.pick(peer, BLOCKS_A_PIECE, 1, out);
      for (let i = 0; i < count; i++) {
        const piece = out[2 * i]!;
        if (picker.blockArrived(piece, out[2 * i + 1]!, peer.number) === 'first') left--;
        if (picker.isPieceComplete(piece)) picker.setVerified(piece);
      }
    }
  }
}

function setBits(): void {
  const field = new Bitfield(BITS);
  for (let i = 0; i < BITS; i++) field.set((i * 7919) % BITS);
  for (let i = 0; i < BITS; i++) if (!field.has(i)) throw new Error('a bit is missing');
}

/** The package bittorrent-protocol, which WebTorrent decodes with: a stream, so it is written to and waited for. */
async function webtorrent(chunks: readonly Uint8Array[], amount: number): Promise<number> {
  const { default: Wire } = (await import(pathToFileURL(process.argv[3] ?? '').href)) as {
    default: new () => WireLike;
  };
  const wire = new Wire();
  wire.on('error', (error: unknown) => {
    throw error;
  });
  wire.write(Buffer.concat([Buffer.from('\x13BitTorrent protocol', 'latin1'), Buffer.alloc(48)]));
  const repeat = async (ms: number): Promise<number> => {
    const beganMs = performance.now();
    let times = 0;
    while (performance.now() - beganMs < ms) {
      for (const chunk of chunks) if (!wire.write(chunk)) await new Promise<void>((done) => wire.once('drain', done));
      times++;
    }
    return (times * amount * 1000) / (performance.now() - beganMs);
  };
  await repeat(WARM_MS);
  return await repeat(MEASURE_MS);
}

interface WireLike {
  write(chunk: Uint8Array): boolean;
  once(event: string, call: () => void): void;
  on(event: string, call: (value: unknown) => void): void;
}
