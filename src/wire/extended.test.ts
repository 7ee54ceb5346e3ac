import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromLatin1, latin1, utf8 } from '../base/bytes.ts';
import { encode } from '../bencode/encode.ts';
import { decodeExtendedHandshake, type ExtendedHandshake, encodeExtendedHandshake } from './extended.ts';
import { MAX_METADATA_BYTES } from './metadata.ts';

const NOTHING: ExtendedHandshake = {
  ids: new Map(),
  client: null,
  port: null,
  requestQueue: null,
  metadataBytes: null,
  uploadOnly: false,
  yourIp: null,
  ipv4: null,
  ipv6: null,
};

const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary);
const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });

const handshakes: fc.Arbitrary<ExtendedHandshake> = fc.record({
  ids: fc
    .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z_]{1,20}$/), fc.nat(255)), { selector: ([name]) => name })
    .map((entries) => new Map(entries)),
  client: orNull(fc.stringMatching(/^[a-zA-Zµ0-9][a-zA-Zµ0-9 .]{0,30}[a-z]$/)),
  port: orNull(fc.integer({ min: 1, max: 65535 })),
  requestQueue: orNull(fc.integer({ min: 1, max: 100_000 })),
  metadataBytes: orNull(fc.integer({ min: 1, max: MAX_METADATA_BYTES })),
  uploadOnly: fc.boolean(),
  yourIp: orNull(fc.oneof(bytes(4), bytes(16))),
  ipv4: orNull(bytes(4)),
  ipv6: orNull(bytes(16)),
});

describe('the extended handshake', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(handshakes, (handshake) => {
        expect(decodeExtendedHandshake(encodeExtendedHandshake(handshake))).toEqual(handshake);
      }),
    );
  });

  it('has the keys of BEP 10, 9 and 21', () => {
    const payload = encodeExtendedHandshake({
      ids: new Map([['ut_metadata', 1]]),
      client: 'Shoal',
      port: 6881,
      requestQueue: 250,
      metadataBytes: 31_235,
      uploadOnly: true,
      yourIp: fromLatin1('abcd'),
    });
    expect(latin1(payload)).toBe(
      'd1:md11:ut_metadatai1ee13:metadata_sizei31235e1:pi6881e4:reqqi250e11:upload_onlyi1e1:v5:Shoal6:yourip4:abcde',
    );
    expect(latin1(encodeExtendedHandshake({}))).toBe('d1:mdee');
  });

  it('reads the example of BEP 10', () => {
    const payload = fromLatin1('d1:md11:LT_metadatai1e6:ut_pexi2ee1:pi6881e1:v13:\xc2\xb5Torrent 1.2e');
    const ids = new Map([
      ['LT_metadata', 1],
      ['ut_pex', 2],
    ]);
    expect(decodeExtendedHandshake(payload)).toEqual({ ...NOTHING, ids, port: 6881, client: 'µTorrent 1.2' });
  });

  it('takes a value of the wrong type or range for one that was not said', () => {
    const odd = {
      m: { negative: -1, large: 256, text: 'x', list: [], good: 5, off: 0, ['n'.repeat(33)]: 3 },
      p: 65536,
      reqq: 0,
      metadata_size: MAX_METADATA_BYTES + 1,
      upload_only: 'yes',
      v: 3,
      yourip: utf8('12345'),
      ipv4: utf8('12345'),
      ipv6: utf8('1234'),
    };
    const ids = new Map([
      ['good', 5],
      ['off', 0],
    ]);
    expect(decodeExtendedHandshake(encode(odd))).toEqual({ ...NOTHING, ids });
    expect(decodeExtendedHandshake(encode({ m: 7, p: -1, metadata_size: 0 }))).toEqual(NOTHING);
  });

  it('is malformed where it is no dictionary', () => {
    for (const payload of ['', 'le', 'i3e', 'd', 'd1:pe', 'x', 'd1:pi1e1:pi2ee']) {
      expect(decodeExtendedHandshake(fromLatin1(payload))).toBeNull();
    }
  });

  it('gives a client name that cannot steer a terminal, and a short one', () => {
    const nameOf = (v: string | Uint8Array): string | null | undefined =>
      decodeExtendedHandshake(encode({ v }))?.client;
    expect(nameOf('\x1b[2J\u202eevil\r\n\u0000 1\u009b0 ')).toBe('[2Jevil 10');
    expect(nameOf('')).toBeNull();
    expect(nameOf('\n')).toBeNull();
    expect(nameOf(Uint8Array.of(0xb5, 0x54))).toBe('\ufffdT');
    expect(nameOf('🐟'.repeat(5000))).toBe('🐟'.repeat(64));
  });

  it('keeps no more names than a peer may have', () => {
    const m = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`x${i}`, i % 256]));
    expect(decodeExtendedHandshake(encode({ m }))?.ids.size).toBe(64);
  });

  it('owns the addresses it gives', () => {
    const payload = encodeExtendedHandshake({ yourIp: Uint8Array.of(1, 2, 3, 4) });
    const read = decodeExtendedHandshake(payload);
    payload.fill(0);
    expect(read?.yourIp).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(handshakes, fc.array(fc.tuple(fc.nat(), fc.nat(255))), (handshake, flips) => {
        const payload = encodeExtendedHandshake(handshake);
        for (const [where, byte] of flips) payload[where % payload.length] = byte;
        decodeExtendedHandshake(payload);
      }),
    );
  });
});
