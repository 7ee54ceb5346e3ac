// The laws of the whole codec, over streams of all messages: split, true, false and broken.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, readU32, toHex, writeU32 } from '../base/bytes.ts';
import { Decoder } from './decoder.ts';
import * as encoder from './encoder.ts';
import type { HashQuery } from './hash-query.ts';
import type { WireFault, WireLimits } from './limits.ts';
import type { BlockPlace, WireSink } from './sink.ts';

const LIMITS: WireLimits = { maxBitfieldBytes: 600, maxBlockBytes: 20_000, maxExtendedBytes: 5000 };

/** Writes down every call as a line; blocks go to memory of their own, with a margin that must stay as it is. */
class Recorder implements WireSink {
  readonly lines: string[] = [];
  blockBytes = 0;
  #placed: BlockPlace | null = null;

  onKeepAlive = (): void => this.#note('keep-alive');
  onChoke = (): void => this.#note('choke');
  onUnchoke = (): void => this.#note('unchoke');
  onInterested = (): void => this.#note('interested');
  onNotInterested = (): void => this.#note('not-interested');
  onHave = (piece: number): void => this.#note('have', piece);
  onBitfield = (wire: Uint8Array): void => this.#note('bitfield', toHex(wire));
  onRequest = (...block: number[]): void => this.#note('request', ...block);
  onCancel = (...block: number[]): void => this.#note('cancel', ...block);
  onPort = (port: number): void => this.#note('port', port);
  onSuggest = (piece: number): void => this.#note('suggest', piece);
  onHaveAll = (): void => this.#note('have-all');
  onHaveNone = (): void => this.#note('have-none');
  onReject = (...block: number[]): void => this.#note('reject', ...block);
  onAllowedFast = (piece: number): void => this.#note('allowed-fast', piece);
  onExtended = (id: number, payload: Uint8Array): void => this.#note('extended', id, toHex(payload));
  onHashRequest = (query: HashQuery): void => this.#note('hash-request', textOf(query));
  onHashReject = (query: HashQuery): void => this.#note('hash-reject', textOf(query));
  onHashes = (query: HashQuery, hashes: Uint8Array): void => this.#note('hashes', textOf(query), toHex(hashes));
  onUnknown = (id: number, lengthBytes: number): void => this.#note('unknown', id, lengthBytes);

  placeBlock(piece: number, begin: number, length: number): BlockPlace | null {
    this.#note('place', piece, begin, length);
    this.blockBytes = 0;
    this.#placed = ownPlace(piece, length);
    return this.#placed;
  }

  onBlockBytes(count: number): void {
    this.blockBytes += count;
  }

  onBlock(piece: number, begin: number, length: number, placed: boolean): void {
    const { bytes, offset } = this.#placed ?? { bytes: new Uint8Array(0), offset: 0 };
    const margins = [bytes.subarray(0, offset), bytes.subarray(offset + length)];
    const intact = margins.every((margin) => margin.every((byte) => byte === MARGIN));
    const data = placed ? toHex(bytes.slice(offset, offset + length)) : 'dropped';
    this.#note('block', piece, begin, length, data, this.blockBytes, intact ? 'intact' : 'margin overwritten');
  }

  #note(...words: (string | number)[]): void {
    this.lines.push(words.join(' '));
  }
}

const MARGIN = 0xab;

/** Odd pieces are dropped; the others go to some offset of plain or shared memory. */
function ownPlace(piece: number, length: number): BlockPlace | null {
  if (piece % 2 === 1) return null;
  const size = 32 + length;
  const bytes = piece % 4 === 0 ? new Uint8Array(size) : new Uint8Array(new SharedArrayBuffer(size));
  return { bytes: bytes.fill(MARGIN), offset: piece % 32 };
}

function textOf(query: HashQuery): string {
  const { piecesRoot, baseLayer, index, length, proofLayers } = query;
  return [toHex(piecesRoot), baseLayer, index, length, proofLayers].join(',');
}

