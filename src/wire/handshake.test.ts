import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { latin1, toHex } from '../base/bytes.ts';
import { decodeHandshake, encodeHandshake, HANDSHAKE_BYTES, type Handshake, isHandshakePrefix } from './handshake.ts';

const twentyBytes = fc.uint8Array({ minLength: 20, maxLength: 20 });
const handshakes: fc.Arbitrary<Handshake> = fc.record({
  infoHash: twentyBytes,
  peerId: twentyBytes,
  fast: fc.boolean(),
  extended: fc.boolean(),
  dht: fc.boolean(),
  v2: fc.boolean(),
});

const sample: Handshake = {
  infoHash: new Uint8Array(20).fill(0x61),
  peerId: new Uint8Array(20).fill(0x62),
  fast: true,
  extended: true,
  dht: false,
  v2: false,
};

describe('the handshake', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(handshakes, (handshake) => {
        expect(decodeHandshake(encodeHandshake(handshake))).toEqual(handshake);
      }),
    );
  });

  it('has the layout of BEP 3, and each feature its own bit', () => {
    const bytes = encodeHandshake(sample);
    expect(bytes.length).toBe(HANDSHAKE_BYTES);
    expect(latin1(bytes.subarray(0, 20))).toBe('\x13BitTorrent protocol');
    expect(latin1(bytes.subarray(28))).toBe('a'.repeat(20) + 'b'.repeat(20));
    const none = { ...sample, fast: false, extended: false };
    const reserved = (features: Partial<Handshake>): string =>
      toHex(encodeHandshake({ ...none, ...features }).subarray(20, 28));
    expect(reserved({})).toBe('0000000000000000');
    expect(reserved({ extended: true })).toBe('0000000000100000');
    expect(reserved({ dht: true })).toBe('0000000000000001');
    expect(reserved({ fast: true })).toBe('0000000000000004');
    expect(reserved({ v2: true })).toBe('0000000000000010');
  });

  it('ignores bits that it does not know', () => {
    const bytes = encodeHandshake(sample);
    bytes.fill(0xff, 20, 25);
    bytes[27]! |= 0xea;
    expect(decodeHandshake(bytes)).toEqual(sample);
  });

  it('copies what it reads, also from a Buffer', () => {
    const bytes = Buffer.from(encodeHandshake(sample));
    const read = decodeHandshake(bytes);
    bytes.fill(0);
    expect(read).toEqual(sample);
  });

  it('is read from the first 68 bytes only, and not from fewer', () => {
    const bytes = new Uint8Array(100).fill(1);
    bytes.set(encodeHandshake(sample));
    expect(decodeHandshake(bytes)).toEqual(sample);
    for (let length = 0; length < HANDSHAKE_BYTES; length++) {
      expect(decodeHandshake(bytes.subarray(0, length))).toBeNull();
    }
  });

  it('is told from other protocols at the first byte that differs', () => {
    const bytes = encodeHandshake(sample);
    for (let length = 0; length <= bytes.length; length++) {
      expect(isHandshakePrefix(bytes.subarray(0, length))).toBe(true);
    }
    for (let at = 0; at < 20; at++) {
      const wrong = bytes.slice();
      wrong[at]! ^= 1;
      expect(isHandshakePrefix(wrong.subarray(0, at))).toBe(true);
      expect(isHandshakePrefix(wrong.subarray(0, at + 1))).toBe(false);
      expect(decodeHandshake(wrong)).toBeNull();
    }
  });

  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(decodeHandshake(bytes)).toBeNull();
      }),
    );
  });
});
