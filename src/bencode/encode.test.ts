import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalBytes, fromLatin1, latin1 } from '../base/bytes.ts';
import { BencodeDict, type BencodeValue, decode } from './decode.ts';
import { BencodeRaw } from './dict.ts';
import { type Encodable, encode } from './encode.ts';

const text = (value: Encodable): string => latin1(encode(value));

describe('encode', () => {
  it('writes the four kinds of value', () => {
    expect(text(42)).toBe('i42e');
    expect(text(-0)).toBe('i0e');
    expect(text(-(2n ** 63n))).toBe('i-9223372036854775808e');
    expect(text('spam')).toBe('4:spam');
    expect(text(Uint8Array.of(0, 255))).toBe('2:\x00\xff');
    expect(text(['a', 1, []])).toBe('l1:ai1elee');
    expect(text({ b: 1, a: 'x' })).toBe('d1:a1:x1:bi1ee');
  });

  it('measures text in UTF-8, lone surrogates included', () => {
    for (const each of ['é', '日本', '𝒳', 'a𝒳é', '\ud800', 'x\udc00\ud800y']) {
      const bytes = new TextEncoder().encode(each);
      expect(text(each)).toBe(`${bytes.length}:${latin1(bytes)}`);
    }
  });

  it('leaves out members that are undefined', () => {
    expect(text({ a: undefined, b: 1 })).toBe('d1:bi1ee');
  });

  it('sorts keys as raw bytes', () => {
    const map = new Map<string, Encodable>([
      ['\xff', 1],
      ['a', 2],
      ['ab', 3],
      ['Z', 4],
      ['', 5],
    ]);
    expect(text(map)).toBe('d0:i5e1:Zi4e1:ai2e2:abi3e1:\xffi1ee');
  });

  it('passes on what is encoded already', () => {
    expect(text({ info: new BencodeRaw(fromLatin1('d1:bi007e1:a0:e')) })).toBe('d4:infod1:bi007e1:a0:ee');
  });

  it('refuses numbers that are no whole, safe integers', () => {
    for (const number of [1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) expect(() => encode(number)).toThrow();
    expect(() => encode(new Map([['日', 1]]))).toThrow();
  });

  it('is read back by the strict decoder, value for value', () => {
    const { value } = fc.letrec<{ value: Encodable }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.maxSafeInteger(),
        fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n),
        fc.uint8Array({ maxLength: 400 }),
        fc.array(tie('value'), { maxLength: 5 }),
        fc
          .array(fc.tuple(fc.uint8Array({ maxLength: 40 }).map(latin1), tie('value')), { maxLength: 12 })
          .map((entries): Encodable => new Map(entries)),
      ),
    }));
    fc.assert(
      fc.property(value, (each) => {
        const bytes = encode(each);
        const back = decode(bytes, { strict: true });
        expect(same(each, back)).toBe(true);
        expect(equalBytes(encode(back), bytes)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

function same(a: Encodable, b: BencodeValue | undefined): boolean {
  if (typeof a === 'number' || typeof a === 'bigint') return BigInt(a) === BigInt(b as bigint);
  if (a instanceof Uint8Array) return b instanceof Uint8Array && equalBytes(a, b);
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((each, i) => same(each, b[i]));
  const map = a as ReadonlyMap<string, Encodable>;
  return b instanceof BencodeDict && b.size === map.size && [...map].every(([key, each]) => same(each, b.get(key)));
}
