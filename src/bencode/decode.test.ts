import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromLatin1, latin1, utf8 } from '../base/bytes.ts';
import { isShoalError } from '../base/errors.ts';
import {
  asBytes,
  asDict,
  asInteger,
  asList,
  asText,
  BencodeDict,
  type BencodeValue,
  decode,
  decodePrefix,
} from './decode.ts';
import { BencodeRaw } from './dict.ts';

const read = (text: string, options = {}): BencodeValue => decode(fromLatin1(text), options);
const fault = (text: string, options = {}): string => {
  try {
    read(text, options);
  } catch (error) {
    if (isShoalError(error, 'BENCODE_INVALID')) return error.message;
    throw error;
  }
  return 'decoded';
};

describe('decode', () => {
  it('reads the four kinds of value', () => {
    expect(read('i42e')).toBe(42);
    expect(read('i-7e')).toBe(-7);
    expect(read('4:spam')).toEqual(utf8('spam'));
    expect(read('l4:spami3ee')).toEqual([utf8('spam'), 3]);
    const dict = read('d3:cow3:moo4:spaml1:aee');
    expect(dict).toBeInstanceOf(BencodeDict);
    expect([...(dict as BencodeDict).keys()]).toEqual(['cow', 'spam']);
  });

  it('reads empty things', () => {
    expect(read('0:')).toEqual(new Uint8Array(0));
    expect(read('le')).toEqual([]);
    expect(asDict(read('de'))?.size).toBe(0);
  });

  it('keeps 64-bit integers exactly and refuses larger ones', () => {
    expect(read('i9007199254740991e')).toBe(Number.MAX_SAFE_INTEGER);
    expect(read('i9007199254740992e')).toBe(9007199254740992n);
    expect(read('i-9007199254740993e')).toBe(-9007199254740993n);
    expect(read('i18446744073709551615e')).toBe(2n ** 64n - 1n);
    expect(read('i-9223372036854775808e')).toBe(-(2n ** 63n));
    expect(fault('i18446744073709551616e')).toContain('64 bits');
    expect(fault('i-9223372036854775809e')).toContain('64 bits');
    expect(fault(`i${'9'.repeat(21)}e`)).toContain('64 bits');
  });

  it('takes byte strings as views, without a copy', () => {
    const bytes = fromLatin1('l4:spame');
    const [spam] = asList(decode(bytes))!;
    expect(asBytes(spam)!.buffer).toBe(bytes.buffer);
    expect(asBytes(spam)!.byteOffset).toBe(bytes.byteOffset + 3);
  });

  it('keeps the exact bytes of every value of a dictionary, canonical or not', () => {
    const bytes = fromLatin1('d1:bi007e1:ad1:z2:hi1:y0:ee');
    const dict = asDict(decode(bytes))!;
    expect(latin1(dict.rawSpan('b')!)).toBe('i007e');
    expect(latin1(dict.rawSpan('a')!)).toBe('d1:z2:hi1:y0:e');
    expect(dict.rawSpan('a')!.buffer).toBe(bytes.buffer);
    expect(dict.rawSpan('none')).toBeUndefined();
  });

  it('finds keys by raw bytes, in dictionaries small and large', () => {
    const keys = Array.from({ length: 40 }, (_, i) => String.fromCharCode(200 + i) + 'x'.repeat(i));
    const dict = asDict(read(`d${keys.map((key, i) => `${key.length}:${key}i${i}e`).join('')}e`))!;
    for (const [i, key] of keys.entries()) expect(dict.get(key)).toBe(i);
    expect(dict.get('x')).toBeUndefined();
    expect([...dict].map(([key]) => key)).toEqual(keys);
  });

  it('takes unsorted keys, unless strict', () => {
    expect([...asDict(read('d1:b0:1:a0:e'))!.keys()]).toEqual(['b', 'a']);
    expect(fault('d1:b0:1:a0:e', { strict: true })).toBe('bencoding is broken at byte 6: keys are not sorted');
  });

  it('refuses a key twice, next to each other or not', () => {
    expect(fault('d1:a0:1:a0:e')).toContain('byte 6: duplicate key');
    expect(fault('d1:b0:1:a0:1:b0:e')).toContain('byte 11: duplicate key');
    expect(fault('d1:c0:1:a0:1:b0:1:a0:e')).toContain('byte 16: duplicate key');
  });

  it('takes integers and lengths with leading zeros, unless strict', () => {
    expect(read('i007e')).toBe(7);
    expect(Object.is(read('i-0e'), 0)).toBe(true);
    expect(read('02:hi')).toEqual(utf8('hi'));
    for (const text of ['i007e', 'i-0e', 'i00e', '02:hi', '00:'])
      expect(fault(text, { strict: true })).not.toBe('decoded');
    expect(read('i0e', { strict: true })).toBe(0);
    expect(read('0:', { strict: true })).toEqual(new Uint8Array(0));
  });

  it('refuses bytes behind the value, unless told otherwise', () => {
    expect(fault('i1ei2e')).toBe('bencoding is broken at byte 3: bytes after the end');
    expect(read('i1e\n', { allowTrailing: true })).toBe(1);
    expect(fault('i1e\n', { allowTrailing: true, strict: true })).toContain('bytes after the end');
  });

  it('says how long a value with a payload behind it is', () => {
    const { value, length } = decodePrefix(fromLatin1('d8:msg_typei1eePAYLOAD'));
    expect(asDict(value)!.get('msg_type')).toBe(1);
    expect(length).toBe(15);
  });

  it.each([
    ['', 0],
    ['i', 1],
    ['ie', 1],
    ['i-e', 2],
    ['i1', 2],
    ['i1x', 2],
    ['x', 0],
    ['5:spam', 0],
    ['4', 0],
    ['4spam', 1],
    ['99999999999999999999:', 0],
    ['l', 1],
    ['li1e', 4],
    ['d', 1],
    ['d1:a', 4],
    ['di1e1:ae', 1],
    ['d1:ae', 4],
    ['e', 0],
    ['-1:', 0],
  ])('says where %j is broken', (text, offset) => {
    expect(fault(text)).toContain(`at byte ${offset}:`);
  });

  it('keeps to its limits on depth, length and number of values', () => {
    const deep = `${'l'.repeat(128)}${'e'.repeat(128)}`;
    expect(fault(deep)).toBe('decoded');
    expect(fault(`l${deep}e`)).toContain('nested too deep');
    expect(fault('l'.repeat(1_000_000))).toContain('nested too deep');
    expect(fault('d1:a'.repeat(250_000))).toContain('nested too deep');
    expect(fault('llelelelee', { maxItems: 4 })).toContain('too many values');
    expect(fault('4:spam', { maxBytes: 5 })).toContain('more than the limit of 5');
  });

  it('never throws anything but BENCODE_INVALID, whatever the bytes', () => {
    const token = fc.constantFrom(
      'i',
      'e',
      'l',
      'd',
      'd',
      '0:',
      '1:a',
      '1:b',
      '12:',
      '-',
      '0',
      '1',
      '9',
      ':',
      'i5e',
      'é',
    );
    const soup = fc.array(token, { maxLength: 60 }).map((parts) => fromLatin1(parts.join('')));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), soup), fc.boolean(), (bytes, strict) => {
        try {
          decode(bytes, { strict });
        } catch (error) {
          expect(isShoalError(error, 'BENCODE_INVALID')).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a value that is left raw', () => {
  it('is found by the keys that lead to it, and nowhere else', () => {
    const raw = asDict(read('d5:filesl1:ae4:infod5:filesl1:bi1ee1:xl1:ceee', { leaveRaw: ['info', 'files'] }))!;
    expect(asList(raw.get('files'))).toHaveLength(1);
    const files = asDict(raw.get('info'))!.get('files');
    expect(files instanceof BencodeRaw && latin1(files.bytes)).toBe('l1:bi1ee');
    expect(asList(asDict(raw.get('info'))!.get('x'))).toHaveLength(1);
  });

  it('is refused for the same reason and at the same byte as one that is built', () => {
    const nearly = fc
      .tuple(
        fc.array(fc.constantFrom('d', 'l', 'e', 'i1e', 'i-0e', '1:a', '1:b', '01:a', '2:aa', '0:', 'i', ':', '9:x'), {
          maxLength: 14,
        }),
        fc.boolean(),
      )
      .map(([parts, closed]) => `d1:k${parts.join('')}${closed ? 'e' : ''}`);
    fc.assert(
      fc.property(nearly, fc.boolean(), fc.integer({ min: 1, max: 8 }), (text, strict, most) => {
        const limits = { strict, maxItems: most, maxDepth: most };
        expect(fault(text, { ...limits, leaveRaw: ['k'] })).toBe(fault(text, limits));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('typed getters', () => {
  it('give null for what is of another type', () => {
    const values: readonly BencodeValue[] = [1, 2n ** 63n, utf8('a'), [], asDict(read('de'))!];
    expect(values.map((value) => asInteger(value))).toEqual([1, null, null, null, null]);
    expect(values.map((value) => asBytes(value) !== null)).toEqual([false, false, true, false, false]);
    expect(values.map((value) => asText(value))).toEqual([null, null, 'a', null, null]);
    expect(values.map((value) => asList(value) !== null)).toEqual([false, false, false, true, false]);
    expect(values.map((value) => asDict(value) !== null)).toEqual([false, false, false, false, true]);
    expect([asInteger(undefined), asText(undefined), asDict(undefined)]).toEqual([null, null, null]);
  });

  it('take no text that is not UTF-8 and no integer below the minimum', () => {
    expect(asText(Uint8Array.of(0xff))).toBeNull();
    expect(asText(utf8('日本'))).toBe('日本');
    expect(asInteger(-1, 0)).toBeNull();
    expect(asInteger(0, 0)).toBe(0);
    expect(asInteger(-5)).toBe(-5);
  });
});
