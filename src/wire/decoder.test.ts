import { afterEach, describe, expect, it, vi } from 'vitest';
import { concatBytes, writeU32 } from '../base/bytes.ts';
import { Decoder } from './decoder.ts';
import * as encoder from './encoder.ts';
import { MAX_HASHES_BYTES, MAX_UNKNOWN_BYTES, type WireFault, type WireLimits } from './limits.ts';
import type { BlockPlace, WireSink } from './sink.ts';

const LIMITS: WireLimits = { maxBitfieldBytes: 600, maxBlockBytes: 20_000, maxExtendedBytes: 5000 };

/** A sink that does what it is given, drops blocks, and notes the name and the plain arguments of every call. */
function sinkOf(calls: Partial<WireSink>): { sink: WireSink; lines: string[] } {
  const lines: string[] = [];
  const sink = new Proxy(calls, {
    get: (target, name) => {
      const own: unknown = Reflect.get(target, name);
      return (...args: unknown[]): unknown => {
        lines.push([String(name), ...args.filter((arg) => typeof arg !== 'object')].join(' '));
        return typeof own === 'function' ? own(...args) : null;
      };
    },
  });
  return { sink: sink as WireSink, lines };
}

function decoderOf(calls: Partial<WireSink> = {}, limits: WireLimits = LIMITS): { decoder: Decoder; lines: string[] } {
  const { sink, lines } = sinkOf(calls);
  return { decoder: new Decoder(sink, limits), lines };
}

function faultOf(bytes: Uint8Array): WireFault | null {
  return decoderOf().decoder.push(bytes);
}

/** Any bytes with a length before them, true or false. */
function raw(length: number, id: number, rest: Uint8Array = new Uint8Array(0)): Uint8Array {
  const head = new Uint8Array(5);
  writeU32(head, 0, length);
  head[4] = id;
  return concatBytes([head, rest]);
}

function put(write: (out: Uint8Array, at: number) => number): Uint8Array {
  const out = new Uint8Array(encoder.MAX_PUT_BYTES);
  return out.slice(0, write(out, 0));
}

describe('lengths that a remote claims', () => {
  const variable: [string, number, number, number][] = [
    // name, id, least, most (id included)
    ['bitfield', 5, 1, 1 + LIMITS.maxBitfieldBytes],
    ['piece', 7, 9, 9 + LIMITS.maxBlockBytes],
    ['extended', 20, 2, 2 + LIMITS.maxExtendedBytes],
    ['hashes', 22, 49, 49 + MAX_HASHES_BYTES],
    ['unknown', 77, 1, 1 + MAX_UNKNOWN_BYTES],
  ];

  it.each(variable)('of %s are taken up to the limit and not beyond', (_name, id, least, most) => {
    const step = id === 22 ? 32 : 1;
    expect(faultOf(raw(least, id))).toBeNull();
    expect(faultOf(raw(most, id))).toBeNull();
    for (const length of [most + step, 0x7fff_fff1, 0xffff_fff1]) {
      expect(faultOf(raw(length, id))?.code).toBe('message-too-long');
    }
    if (least > 1) expect(faultOf(raw(least - step, id))?.code).toBe('bad-length');
  });

  const fixed: [number, number][] = [
    ...[0, 1, 2, 3, 14, 15].map((id): [number, number] => [id, 1]),
    ...[4, 13, 17].map((id): [number, number] => [id, 5]),
    ...[6, 8, 16].map((id): [number, number] => [id, 13]),
    ...[21, 23].map((id): [number, number] => [id, 49]),
    [9, 3],
  ];

  it.each(fixed)('of message %i must be %i', (id, length) => {
    expect(faultOf(raw(length, id, new Uint8Array(length - 1)))).toBeNull();
    for (const wrong of [length - 1, length + 1, 0xffff_ffff].filter((each) => each > 0)) {
      const { decoder, lines } = decoderOf();
      expect(decoder.push(raw(wrong, id, new Uint8Array(60)))?.code).toBe('bad-length');
      expect(lines).toEqual([]);
    }
  });

  it('of hashes must be a whole number of them', () => {
    expect(faultOf(raw(49 + 33, 22))?.code).toBe('bad-length');
  });

  it('are refused as soon as length and id are there, and the fault stays', () => {
    const { decoder } = decoderOf();
    const head = raw(0xffff_ffff, 20);
    expect(decoder.push(head.subarray(0, 4))).toBeNull();
    const fault = decoder.push(head.subarray(4));
    expect(fault).toMatchObject({ code: 'message-too-long', message: expect.stringContaining('4294967295') });
    expect(decoder.push(put(encoder.putChoke))).toBe(fault);
  });

  it('of a bitfield must fit the number of pieces once that is known', () => {
    const codeOf = (bytes: number): string | undefined => {
      const { decoder } = decoderOf();
      decoder.setPieceCount(5001);
      return decoder.push(encoder.encodeBitfield(new Uint8Array(bytes)))?.code;
    };
    expect([625, 626, 627].map(codeOf)).toEqual(['bad-length', undefined, 'bad-length']);
  });
});

