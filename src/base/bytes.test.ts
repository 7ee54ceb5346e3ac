import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareBytes,
  concatBytes,
  equalBytes,
  fromHex,
  fromLatin1,
  fromUtf8,
  latin1,
  readU16,
  readU32,
  toHex,
  utf8,
  writeU16,
  writeU32,
} from './bytes.ts';

const bytes = fc.uint8Array({ maxLength: 64 });

describe('bytes', () => {
  it('hex goes there and back, in either case', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(fromHex(toHex(value))).toEqual(value);
        expect(fromHex(toHex(value).toUpperCase())).toEqual(value);
      }),
    );
    expect(fromHex('abc')).toBeNull();
    expect(fromHex('zz')).toBeNull();
  });

  it('latin1 keeps every byte', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(fromLatin1(latin1(value))).toEqual(value);
      }),
    );
  });

  it('strict UTF-8 refuses what is none', () => {
    expect(fromUtf8(utf8('Ünïcödé 🐟'))).toBe('Ünïcödé 🐟');
    expect(fromUtf8(Uint8Array.of(0xc3, 0x28))).toBeNull();
  });

  it('integers are unsigned and big-endian', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.nat(0xffff), (long, short) => {
        const out = new Uint8Array(6);
        writeU32(out, 0, long);
        writeU16(out, 4, short);
        expect([readU32(out, 0), readU16(out, 4)]).toEqual([long, short]);
        expect(out[0]).toBe(Math.floor(long / 2 ** 24));
      }),
    );
  });

  it('order and equality are those of Buffer', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
        expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
        expect(concatBytes([a, b])).toEqual(new Uint8Array(Buffer.concat([a, b])));
      }),
    );
  });
});