interface Run {
  readonly lines: readonly string[];
  readonly fault: WireFault | null;
}

/** Decodes `stream` in chunks that end at `cuts`. A chunk is a view somewhere in memory that is overwritten afterwards. */
function run(stream: Uint8Array, cuts: readonly number[]): Run {
  const recorder = new Recorder();
  const decoder = new Decoder(recorder, LIMITS);
  const ends = [...new Set([...cuts, stream.length])].sort((a, b) => a - b);
  let fault: WireFault | null = null;
  let at = 0;
  for (const end of ends) {
    const memory = new Uint8Array(end - at + (at % 11) + 3);
    const chunk = memory.subarray(at % 11, (at % 11) + end - at);
    chunk.set(stream.subarray(at, end));
    fault = decoder.push(chunk);
    memory.fill(0xee);
    at = end;
  }
  return { lines: recorder.lines, fault };
}

/** A message with the calls that it must give. */
interface Sample {
  readonly bytes: Uint8Array;
  readonly lines: readonly string[];
}

function put(write: (out: Uint8Array, at: number) => number): Uint8Array {
  const out = new Uint8Array(64);
  return out.slice(3, write(out, 3));
}

const u32 = fc.oneof(fc.nat(0xffff_ffff), fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff));
const bytesUpTo = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });

const plain = fc
  .constantFrom<[string, (out: Uint8Array, at: number) => number]>(
    ['keep-alive', encoder.putKeepAlive],
    ['choke', encoder.putChoke],
    ['unchoke', encoder.putUnchoke],
    ['interested', encoder.putInterested],
    ['not-interested', encoder.putNotInterested],
    ['have-all', encoder.putHaveAll],
    ['have-none', encoder.putHaveNone],
  )
  .map(([line, write]): Sample => ({ bytes: put(write), lines: [line] }));

const ofPiece = fc
  .tuple(
    fc.constantFrom<[string, typeof encoder.putHave]>(
      ['have', encoder.putHave],
      ['suggest', encoder.putSuggest],
      ['allowed-fast', encoder.putAllowedFast],
    ),
    u32,
  )
  .map(
    ([[word, write], piece]): Sample => ({
      bytes: put((out, at) => write(out, at, piece)),
      lines: [`${word} ${piece}`],
    }),
  );

const ofBlock = fc
  .tuple(
    fc.constantFrom<[string, typeof encoder.putRequest]>(
      ['request', encoder.putRequest],
      ['cancel', encoder.putCancel],
      ['reject', encoder.putReject],
    ),
    u32,
    u32,
    u32,
  )
  .map(
    ([[word, write], piece, begin, length]): Sample => ({
      bytes: put((out, at) => write(out, at, piece, begin, length)),
      lines: [`${word} ${piece} ${begin} ${length}`],
    }),
  );

const port = fc.nat(65535).map(
  (value): Sample => ({
    bytes: put((out, at) => encoder.putPort(out, at, value)),
    lines: [`port ${value}`],
  }),
);

const block = fc
  .tuple(u32, u32, fc.oneof({ weight: 4, arbitrary: bytesUpTo(60) }, fc.uint8Array({ minLength: 400, maxLength: 900 })))
  .map(([piece, begin, data]): Sample => {
    const length = data.length;
    const told = piece % 2 === 1 ? 'dropped' : toHex(data);
    return {
      bytes: concatBytes([put((out, at) => encoder.putPieceHeader(out, at, piece, begin, length)), data]),
      lines: [`place ${piece} ${begin} ${length}`, `block ${piece} ${begin} ${length} ${told} ${length} intact`],
    };
  });

const bitfield = bytesUpTo(40).map(
  (wire): Sample => ({
    bytes: encoder.encodeBitfield(wire),
    lines: [`bitfield ${toHex(wire)}`],
  }),
);

