import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDontHave, decodeUploadOnly, encodeDontHave, encodeUploadOnly } from './small-extensions.ts';

describe('upload_only', () => {
  it('is read as it was written', () => {
    expect(decodeUploadOnly(encodeUploadOnly(true))).toBe(true);
    expect(decodeUploadOnly(encodeUploadOnly(false))).toBe(false);
  });

  it('is one byte', () => {
    expect(encodeUploadOnly(true)).toEqual(Uint8Array.of(1));
    expect(decodeUploadOnly(new Uint8Array(0))).toBeNull();
    expect(decodeUploadOnly(new Uint8Array(2))).toBeNull();
  });
});

describe('lt_donthave', () => {
  it('is read as it was written, unsigned', () => {
    fc.assert(fc.property(fc.nat(0xffff_ffff), (piece) => decodeDontHave(encodeDontHave(piece)) === piece));
    expect(decodeDontHave(Uint8Array.of(0xff, 0xff, 0xff, 0xfe))).toBe(0xffff_fffe);
  });

  it('is four bytes', () => {
    for (const length of [0, 3, 5]) expect(decodeDontHave(new Uint8Array(length))).toBeNull();
  });
});