describe('memory', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('is reserved for what has arrived, never for what is claimed', () => {
    const original = Uint8Array;
    let largest = 0;
    const counting: Uint8ArrayConstructor = new Proxy(original, {
      construct(target, args: unknown[], newTarget): object {
        if (typeof args[0] === 'number') largest = Math.max(largest, args[0]);
        return Reflect.construct(target, args, newTarget === counting ? target : newTarget);
      },
    });
    const limits = { maxBitfieldBytes: 1 << 30, maxBlockBytes: 1 << 30, maxExtendedBytes: 1 << 30 };
    for (const id of [5, 7, 20, 22, 99]) {
      const { decoder } = decoderOf({}, limits);
      const claimed = id < 21 ? 1 << 29 : 49 + 32 * 500;
      const chunk = new original(100);
      largest = 0;
      vi.stubGlobal('Uint8Array', counting);
      decoder.push(raw(claimed, id));
      for (let arrived = 100; arrived <= 10_000; arrived += 100) {
        expect(decoder.push(chunk)).toBeNull();
        expect(largest).toBeLessThanOrEqual(Math.max(1024, 2 * arrived));
      }
      vi.unstubAllGlobals();
      if (id === 5) expect(largest).toBeGreaterThan(5000);
      if (id === 7 || id === 99) expect(largest).toBeLessThanOrEqual(5);
    }
  });

  it('that grows under a message in many chunks keeps what is there', () => {
    const payload = Uint8Array.from({ length: LIMITS.maxExtendedBytes }, (_, i) => i % 251);
    const message = encoder.encodeExtended(9, payload);
    for (const chunkBytes of [1, 7, 1000, 4999]) {
      const kept: Uint8Array[] = [];
      const { decoder } = decoderOf({ onExtended: (_id, told) => void kept.push(told.slice()) });
      for (let at = 0; at < message.length; at += chunkBytes) decoder.push(message.subarray(at, at + chunkBytes));
      expect(kept).toEqual([payload]);
    }
  });

  it('lent to a sink is a plain view, of which slice makes a copy, even if the chunk is a Buffer', () => {
    const kept: Uint8Array[] = [];
    const { decoder } = decoderOf({
      onBitfield: (wire) => void kept.push(wire.slice()),
      onExtended: (_id, payload) => void kept.push(payload.slice()),
      onHashRequest: ({ piecesRoot }) => void kept.push(piecesRoot),
    });
    const piecesRoot = new Uint8Array(32).fill(3);
    const chunk = Buffer.concat([
      encoder.encodeBitfield(Uint8Array.of(1, 2)),
      encoder.encodeExtended(3, Uint8Array.of(4)),
      encoder.encodeHashRequest({ piecesRoot, baseLayer: 0, index: 0, length: 2, proofLayers: 0 }),
    ]);
    decoder.push(chunk);
    chunk.fill(0xee);
    expect(kept).toEqual([Uint8Array.of(1, 2), Uint8Array.of(4), piecesRoot]);
  });
});