const extended = fc.tuple(fc.nat(255), bytesUpTo(3000)).map(
  ([id, payload]): Sample => ({
    bytes: encoder.encodeExtended(id, payload),
    lines: [`extended ${id} ${toHex(payload)}`],
  }),
);

const query: fc.Arbitrary<HashQuery> = fc.record({
  piecesRoot: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  baseLayer: u32,
  index: u32,
  length: u32,
  proofLayers: u32,
});

const ofQuery = fc
  .tuple(
    fc.constantFrom<[string, typeof encoder.encodeHashRequest]>(
      ['hash-request', encoder.encodeHashRequest],
      ['hash-reject', encoder.encodeHashReject],
    ),
    query,
  )
  .map(([[word, encode], q]): Sample => ({ bytes: encode(q), lines: [`${word} ${textOf(q)}`] }));

const hashes = fc.tuple(query, fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 6 })).map(
  ([q, list]): Sample => ({
    bytes: encoder.encodeHashes(q, concatBytes(list)),
    lines: [`hashes ${textOf(q)} ${toHex(concatBytes(list))}`],
  }),
);

const unknown = fc
  .tuple(fc.constantFrom(10, 11, 12, 18, 19, 24, 99, 250, 255), bytesUpTo(100))
  .map(([id, rest]): Sample => ({ bytes: raw(1 + rest.length, id, rest), lines: [`unknown ${id} ${rest.length}`] }));

const sample = fc.oneof(plain, ofPiece, ofBlock, port, block, bitfield, extended, ofQuery, hashes, unknown);
const samples = fc.array(sample, { maxLength: 20 });

/** Any bytes with a length before them, true or false. */
function raw(length: number, id: number, rest: Uint8Array = new Uint8Array(0)): Uint8Array {
  const head = new Uint8Array(5);
  writeU32(head, 0, length);
  head[4] = id;
  return concatBytes([head, rest]);
}

/** Streams that go wrong somewhere: true messages, false lengths, noise, flipped bytes. */
const hostileStream = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 3, arbitrary: sample.map(({ bytes }) => bytes) },
        fc.tuple(fc.nat(40), fc.nat(30), bytesUpTo(40)).map(([length, id, rest]) => raw(length, id, rest)),
        fc.tuple(u32, fc.nat(255), bytesUpTo(40)).map(([length, id, rest]) => raw(length, id, rest)),
        bytesUpTo(30),
      ),
      { maxLength: 12 },
    ),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
  )
  .map(([parts, flips]) => {
    const stream = concatBytes(parts);
    for (const [where, byte] of flips) if (stream.length > 0) stream[where % stream.length] = byte;
    return stream;
  });

const cutsOf = (stream: Uint8Array): fc.Arbitrary<number[]> => fc.array(fc.nat(stream.length), { maxLength: 30 });

