import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, equalBytes, fromLatin1, latin1 } from '../base/bytes.ts';
import {
  decodeMetadata,
  encodeMetadataData,
  encodeMetadataReject,
  encodeMetadataRequest,
  MAX_METADATA_BYTES,
  METADATA_PIECE_BYTES,
} from './metadata.ts';

const text = (bencoded: string): ReturnType<typeof decodeMetadata> => decodeMetadata(fromLatin1(bencoded));

describe('metadata messages', () => {
  it('have the bytes of the examples in BEP 9', () => {
    expect(latin1(encodeMetadataRequest(0))).toBe('d8:msg_typei0e5:piecei0ee');
    expect(latin1(encodeMetadataReject(0))).toBe('d8:msg_typei2e5:piecei0ee');
    expect(latin1(encodeMetadataData(0, 3, fromLatin1('xyz')))).toBe('d8:msg_typei1e5:piecei0e10:total_sizei3eexyz');
  });

  it('are read as they were written', () => {
    const pieces = fc.nat(1_000_000);
    fc.assert(
      fc.property(pieces, (piece) => {
        expect(decodeMetadata(encodeMetadataRequest(piece))).toEqual({ kind: 'request', piece });
        expect(decodeMetadata(encodeMetadataReject(piece))).toEqual({ kind: 'reject', piece });
      }),
    );
    fc.assert(
      fc.property(fc.nat(3000), fc.integer({ min: 1, max: METADATA_PIECE_BYTES }), (piece, lastBytes) => {
        const data = new Uint8Array(lastBytes).fill(piece);
        const totalBytes = piece * METADATA_PIECE_BYTES + lastBytes;
        const read = decodeMetadata(encodeMetadataData(piece, totalBytes, data));
        expect(read).toMatchObject({ kind: 'data', piece, totalBytes });
        expect(read?.kind === 'data' && equalBytes(read.data, data)).toBe(true);
      }),
    );
  });

  it('with data lend it from the message', () => {
    const payload = encodeMetadataData(0, 5, new Uint8Array(5));
    const read = decodeMetadata(payload);
    expect(read?.kind === 'data' && read.data.buffer === payload.buffer).toBe(true);
  });

  it('carry as much data as their piece has, or are ignored', () => {
    const data = (piece: number, totalBytes: number, bytes: number): unknown =>
      decodeMetadata(encodeMetadataData(piece, totalBytes, new Uint8Array(bytes)))?.kind;
    expect(data(0, 20_000, 16_384)).toBe('data');
    expect(data(1, 20_000, 20_000 - 16_384)).toBe('data');
    expect(data(0, 20_000, 16_383)).toBeUndefined();
    expect(data(0, 20_000, 16_385)).toBeUndefined();
    expect(data(1, 20_000, 16_384)).toBeUndefined();
    expect(data(2, 20_000, 16_384)).toBeUndefined();
    expect(data(2, 2 * 16_384, 0)).toBeUndefined();
    expect(data(0, 0, 0)).toBeUndefined();
    expect(data(0, MAX_METADATA_BYTES, 16_384)).toBe('data');
    expect(data(0, MAX_METADATA_BYTES + 1, 16_384)).toBeUndefined();
  });

  it('of unknown types, without their keys or with keys of wrong types are ignored', () => {
    for (const bencoded of [
      '',
      'i1e',
      'le',
      'de',
      'd8:msg_typei3e5:piecei0ee',
      'd8:msg_typei0ee',
      'd5:piecei0ee',
      'd8:msg_typei0e5:piecei-1ee',
      'd8:msg_typei0e5:piece1:0e',
      'd8:msg_type1:05:piecei0ee',
      'd8:msg_typei0e5:piecei99999999999999999999ee',
      'd8:msg_typei1e5:piecei0eexyz',
      'd8:msg_typei1e5:piecei0e10:total_sizei-3eexyz',
      'd8:msg_typei0e5:piecei0e',
    ]) {
      expect(text(bencoded)).toBeNull();
    }
  });

  it('may have keys unknown to us', () => {
    expect(text('d1:ai1e8:msg_typei0e5:piecei4e1:zlee')).toEqual({ kind: 'request', piece: 4 });
  });

  it('never throw on any bytes', () => {
    const near = fc.constantFrom(
      'd8:msg_type',
      'i1e',
      '5:piece',
      'i0e',
      '10:total_size',
      'i3e',
      'e',
      'l',
      'd',
      '0:',
      'i-',
    );
    const parts = fc.array(fc.oneof(near.map(fromLatin1), fc.uint8Array({ maxLength: 9 })));
    fc.assert(fc.property(parts, (list) => void decodeMetadata(concatBytes(list))));
    expect(text('l'.repeat(100_000))).toBeNull();
    expect(text(`d1:a${'l'.repeat(50_000)}`)).toBeNull();
    expect(text(`d1:al${'le'.repeat(60_000)}e8:msg_typei0e5:piecei0ee`)).toBeNull();
  });
});