describe('a block', () => {
  const data = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
  const message = concatBytes([put((out, at) => encoder.putPieceHeader(out, at, 4, 0, data.length)), data]);
  const placed = ['placeBlock 4 0 1000', 'onBlockBytes 1000', 'onBlock 4 0 1000 true'];

  it('that is dropped halfway is not written on and ends as not placed; the next one is placed', () => {
    let memory = new Uint8Array(1000);
    const { decoder, lines } = decoderOf({ placeBlock: () => ({ bytes: memory, offset: 0 }) });
    decoder.push(message.subarray(0, 513));
    decoder.dropBlock();
    decoder.push(message.subarray(513));
    expect(lines.splice(0)).toEqual([placed[0], 'onBlockBytes 500', 'onBlockBytes 500', 'onBlock 4 0 1000 false']);
    expect(memory.subarray(0, 500)).toEqual(data.subarray(0, 500));
    expect(memory.subarray(500)).toEqual(new Uint8Array(500));
    memory = new Uint8Array(1000);
    decoder.push(message);
    expect(lines).toEqual(placed);
    expect(memory).toEqual(data);
  });

  it('may be dropped by the call that counts its last bytes', () => {
    const place = { bytes: new Uint8Array(1000), offset: 0 };
    const { decoder, lines } = decoderOf({ placeBlock: () => place, onBlockBytes: () => decoder.dropBlock() });
    decoder.push(message);
    expect(lines.at(-1)).toBe('onBlock 4 0 1000 false');
  });

  it('reads its place at once, so that the sink may use one record for all', () => {
    const memory = new Uint8Array(1000);
    const record: BlockPlace = { bytes: memory, offset: 0 };
    const { decoder } = decoderOf({ placeBlock: () => record });
    decoder.push(message.subarray(0, 500));
    record.bytes = new Uint8Array(0);
    record.offset = 77;
    decoder.push(message.subarray(500));
    expect(memory).toEqual(data);
  });

  it('that does not fit the place it is given is a bug of the sink, found before a byte is written', () => {
    const memory = new Uint8Array(1000);
    const { decoder } = decoderOf({ placeBlock: () => ({ bytes: memory, offset: 1 }) });
    expect(() => decoder.push(message)).toThrow('a block fits its place');
    expect(memory).toEqual(new Uint8Array(1000));
  });

  it('of no bytes is told at once, as the reject that some clients mean by it', () => {
    const { decoder, lines } = decoderOf();
    decoder.push(put((out, at) => encoder.putPieceHeader(out, at, 1, 16384, 0)));
    expect(lines).toEqual(['placeBlock 1 16384 0', 'onBlock 1 16384 0 false']);
  });
});

describe('stop', () => {
  const stream = concatBytes([
    put(encoder.putChoke),
    encoder.encodeExtended(1, new Uint8Array(3000)),
    put((out, at) => encoder.putPieceHeader(out, at, 4, 0, 100)),
    new Uint8Array(100),
    raw(5, 99, new Uint8Array(4)),
    put(encoder.putUnchoke),
  ]);
  const calls = ['onChoke', 'onExtended', 'placeBlock', 'onBlockBytes', 'onBlock', 'onUnknown', 'onUnchoke'] as const;

  it.each(calls)('in %s lets no call follow', (name) => {
    for (const chunkBytes of [stream.length, 1]) {
      const { decoder, lines } = decoderOf({
        [name]: () => {
          decoder.stop();
          return null;
        },
      });
      for (let at = 0; at < stream.length; at += chunkBytes) {
        expect(decoder.push(stream.subarray(at, at + chunkBytes))).toBeNull();
      }
      expect(lines.findIndex((line) => line.startsWith(`${name} `) || line === name)).toBe(lines.length - 1);
    }
  });

  it('in the call that places a block of no bytes keeps its end from being told', () => {
    const { decoder, lines } = decoderOf({
      placeBlock: () => {
        decoder.stop();
        return null;
      },
    });
    decoder.push(put((out, at) => encoder.putPieceHeader(out, at, 4, 0, 0)));
    expect(lines).toEqual(['placeBlock 4 0 0']);
  });
});