describe('the stream of messages', () => {
  it('gives every message as it was encoded, whatever the split', () => {
    const input = samples.chain((list) => {
      const stream = concatBytes(list.map(({ bytes }) => bytes));
      return fc.record({ list: fc.constant(list), stream: fc.constant(stream), cuts: cutsOf(stream) });
    });
    fc.assert(
      fc.property(input, ({ list, stream, cuts }) => {
        const { lines, fault } = run(stream, cuts);
        expect(fault).toBeNull();
        expect(lines).toEqual(list.flatMap((each) => each.lines));
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same calls and the same fault for every split of any bytes, and never throws', () => {
    fc.assert(
      fc.property(
        hostileStream.chain((stream) => fc.tuple(fc.constant(stream), cutsOf(stream))),
        ([stream, cuts]) => {
          const whole = run(stream, []);
          expect(run(stream, cuts)).toEqual(whole);
          expect(run(stream, Array.from(stream.keys()))).toEqual(whole);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('loses nothing: encoding what was told gives the bytes back, up to a fault or an unfinished message', () => {
    fc.assert(
      fc.property(hostileStream, (stream) => {
        const sink = new Reencoder(stream);
        const fault = new Decoder(sink, LIMITS).push(stream);
        const told = concatBytes(sink.parts);
        expect(toHex(told)).toBe(toHex(stream.subarray(0, told.length)));
        const rest = stream.subarray(told.length);
        if (fault === null) expect(rest.length).toBeLessThan(rest.length < 4 ? 4 : 4 + readU32(rest, 0));
        else expect(rest.length).toBeGreaterThanOrEqual(5);
      }),
      { numRuns: 500 },
    );
  });

  it('reads numbers as unsigned', () => {
    const bytes = put((out, at) => encoder.putRequest(out, at, 0xffff_ffff, 0x8000_0000, 0xffff_fffe));
    expect(run(bytes, []).lines).toEqual(['request 4294967295 2147483648 4294967294']);
  });
});

/** Encodes every call again; of messages that are skipped it takes the bytes from the stream. */
class Reencoder implements WireSink {
  readonly parts: Uint8Array[] = [];
  readonly #stream: Uint8Array;
  readonly #memory: Uint8Array = new Uint8Array(LIMITS.maxBlockBytes);

  constructor(stream: Uint8Array) {
    this.#stream = stream;
  }

  onKeepAlive = (): void => this.#put(encoder.putKeepAlive);
  onChoke = (): void => this.#put(encoder.putChoke);
  onUnchoke = (): void => this.#put(encoder.putUnchoke);
  onInterested = (): void => this.#put(encoder.putInterested);
  onNotInterested = (): void => this.#put(encoder.putNotInterested);
  onHaveAll = (): void => this.#put(encoder.putHaveAll);
  onHaveNone = (): void => this.#put(encoder.putHaveNone);
  onHave = (piece: number): void => this.#put((out, at) => encoder.putHave(out, at, piece));
  onSuggest = (piece: number): void => this.#put((out, at) => encoder.putSuggest(out, at, piece));
  onAllowedFast = (piece: number): void => this.#put((out, at) => encoder.putAllowedFast(out, at, piece));
  onPort = (port: number): void => this.#put((out, at) => encoder.putPort(out, at, port));
  onRequest = (p: number, b: number, l: number): void => this.#put((out, at) => encoder.putRequest(out, at, p, b, l));
  onCancel = (p: number, b: number, l: number): void => this.#put((out, at) => encoder.putCancel(out, at, p, b, l));
  onReject = (p: number, b: number, l: number): void => this.#put((out, at) => encoder.putReject(out, at, p, b, l));
  onBitfield = (wire: Uint8Array): void => void this.parts.push(encoder.encodeBitfield(wire));
  onExtended = (id: number, payload: Uint8Array): void => void this.parts.push(encoder.encodeExtended(id, payload));
  onHashRequest = (q: HashQuery): void => void this.parts.push(encoder.encodeHashRequest(q));
  onHashReject = (q: HashQuery): void => void this.parts.push(encoder.encodeHashReject(q));
  onHashes = (q: HashQuery, list: Uint8Array): void => void this.parts.push(encoder.encodeHashes(q, list));
  placeBlock = (): BlockPlace => ({ bytes: this.#memory, offset: 0 });
  onBlockBytes = (): void => undefined;

  onBlock(piece: number, begin: number, length: number): void {
    this.#put((out, at) => encoder.putPieceHeader(out, at, piece, begin, length));
    this.parts.push(this.#memory.slice(0, length));
  }

  onUnknown(id: number, lengthBytes: number): void {
    const at = this.parts.reduce((sum, part) => sum + part.length, 5);
    this.parts.push(raw(1 + lengthBytes, id, this.#stream.subarray(at, at + lengthBytes)));
  }

  #put(write: (out: Uint8Array, at: number) => number): void {
    this.parts.push(put(write));
  }
}
